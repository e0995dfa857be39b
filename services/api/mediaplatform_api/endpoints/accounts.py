"""`/api/auth`: accounts and sessions. The refresh token travels only in a cookie of these paths."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import Field

from mediaplatform.accounts.model import ACCESS, Session, User
from mediaplatform.errors import NotAllowed
from mediaplatform_api.operations import Access, Call, Model, Operation, Reply

COOKIE = "mediaplatform_refresh"


class Registration(Model):
    email: str = Field(max_length=254, examples=["ada@example.com"])
    name: str = Field(max_length=100, examples=["Ada Lovelace"])
    password: str = Field(max_length=128, description="8 to 128 characters, not easily guessed")


class Credentials(Model):
    email: str = Field(max_length=254, examples=["ada@example.com"])
    password: str = Field(max_length=128)


class UserOut(Model):
    id: UUID
    email: str
    name: str
    created_at: datetime


class SessionOut(Model):
    access_token: str = Field(description="for the header `Authorization: Bearer`")
    expires_in: int = Field(description="seconds; refresh before")
    user: UserOut


async def register(call: Call) -> Reply:
    body: Registration = call.body
    session = await call.services.accounts.register(body.email, body.name, body.password)
    return _signed_in(session)


async def login(call: Call) -> Reply:
    body: Credentials = call.body
    return _signed_in(await call.services.accounts.sign_in(body.email, body.password))


async def refresh(call: Call) -> Reply:
    return _signed_in(await call.services.accounts.refresh(_cookie(call)))


async def logout(call: Call) -> Reply:
    if COOKIE in call.cookies:
        await call.services.accounts.sign_out(call.cookies[COOKIE])
    return Reply(None, cookies={COOKIE: None})


async def logout_everywhere(call: Call) -> Reply:
    await call.services.accounts.sign_out_everywhere(call.user)
    return Reply(None, cookies={COOKIE: None})


async def me(call: Call) -> UserOut:
    return _user(await call.services.accounts.user(call.user))


def _signed_in(session: Session) -> Reply:
    cookies = {COOKIE: session.refresh_token} if session.refresh_token else {}
    seconds = int(ACCESS.total_seconds())
    body = SessionOut(
        access_token=session.access_token, expires_in=seconds, user=_user(session.user)
    )
    return Reply(body, cookies=cookies)


def _user(user: User) -> UserOut:
    return UserOut(id=user.id, email=user.email, name=user.name, created_at=user.created_at)


def _cookie(call: Call) -> str:
    try:
        return call.cookies[COOKIE]
    except KeyError:
        raise NotAllowed("There is no session. Sign in.") from None


OPERATIONS = (
    Operation(
        "POST",
        "/api/auth/register",
        "Register",
        register,
        access=Access.ANYBODY,
        body=Registration,
        answer=SessionOut,
        status=201,
        problems=(409,),
    ),
    Operation(
        "POST",
        "/api/auth/login",
        "Sign in",
        login,
        access=Access.ANYBODY,
        body=Credentials,
        answer=SessionOut,
        problems=(401, 429),
    ),
    Operation(
        "POST",
        "/api/auth/refresh",
        "Renew the access token",
        refresh,
        access=Access.ANYBODY,
        answer=SessionOut,
        problems=(401,),
        description="Takes the refresh token from its cookie and replaces it. An older token, used "
        "again, ends the session.",
    ),
    Operation(
        "POST",
        "/api/auth/logout",
        "Sign out here",
        logout,
        access=Access.ANYBODY,
        status=204,
        problems=(401,),
    ),
    Operation(
        "POST", "/api/auth/logout-everywhere", "End all sessions", logout_everywhere, status=204
    ),
    Operation("GET", "/api/auth/me", "Who is signed in", me, answer=UserOut),
)
