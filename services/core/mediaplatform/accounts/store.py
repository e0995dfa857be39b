"""Accounts and sessions in PostgreSQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import DictRow

from mediaplatform.accounts.model import User
from mediaplatform.accounts.tokens import RefreshToken
from mediaplatform.platform.database import Database, fetch_one, load_queries

QUERIES = load_queries("mediaplatform.accounts")


class AccountStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_user(self, user_id: UUID, email: str, name: str, password: str) -> User | None:
        """None where the address has an account already."""
        row = await self._one(
            "add_user", id=user_id, email=email, name=name, password_hash=password
        )
        return _user(row)

    async def user(self, user_id: UUID) -> User | None:
        return _user(await self._one("user", id=user_id))

    async def user_by_email(self, email: str) -> tuple[User | None, str | None]:
        """The account and the hash of its password."""
        row = await self._one("user_by_email", email=email)
        return _user(row), row["password_hash"] if row else None

    async def add_session(self, token: RefreshToken, user_id: UUID, expires_at: datetime) -> None:
        await self._run(
            "add_session",
            id=token.session_id,
            user_id=user_id,
            token_hash=token.hash,
            expires_at=expires_at,
        )

    async def rotate(
        self, token: RefreshToken, successor: RefreshToken, now: datetime
    ) -> UUID | None:
        """The user, or None where the token is not the newest of a live session."""
        row = await self._one(
            "rotate",
            id=token.session_id,
            token_hash=token.hash,
            successor=successor.hash,
            now=now,
        )
        return row["user_id"] if row else None

    async def just_rotated(
        self, token: RefreshToken, since: datetime, now: datetime
    ) -> UUID | None:
        row = await self._one(
            "just_rotated", id=token.session_id, token_hash=token.hash, since=since, now=now
        )
        return row["user_id"] if row else None

    async def revoke(self, session_id: UUID, reason: str) -> None:
        await self._run("revoke", id=session_id, reason=reason)

    async def revoke_all(self, user_id: UUID, reason: str) -> None:
        await self._run("revoke_all", user_id=user_id, reason=reason)

    async def is_live(self, session_id: UUID, user_id: UUID, now: datetime) -> bool:
        return await self._one("live", id=session_id, user_id=user_id, now=now) is not None

    async def _one(self, query: str, **values: Any) -> DictRow | None:
        async with self._database.connection() as connection:
            return await fetch_one(connection, QUERIES[query], values)

    async def _run(self, query: str, **values: Any) -> None:
        async with self._database.connection() as connection:
            await connection.execute(QUERIES[query], values)


def _user(row: DictRow | None) -> User | None:
    return User(row["id"], row["email"], row["name"], row["created_at"]) if row else None
