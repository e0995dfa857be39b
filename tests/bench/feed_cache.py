"""The hit rate of the feed's caches under readers who mostly look at the newest pages."""

from __future__ import annotations

import asyncio
import random
from uuid import UUID

import orjson

from mediaplatform.feed.cache import LOOKUPS, FeedCache
from mediaplatform.feed.service import FeedService
from mediaplatform.feed.store import FeedStore
from mediaplatform.platform.adapters.cache import RedisCache
from mediaplatform.platform.database import Database
from mediaplatform.platform.fakes.objects import MemoryBucket
from tests.bench import feed
from tests.bench.result import Result
from tests.support.seed import add_user
from tests.support.servers import create_database, postgres, valkey

ITEMS = 2_000
PAGES = 40
REQUESTS = 6_000
PER_SECOND = 600
LIKE_EVERY = 20
PUBLISH_EVERY = 300


async def read(url: str, redis: str) -> None:
    """Page n is asked for 1/n as often as page 1; now and then somebody likes or publishes."""
    chance = random.Random(1)
    cache = RedisCache(redis)
    weights = [1 / (number + 1) for number in range(PAGES)]
    async with Database(url) as database:
        user = await add_user(database)
        service = FeedService(FeedStore(database), FeedCache(cache), MemoryBucket("media"))
        cursors, ids = await walk(service)
        for number, cursor in enumerate(chance.choices(cursors, weights, k=REQUESTS)):
            await service.page(cursor)
            if number % LIKE_EVERY == 0:
                await service.like(chance.choice(ids), user)
            if number % PUBLISH_EVERY == 0:
                await service.invalidate(ids[0])
            await asyncio.sleep(1 / PER_SECOND)
    await cache.close()


async def walk(service: FeedService) -> tuple[list[str], list[UUID]]:
    """The cursors of the first pages, and the ids on them."""
    cursors, ids = [""], []
    while len(cursors) <= PAGES:
        page = orjson.loads((await service.page(cursors[-1])).body)
        ids += [UUID(item["id"]) for item in page["items"]]
        cursors.append(page["nextCursor"])
    return cursors[:PAGES], ids


def counted(*parts: str) -> tuple[float, float]:
    """Hits and misses so far, as a scraper of the metrics sees them."""
    totals = {"hit": 0.0, "miss": 0.0}
    for metric in LOOKUPS.collect():
        for sample in metric.samples:
            if sample.name.endswith("_total") and sample.labels["part"] in parts:
                totals[sample.labels["result"]] += sample.value
    return totals["hit"], totals["miss"]


def run() -> list[Result]:
    with postgres() as server, valkey() as redis:
        database = create_database(server, "feed")
        asyncio.run(feed.fill(database, ITEMS))
        asyncio.run(read(database, redis))
    results = []
    for what, parts in (
        ("feed cache hit rate, all lookups", ("page", "list", "item", "likes")),
        ("feed requests answered by a page already rendered", ("page",)),
    ):
        hits, misses = counted(*parts)
        bar = 0.8 if len(parts) > 1 else None
        detail = f"{hits:,.0f} of {hits + misses:,.0f}"
        results.append(Result(what, hits / (hits + misses), "", at_least=bar, detail=detail))
    return results
