"""Whatever happens to an item and in whatever order, it only ever makes moves of the table."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.seed import add_user

from mediaplatform.errors import Conflict, NotFound
from mediaplatform.media.events import Happened, ObjectEvent, pad
from mediaplatform.media.model import Kind, Media, State, Visibility, may_move
from mediaplatform.media.outbox import Outbox
from mediaplatform.media.requests import UploadRequest
from mediaplatform.media.service import Limits, MediaService
from mediaplatform.media.store import MediaStore
from mediaplatform.media.upkeep import Policy, Upkeep
from mediaplatform.media.work import Claim, Found, MediaWork
from mediaplatform.platform.adapters.clock import SystemClock
from mediaplatform.platform.database import Database, fetch_all
from mediaplatform.platform.fakes.objects import MemoryBucket
from mediaplatform.platform.fakes.queue import MemoryQueue
from mediaplatform.platform.ports.queue import Message

FOUND = Found(Kind.IMAGE, "image/jpeg", 8, 8, "placeholder", {}, None, None)
HISTORY = "SELECT from_state, to_state FROM media_moves WHERE media_id = %(id)s ORDER BY id"
Action = Callable[[], Awaitable[object]]


class Life:
    """One item, and everything that may happen to it."""

    def __init__(self, database: Database, owner: UUID) -> None:
        self.owner = owner
        self.uploads, self.media, self.queue = MemoryBucket(), MemoryBucket(), MemoryQueue()
        outbox = Outbox(database, {"ingest": self.queue})
        self.library = MediaService(
            store=MediaStore(database),
            outbox=outbox,
            uploads=self.uploads,
            media=self.media,
            clock=SystemClock(),
            limits=Limits(1000, 10**9, 1),
        )
        self.work = MediaWork(database, claim_seconds=60)
        self.upkeep = Upkeep(
            database,
            outbox=outbox,
            uploads=self.uploads,
            media=self.media,
            ingest=self.queue,
            policy=Policy(0, 4, trash_days=0, unused_days=0),
            announce=_nobody,
        )
        self.database = database
        self.item: Media
        self.claim: Claim | None = None
        self.receives = 0

    async def begin(self) -> None:
        wanted = UploadRequest("a.jpg", 4, "image/jpeg", bytes(32), Visibility.PUBLIC)
        self.item = (await self.library.request_upload(self.owner, wanted)).media

    @property
    def actions(self) -> Mapping[str, Action]:
        item, owner, library = self.item, self.owner, self.library
        return {
            "put": lambda: self.uploads.upload(item.upload_key, b"abcd", content_type="image/jpeg"),
            "lose": lambda: self.uploads.delete([item.upload_key]),
            "confirm": lambda: library.confirm(item.id, owner),
            "created": lambda: self._event(Happened.CREATED),
            "created late": lambda: self._event(Happened.CREATED, "01"),
            "removed": lambda: self._event(Happened.REMOVED),
            "take": self._take,
            "first tier": lambda: self._with_claim(
                lambda it: self.work.publish_first(it, FOUND, [])
            ),
            "second tier": lambda: self._with_claim(lambda it: self.work.publish_second(it, [])),
            "fail": lambda: self._with_claim(lambda it: self.work.fail(it, "broken", "It is.")),
            "hand back": lambda: self._with_claim(self.work.release),
            "cancel": lambda: library.cancel(item.id, owner),
            "trash": lambda: library.trash(item.id, owner),
            "restore": lambda: library.restore(item.id, owner),
            "delete": lambda: library.delete(item.id, owner),
            "overdue": self._overdue,
            "look": self.upkeep.look_for_uploads,
            "requeue": self.upkeep.requeue,
            "give up": self.upkeep.give_up,
            "empty trash": self.upkeep.empty_trash,
            "purge": self.upkeep.purge,
        }

    async def history(self) -> list[tuple[str | None, str]]:
        async with self.database.connection() as connection:
            rows = await fetch_all(connection, HISTORY, {"id": self.item.id})
        return [(row["from_state"], row["to_state"]) for row in rows]

    async def state(self) -> State:
        async with self.database.connection() as connection:
            query = "SELECT state FROM media WHERE id = %(id)s"
            [row] = await fetch_all(connection, query, {"id": self.item.id})
        return State(row["state"])

    async def _event(self, happened: Happened, sequencer: str | None = None) -> None:
        now = sequencer or f"{int(datetime.now(UTC).timestamp() * 1e6):016x}"
        await self.work.record(ObjectEvent(happened, self.item.upload_key, pad(now), "etag"))

    async def _take(self) -> None:
        self.receives += 1
        message = Message("m", "", "", self.receives)
        self.claim = await self.work.claim(self.item.id, message) or self.claim

    async def _with_claim(self, act: Callable[[Claim], Awaitable[object]]) -> None:
        if self.claim is not None:
            await act(self.claim)

    async def _overdue(self) -> None:
        async with self.database.connection() as connection:
            await connection.execute("UPDATE media SET upload_expires_at = now()")


async def _nobody(_: UUID) -> None:
    return


async def _live(url: str, names: list[str]) -> tuple[list[tuple[str | None, str]], State]:
    async with Database(url) as database:
        life = Life(database, await add_user(database))
        await life.begin()
        for name in names:
            with contextlib.suppress(Conflict, NotFound):
                await life.actions[name]()
        return await life.history(), await life.state()


STRAIGHT = ("put", "confirm", "take", "first tier", "second tier", "trash", "delete")
NAMES = st.lists(
    st.sampled_from([
        "put", "lose", "confirm", "created", "created late", "removed", "take", "first tier",
        "second tier", "fail", "hand back", "cancel", "trash", "restore", "delete", "overdue",
        "look", "requeue", "give up", "empty trash", "purge",
    ]),
    max_size=25,
)  # fmt: skip


@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.integers(0, len(STRAIGHT)), NAMES)
def test_every_move_is_one_of_the_table_and_none_is_forgotten(
    database_url: str, far: int, names: list[str]
) -> None:
    history, state = asyncio.run(_live(database_url, [*STRAIGHT[:far], *names]))
    assert history[0] == (None, "waiting")
    for (_, before), (source, target) in pairwise(history):
        assert source == before, "a move that was not written down"
        assert may_move(State(source), State(target)), f"{source} -> {target}"
    assert history[-1][1] == state


def test_the_straight_way_leads_to_ready_and_through_the_trash_to_the_end(
    database_url: str,
) -> None:
    names = ["put", "confirm", "take", "first tier", "second tier", "trash", "restore", "trash",
             "delete", "purge"]  # fmt: skip
    history, _ = asyncio.run(_live(database_url, names))
    assert [target for _, target in history] == [
        "waiting", "uploaded", "processing", "ready", "trashed", "ready", "trashed", "deleted",
    ]  # fmt: skip
