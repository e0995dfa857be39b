"""Feed pages of a million items, read through the real store with no cache."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from mediaplatform.feed.store import FeedStore
from mediaplatform.platform.database import Database, fetch_one, load_queries
from mediaplatform.platform.migrate import migrate
from mediaplatform.platform.paging import PAGE_SIZE, START, Position
from tests.bench.result import Result
from tests.support.servers import create_database, postgres

LARGE, SMALL = 1_000_000, 10_000
FAR = 1_000  # pages
ROUNDS = 300
QUERIES = load_queries("tests.bench")


@dataclass(frozen=True)
class Place:
    """One page of one table."""

    store: FeedStore
    after: Position


async def load(url: str, items: int) -> None:
    """A migrated database with so many public items."""
    await migrate(url)
    async with Database(url) as database, database.connection() as connection:
        await connection.execute("SET statement_timeout = 0")
        # A million rows in 21 s: foreign keys need no check where all rows are made here.
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(QUERIES["owners"])
        await connection.execute(QUERIES["items"], {"items": items})
        await connection.execute("VACUUM ANALYZE")


async def place(database: Database, page: int) -> Place:
    """The page, with renditions for what is on it."""
    after = START
    async with database.connection() as connection:
        if page > 1:
            offset = {"offset": (page - 1) * PAGE_SIZE - 1}
            row = await fetch_one(connection, QUERIES["position"], offset)
            assert row is not None
            after = Position(row["published_at"], row["id"])
        where = {"published_at": after.at, "id": after.id, "limit": PAGE_SIZE}
        await connection.execute(QUERIES["renditions"], where)
    return Place(FeedStore(database), after)


async def fill(url: str, items: int) -> None:
    """A database whose first page can be read as a whole."""
    await load(url, items)
    async with Database(url) as database:
        await place(database, 1)


async def read(place: Place) -> float:
    """Seconds for everything that a page shows."""
    started = time.perf_counter()
    listing = await place.store.page(place.after, PAGE_SIZE)
    ids = [entry.id for entry in listing.entries]
    items = await place.store.items(ids)
    counts = await place.store.likes_counts(ids)
    taken = time.perf_counter() - started
    assert len(items) == len(counts) == PAGE_SIZE
    assert all(len(item.images) == 4 for item in items)
    return taken


async def compare(places: Mapping[str, Place]) -> dict[str, float]:
    """The median of each, read in turn."""
    taken: dict[str, list[float]] = {name: [] for name in places}
    for _ in range(ROUNDS):
        for name, where in places.items():
            taken[name].append(await read(where))
    return {name: median(times) for name, times in taken.items()}


async def pages(server: str) -> list[Result]:
    large, small = create_database(server, "large"), create_database(server, "small")
    await load(large, LARGE)
    await load(small, SMALL)
    async with Database(large) as million, Database(small) as thousands:
        taken = await compare(
            {
                "first": await place(million, 1),
                "far": await place(million, FAR),
                "small": await place(thousands, 1),
            }
        )
    milliseconds = {name: f"{seconds * 1000:.2f} ms" for name, seconds in taken.items()}
    return [
        Result(
            f"page {FAR:,} / page 1 of {LARGE:,} items",
            taken["far"] / taken["first"],
            "x",
            at_most=1.2,
            detail=f"{milliseconds['far']} / {milliseconds['first']}",
        ),
        Result(
            f"page 1 of {LARGE:,} items / of {SMALL:,}",
            taken["first"] / taken["small"],
            "x",
            at_most=1.5,
            detail=f"{milliseconds['first']} / {milliseconds['small']}",
        ),
    ]


def run() -> list[Result]:
    with postgres() as server:
        return asyncio.run(pages(server))
