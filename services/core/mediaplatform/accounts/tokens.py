"""Tokens: short access tokens (JWT, RFC 7519), and the secrets that renew them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt

from mediaplatform.accounts.model import ACCESS, Caller
from mediaplatform.errors import ConfigurationError, NotAllowed
from mediaplatform.platform.ports.clock import Clock

ALGORITHM = "HS256"
AUDIENCE = "mediaplatform"
SECRET_BYTES = 32


@dataclass(frozen=True)
class RefreshToken:
    """`session.secret`; the database keeps only a hash of the secret."""

    session_id: UUID
    secret: str

    @classmethod
    def make(cls, session_id: UUID) -> RefreshToken:
        return cls(session_id, secrets.token_urlsafe(SECRET_BYTES))

    @classmethod
    def parse(cls, text: str) -> RefreshToken:
        """Raises NotAllowed."""
        session, _, secret = text.partition(".")
        try:
            return cls(UUID(session), secret)
        except ValueError:
            raise NotAllowed from None

    @property
    def hash(self) -> bytes:
        return hashlib.sha256(self.secret.encode()).digest()

    def __str__(self) -> str:
        return f"{self.session_id}.{self.secret}"


class AccessTokens:
    def __init__(self, secret: str, issuer: str, clock: Clock) -> None:
        if len(secret) < SECRET_BYTES:
            raise ConfigurationError(
                f"MEDIAPLATFORM_TOKEN_SECRET must have at least {SECRET_BYTES} characters"
            )
        self._secret, self._issuer, self._clock = secret, issuer, clock

    def sign(self, caller: Caller) -> str:
        now = self._clock.now()
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": str(caller.user_id),
            "sid": str(caller.session_id),
            "iat": now,
            "exp": now + ACCESS,
        }
        return jwt.encode(claims, self._secret, algorithm=ALGORITHM)

    def read(self, token: str) -> Caller:
        """Raises NotAllowed for whatever is not one of our own and in its time."""
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                self._secret,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=self._issuer,
                options={
                    "require": ["exp", "iat", "sub", "sid"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
            if self._clock.now().timestamp() >= float(claims["exp"]):
                raise NotAllowed("The access token has expired. Refresh it.")
            return Caller(UUID(claims["sub"]), UUID(claims["sid"]))
        except (jwt.InvalidTokenError, ValueError, TypeError):
            raise NotAllowed("The access token is not valid. Sign in again.") from None
