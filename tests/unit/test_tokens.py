from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest

from mediaplatform.accounts.model import ACCESS, Caller
from mediaplatform.accounts.tokens import AccessTokens, RefreshToken
from mediaplatform.errors import ConfigurationError, NotAllowed
from mediaplatform.platform.fakes.clock import FakeClock

SECRET = "a secret of at least sixty-four characters, which is enough for any HMAC"
ISSUER = "https://photos.example.com"
CALLER = Caller(uuid4(), uuid4())


def tokens(secret: str = SECRET, issuer: str = ISSUER, clock: FakeClock | None = None) -> Any:
    return AccessTokens(secret, issuer, clock or FakeClock())


def forged(algorithm: str = "HS256", **changed: Any) -> str:
    """A token of ours with claims changed; None takes a claim away."""
    signed = jwt.decode(tokens().sign(CALLER), options={"verify_signature": False})
    claims = {name: value for name, value in {**signed, **changed}.items() if value is not None}
    return jwt.encode(claims, SECRET if algorithm != "none" else "", algorithm=algorithm)


def test_a_token_says_who_calls() -> None:
    assert tokens().read(tokens().sign(CALLER)) == CALLER


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        tokens(secret=SECRET[::-1]).sign(CALLER),
        tokens(issuer="https://other.example.com").sign(CALLER),
        forged(algorithm="none"),
        forged(algorithm="HS512"),
        forged(aud="somebody else"),
        forged(sub="not an id"),
        forged(sid=None),
        forged(exp=None),
        forged(exp="tomorrow"),
    ],
)
def test_a_token_that_is_not_ours_is_refused(token: str) -> None:
    with pytest.raises(NotAllowed):
        tokens().read(token)


def test_a_token_is_good_for_its_time_and_no_moment_longer() -> None:
    clock = FakeClock()
    token = tokens(clock=clock).sign(CALLER)
    clock.advance(ACCESS - timedelta(seconds=1))
    assert tokens(clock=clock).read(token) == CALLER
    clock.advance(timedelta(seconds=1))

    with pytest.raises(NotAllowed, match="expired"):
        tokens(clock=clock).read(token)


def test_a_short_secret_is_a_mistake_in_the_configuration() -> None:
    with pytest.raises(ConfigurationError, match="MEDIAPLATFORM_TOKEN_SECRET"):
        tokens(secret="short")


def test_a_refresh_token_is_kept_as_a_hash_and_read_back() -> None:
    token = RefreshToken.make(uuid4())

    assert RefreshToken.parse(str(token)) == token
    assert token.secret.encode() not in token.hash
    assert len(token.hash) == 32


@pytest.mark.parametrize("text", ["", ".", "secret", "not-an-id.secret"])
def test_what_is_no_refresh_token_is_refused(text: str) -> None:
    with pytest.raises(NotAllowed):
        RefreshToken.parse(text)
