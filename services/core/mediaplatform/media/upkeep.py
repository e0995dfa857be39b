"""What nobody else does: lost events, expired uploads, lost messages, trash, leftovers.

Each step does a bounded piece of work and says how much, so that a step which reached its bound is
run again at once. One sweeper acts at a time, under a lock of the database.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog
from psycopg.rows import DictRow

from mediaplatform.errors import ObjectMissing
from mediaplatform.media.outbox import Outbox, Promise
from mediaplatform.media.store import QUERIES, MediaStore
from mediaplatform.platform.database import Database, fetch_all, fetch_one
from mediaplatform.platform.ports.objects import ObjectStore
from mediaplatform.platform.ports.queue import Queue

BATCH = 200
PUBLISH_QUIET_S = 5  # whoever wrote an outbox row has this long to publish it
BUSY_QUIET_S = 3600  # behind a long queue, waiting is no sign of a lost message
GAVE_UP = "It could not be processed after several tries. Upload it again, or ask for help."
GAVE_UP_SECOND = "It can be seen, but not every file of it could be made. Ask for help."
LOCK = 0x73776565  # "swee"
log = structlog.get_logger()


@dataclass(frozen=True)
class Policy:
    visibility_seconds: int
    max_receives: int
    trash_days: int
    unused_days: int  # 0 keeps what nobody uses

    @property
    def quiet_seconds(self) -> int:
        """After this long without a sign, a message or an event is taken for lost."""
        return 2 * self.visibility_seconds


class Upkeep:
    def __init__(
        self,
        database: Database,
        *,
        outbox: Outbox,
        uploads: ObjectStore,
        media: ObjectStore,
        ingest: Queue,
        policy: Policy,
        announce: Callable[[UUID], Awaitable[None]],
    ) -> None:
        self._database, self._outbox, self._policy = database, outbox, policy
        self._uploads, self._media, self._ingest = uploads, media, ingest
        self._announce = announce
        self._store = MediaStore(database)

    @property
    def steps(self) -> Mapping[str, Callable[[], Awaitable[int]]]:
        """By name, in the order in which they are run; each returns how much it did."""
        return {
            "relay": self.relay,
            "uploads": self.look_for_uploads,
            "requeue": self.requeue,
            "give_up": self.give_up,
            "give_up_second": self.give_up_second,
            "unused": self.trash_unused,
            "trash": self.empty_trash,
            "discard": self.discard,
            "purge": self.purge,
            "forget": self.forget,
        }

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        """Whether no other sweeper is at work while the block runs."""
        async with self._database.transaction() as connection:
            row = await fetch_one(
                connection, "SELECT pg_try_advisory_xact_lock(%(lock)s) AS mine", {"lock": LOCK}
            )
            yield bool(row and row["mine"])

    async def relay(self) -> int:
        """Publish what was promised and not sent."""
        which = {"quiet": PUBLISH_QUIET_S, "queues": self._outbox.queues}
        rows = await self._rows("promised", **which)
        if len(rows) < BATCH:  # else it is run again in the same round
            for strange in await self._rows("promised_elsewhere", **which):
                log.warning("left to a newer release", **strange)
        return await self._outbox.publish([Promise(**row) for row in rows])

    async def look_for_uploads(self) -> int:
        """Find bytes whose event was lost; expire what will not come."""
        rows = await self._rows("overdue", quiet=self._policy.quiet_seconds)
        for row in rows:
            try:
                found = await self._uploads.head(row["upload_key"])
            except ObjectMissing:
                await self._execute("expire" if row["expired"] else "looked", id=row["id"])
            else:
                promise = await self._store.uploaded(row["id"], found.etag)
                if promise is not None:
                    await self._outbox.publish([promise])
        return len(rows)

    async def requeue(self) -> int:
        """Promise the job of an item whose message was lost."""
        waiting = (await self._ingest.depth()).visible
        quiet = BUSY_QUIET_S if waiting else self._policy.quiet_seconds
        rows = await self._rows("requeue", quiet=quiet, max_attempts=self._policy.max_receives)
        await self._outbox.publish([Promise(**row) for row in rows])
        return len(rows)

    async def give_up(self) -> int:
        """Fail what was tried as often as the queue allows."""
        return await self._execute(
            "give_up",
            quiet=self._policy.visibility_seconds,
            max_attempts=self._policy.max_receives,
            detail=GAVE_UP,
        )

    async def give_up_second(self) -> int:
        """Leave at its first tier what was tried as often for the second."""
        rows = await self._rows(
            "give_up_second",
            quiet=self._policy.visibility_seconds,
            max_attempts=self._policy.max_receives,
            detail=GAVE_UP_SECOND,
        )
        for row in rows:
            log.warning("second tier given up", media_id=str(row["id"]))
        return len(rows)

    async def trash_unused(self) -> int:
        if self._policy.unused_days == 0:
            return 0
        rows = await self._rows("unused", days=self._policy.unused_days)
        for row in rows:
            await self._announce(row["id"])
        return len(rows)

    async def empty_trash(self) -> int:
        return await self._execute("empty_trash", days=self._policy.trash_days, limit=BATCH)

    async def discard(self) -> int:
        """Delete for good what was cancelled, or never came."""
        return await self._execute("discard", limit=BATCH)

    async def purge(self) -> int:
        """Remove the bytes of deleted items, then what is personal in their rows."""
        rows = await self._rows("forsaken")
        for row in rows:
            await self._uploads.delete([row["upload_key"]])
            keys = [item.key async for item in self._media.list(f"media/{row['id']}/")]
            await self._media.delete(keys)
            await self._execute("drop_renditions", id=row["id"])
            await self._execute("purge", id=row["id"])
        return len(rows)

    async def forget(self) -> int:
        """Drop answers kept for repeated requests, and sessions long over."""
        return await self._execute("old_idempotency_keys") + await self._execute("dead_sessions")

    async def _rows(self, query: str, **values: object) -> list[DictRow]:
        async with self._database.connection() as connection:
            return await fetch_all(connection, QUERIES[query], {"limit": BATCH, **values})

    async def _execute(self, query: str, **values: object) -> int:
        async with self._database.connection() as connection:
            return max(0, (await connection.execute(QUERIES[query], values)).rowcount)
