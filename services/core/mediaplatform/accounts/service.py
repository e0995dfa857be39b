"""Accounts: register, sign in, stay signed in, sign out."""

from __future__ import annotations

import re
from uuid import UUID

from mediaplatform.accounts.model import GRACE, SESSION, Caller, Session, User
from mediaplatform.accounts.passwords import Passwords, check_strength
from mediaplatform.accounts.store import AccountStore
from mediaplatform.accounts.tokens import AccessTokens, RefreshToken
from mediaplatform.errors import Conflict, InvalidInput, NotAllowed, TooManyRequests
from mediaplatform.platform.ids import new_id
from mediaplatform.platform.ports.cache import Cache
from mediaplatform.platform.ports.clock import Clock

NAME_LENGTH = 100
EMAIL_LENGTH = 254  # RFC 5321, 4.5.3.1.3
ATTEMPTS = 10  # to sign in to one account
ATTEMPTS_SECONDS = 900
_EMAIL = re.compile(r"[^@\s\0]+@[^@\s\0]+\.[^@\s\0.]+")
_REFUSED = "Email or password is wrong."


class AccountService:
    def __init__(
        self,
        *,
        store: AccountStore,
        passwords: Passwords,
        tokens: AccessTokens,
        cache: Cache,
        clock: Clock,
    ) -> None:
        self._store, self._passwords, self._tokens = store, passwords, tokens
        self._cache, self._clock = cache, clock

    async def register(self, email: str, name: str, password: str) -> Session:
        """Raises InvalidInput, or Conflict where the address has an account."""
        email, name = _email(email), _name(name)
        check_strength(password, known=[name, *email.split("@")])
        user = await self._store.add_user(
            new_id(), email, name, await self._passwords.hash(password)
        )
        if user is None:
            raise Conflict("This email has an account already. Sign in instead.")
        return await self._begin(user)

    async def sign_in(self, email: str, password: str) -> Session:
        """Raises NotAllowed, alike for no account and a wrong password, or TooManyRequests."""
        email = email.strip().lower()
        key = f"sign-in:{email}"
        if (await self._cache.increment(key, ttl=ATTEMPTS_SECONDS) or 0) > ATTEMPTS:
            raise TooManyRequests(
                "Too many attempts for this account. Wait a quarter of an hour.",
                retry_after=ATTEMPTS_SECONDS,
            )
        user, kept = await self._store.user_by_email(email)
        if not await self._passwords.matches(password, kept) or user is None:
            raise NotAllowed(_REFUSED)
        await self._cache.delete(key)
        return await self._begin(user)

    async def refresh(self, text: str) -> Session:
        """A new pair of tokens for the newest refresh token.

        An older one was stolen, or its theft is being used: the whole session ends. Raises
        NotAllowed.
        """
        token, now = RefreshToken.parse(text), self._clock.now()
        successor = RefreshToken.make(token.session_id)
        rotated = await self._store.rotate(token, successor, now)
        user_id = rotated or await self._store.just_rotated(token, now - GRACE, now)
        user = await self._store.user(user_id) if user_id else None
        if user is None:
            await self._store.revoke(token.session_id, "an old token was used")
            raise NotAllowed("The session has ended. Sign in again.")
        access = self._tokens.sign(Caller(user.id, token.session_id))
        return Session(user, access, str(successor) if rotated else None)

    async def sign_out(self, text: str) -> None:
        """End the session of a refresh token; one that is unknown ends nothing."""
        token = RefreshToken.parse(text)
        if await self._store.rotate(token, token, self._clock.now()):
            await self._store.revoke(token.session_id, "signed out")

    async def sign_out_everywhere(self, user_id: UUID) -> None:
        await self._store.revoke_all(user_id, "signed out everywhere")

    def recognise(self, access_token: str) -> UUID | None:
        """Whose a token is by its signature alone, which says nothing of its session."""
        try:
            return self._tokens.read(access_token).user_id
        except NotAllowed:
            return None

    async def caller(self, access_token: str) -> Caller:
        """Raises NotAllowed, also once its session has ended."""
        caller = self._tokens.read(access_token)
        if not await self._store.is_live(caller.session_id, caller.user_id, self._clock.now()):
            raise NotAllowed("The session has ended. Sign in again.")
        return caller

    async def user(self, user_id: UUID) -> User:
        """Raises NotAllowed where the account is gone."""
        user = await self._store.user(user_id)
        if user is None:
            raise NotAllowed
        return user

    async def _begin(self, user: User) -> Session:
        token = RefreshToken.make(new_id())
        await self._store.add_session(token, user.id, self._clock.now() + SESSION)
        return Session(user, self._tokens.sign(Caller(user.id, token.session_id)), str(token))


def _email(text: str) -> str:
    email = text.strip().lower()
    if len(email) > EMAIL_LENGTH or not _EMAIL.fullmatch(email):
        raise InvalidInput(
            f"email must be an address like ada@example.com, not {text!r}", field="email"
        )
    return email


def _name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= NAME_LENGTH or not name.isprintable():
        raise InvalidInput(f"name must be 1 to {NAME_LENGTH} printable characters", field="name")
    return name
