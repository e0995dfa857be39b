"""What a worker may do with an item: take it, publish what it made, fail it, hand it back.

A claim is one delivery of one message, `{message id}#{receives}`, for a while that the worker
extends. Every commit names the claim, so a worker that lost it changes nothing:

| What happens | Where the item ends |
|---|---|
| the same event or job twice | once: the second finds nothing to do, or another's claim |
| a worker dies | the message comes back, the next delivery takes the item over |
| an event is lost | the sweeper finds the object and promises the job |
| the object is overwritten with other bytes | failed, `changed`: not the promised SHA-256 |
| the object is deleted before a worker has it | failed, `missing`; no older event revives it |
| the same, with the first tier published | ready with it and `missing`, never complete |
| no bytes come in time | expired |
| a worker can extend its claim no longer | it stops, and hands the message back |
| too many deliveries | failed, `gave_up`; a redrive from the dead letters may take it again |
| too many, with the first tier published | ready with it and `gave_up`; the same |
| cancelled, or expired for two days | deleted, with its bytes, once no worker has it |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from mediaplatform.media.events import Happened, ObjectEvent
from mediaplatform.media.model import Kind, Media, Rendition
from mediaplatform.media.store import QUERIES, media_of
from mediaplatform.platform.database import Database, fetch_one
from mediaplatform.platform.ports.queue import Message

MISSING = "The uploaded file was deleted before it could be read. Upload it again."
INCOMPLETE = (
    "It can be seen, but not every file of it could be made. Delete it, then upload it again."
)


@dataclass(frozen=True)
class Claim:
    """An item in the hands of one delivery of one message."""

    media: Media
    token: str


@dataclass(frozen=True)
class Found:
    """What was learnt about an item from its bytes."""

    kind: Kind
    detected_type: str  # media type
    width: int  # pixels, upright
    height: int
    placeholder: str  # ThumbHash, base64
    metadata: dict[str, Any]
    position: dict[str, float] | None
    taken_at: datetime | None


class MediaWork:
    def __init__(self, database: Database, *, claim_seconds: int) -> None:
        self._database = database
        self._seconds = claim_seconds

    async def record(self, event: ObjectEvent) -> UUID | None:
        """Take note of what S3 says, and return the item that it is about, if it is one of ours."""
        values = {"key": event.key, "sequencer": event.sequencer, "etag": event.etag}
        created = event.happened is Happened.CREATED
        query = "event_created" if created else "event_removed"
        async with self._database.connection() as connection:
            row = await fetch_one(connection, QUERIES["by_upload_key"], {"key": event.key})
            if row is None:
                return None
            await connection.execute(QUERIES[query], values | {"detail": MISSING})
        media_id: UUID = row["id"]
        return media_id if created else None

    async def claim(self, media_id: UUID, message: Message) -> Claim | None:
        """None where there is nothing to do for this message, now or ever."""
        token = f"{message.id}#{message.receives}"
        values = {"id": media_id, "message": message.id, "claim": token, "seconds": self._seconds}
        async with self._database.connection() as connection:
            row = await fetch_one(connection, QUERIES["claim"], values)
        return Claim(media_of(row), token) if row else None

    async def extend(self, claim: Claim) -> bool:
        """False where the claim was lost: whatever is made of the item is in vain."""
        return await self._changed("extend_claim", claim, seconds=self._seconds)

    async def release(self, claim: Claim) -> None:
        """Hand it back: the next delivery of any message may take it at once."""
        async with self._database.connection() as connection:
            await connection.execute(QUERIES["release_claim"], _named(claim))

    async def pin(self, claim: Claim, etag: str) -> None:
        async with self._database.connection() as connection:
            await connection.execute(QUERIES["pin"], _named(claim) | {"etag": etag})

    async def publish_first(
        self, claim: Claim, found: Found, renditions: Sequence[Rendition]
    ) -> bool:
        """The item is ready. False where the claim was lost."""
        values = _named(claim) | vars(found) | {
            "kind": found.kind.value,
            "metadata": Jsonb(found.metadata),
            "position": Jsonb(found.position) if found.position else None,
        }  # fmt: skip
        return await self._publish("publish_first", claim, values, renditions)

    async def publish_second(self, claim: Claim, renditions: Sequence[Rendition]) -> bool:
        """All is there, and the claim is over. False where it was lost before."""
        return await self._publish("publish_second", claim, _named(claim), renditions)

    async def fail(self, claim: Claim, reason: str, detail: str) -> bool:
        """It failed, or stays at its first tier; the claim is over. False where it was lost."""
        return await self._changed("fail", claim, reason=reason, detail=detail)

    async def _publish(
        self, query: str, claim: Claim, values: dict[str, Any], renditions: Sequence[Rendition]
    ) -> bool:
        rows = [vars(rendition) | {"media_id": claim.media.id} for rendition in renditions]
        async with self._database.transaction() as connection:
            if await fetch_one(connection, QUERIES[query], values) is None:
                return False
            if rows:
                await connection.cursor().executemany(QUERIES["insert_renditions"], rows)
        return True

    async def _changed(self, query: str, claim: Claim, **values: Any) -> bool:
        async with self._database.connection() as connection:
            return await fetch_one(connection, QUERIES[query], _named(claim) | values) is not None


def _named(claim: Claim) -> dict[str, Any]:
    return {"id": claim.media.id, "claim": claim.token}
