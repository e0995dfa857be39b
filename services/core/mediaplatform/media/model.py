"""The life of a media item: its states, the moves between them, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class State(StrEnum):
    WAITING = "waiting"  # for its bytes
    UPLOADED = "uploaded"  # bytes seen in S3, no worker yet
    PROCESSING = "processing"
    READY = "ready"  # the first tier of renditions is public to whoever may see it
    FAILED = "failed"
    CANCELLED = "cancelled"  # by its owner, before it was ready
    EXPIRED = "expired"  # no bytes came in time
    TRASHED = "trashed"
    DELETED = "deleted"  # a tombstone; the bytes are gone or going


class Visibility(StrEnum):
    PRIVATE = "private"
    UNLISTED = "unlisted"
    PUBLIC = "public"


class Kind(StrEnum):
    IMAGE = "IMAGE"
    VIDEO = "VIDEO"
    AUDIO = "AUDIO"


MOVES: Mapping[State, frozenset[State]] = {
    State.WAITING: frozenset({State.UPLOADED, State.CANCELLED, State.EXPIRED, State.FAILED}),
    State.UPLOADED: frozenset({State.PROCESSING, State.FAILED, State.CANCELLED}),
    State.PROCESSING: frozenset({State.READY, State.FAILED, State.CANCELLED}),
    State.READY: frozenset({State.TRASHED}),
    # Back to processing only from the dead-letter queue, after a worker gave up.
    State.FAILED: frozenset({State.TRASHED, State.DELETED, State.PROCESSING}),
    State.CANCELLED: frozenset({State.DELETED}),
    State.EXPIRED: frozenset({State.UPLOADED, State.DELETED}),
    State.TRASHED: frozenset({State.READY, State.FAILED, State.DELETED}),
    State.DELETED: frozenset(),
}
FINAL = frozenset(state for state, targets in MOVES.items() if not targets)


def _check(moves: Mapping[State, frozenset[State]]) -> None:
    """A table that forgets a state, or has one that cannot be reached or left, is a mistake."""
    if set(moves) != set(State):
        raise AssertionError(f"no moves for {set(State) - set(moves)}")
    reached = {State.WAITING}.union(*moves.values())
    if reached != set(State):
        raise AssertionError(f"never reached: {set(State) - reached}")
    ends = {State.DELETED}
    while more := {state for state in State if moves[state] & ends} - ends:
        ends |= more
    if ends != set(State):
        raise AssertionError(f"never deleted: {set(State) - ends}")


_check(MOVES)


def may_move(source: State, target: State) -> bool:
    return target in MOVES[source]


def sources_of(target: State) -> list[State]:
    """The states from which this one can be reached, in the order of their definition."""
    return [state for state in State if target in MOVES[state]]


@dataclass(frozen=True)
class Rendition:
    name: str  # 'jpeg-512'
    tier: int
    format: str  # media type, 'image/jpeg'
    width: int  # pixels
    height: int
    size_bytes: int
    key: str  # in the media bucket


@dataclass(frozen=True)
class Media:
    id: UUID
    owner_id: UUID
    state: State
    visibility: Visibility
    title: str
    description: str
    tags: tuple[str, ...]
    file_name: str
    content_type: str  # as declared
    size_bytes: int
    sha256: bytes
    upload_key: str
    upload_expires_at: datetime
    created_at: datetime
    updated_at: datetime
    revision: int
    likes_count: int
    tiers: int  # how many tiers of renditions are published: 0, 1 or 2
    kind: Kind | None = None
    detected_type: str | None = None
    reason: str | None = None
    reason_detail: str | None = None
    etag: str | None = None
    width: int | None = None
    height: int | None = None
    placeholder: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    position: Mapping[str, float] | None = None
    taken_at: datetime | None = None
    published_at: datetime | None = None
    trashed_at: datetime | None = None
    traceparent: str | None = None  # of the request that asked for the upload

    @property
    def original_key(self) -> str:
        """In the media bucket, where a worker keeps the bytes that it checked."""
        return f"media/{self.id}/original"
