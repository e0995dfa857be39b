"""Users, and what a session hands out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

ACCESS = timedelta(minutes=10)
SESSION = timedelta(days=30)
GRACE = timedelta(seconds=10)  # in which two tabs may refresh with the same token


@dataclass(frozen=True)
class User:
    id: UUID
    email: str
    name: str
    created_at: datetime


@dataclass(frozen=True)
class Session:
    """What signing in gives; `refresh_token` is None where the browser has the newest already."""

    user: User
    access_token: str
    refresh_token: str | None


@dataclass(frozen=True)
class Caller:
    """Who sends a request, and in which session."""

    user_id: UUID
    session_id: UUID
