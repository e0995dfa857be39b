from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from mediaplatform.errors import Unavailable
from mediaplatform.feed.cache import LOOKUPS, FeedCache, Memo, Recent
from mediaplatform.feed.model import Entry, Listing
from mediaplatform.platform.fakes.cache import MemoryCache

pytestmark = pytest.mark.anyio

ITEM = UUID(int=1)


class Timer:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Maker:
    """Makes 0, 1, 2, ... when it is let through."""

    def __init__(self) -> None:
        self.made = 0
        self.gate = asyncio.Event()

    async def __call__(self) -> int:
        made, self.made = self.made, self.made + 1
        await self.gate.wait()
        return made


def recent() -> Recent[str, int]:
    return Recent(Memo(seconds=60, most=10), "page")


async def test_many_who_ask_at_once_share_one_making() -> None:
    cache, make = recent(), Maker()
    asking = [asyncio.create_task(cache.get("first", make)) for _ in range(20)]
    await asyncio.sleep(0)
    make.gate.set()

    assert await asyncio.gather(*asking) == [0] * 20
    assert await cache.get("first", make) == 0
    assert make.made == 1


async def test_who_goes_away_does_not_stop_the_others() -> None:
    cache, make = recent(), Maker()
    leaving = asyncio.create_task(cache.get("first", make))
    staying = asyncio.create_task(cache.get("first", make))
    await asyncio.sleep(0)
    leaving.cancel()
    make.gate.set()

    assert await staying == 0
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_a_failure_is_handed_to_all_who_wait_and_then_forgotten() -> None:
    cache, make = recent(), Maker()
    make.gate.set()

    async def fail() -> int:
        raise Unavailable

    asking = [cache.get("first", fail) for _ in range(2)]
    assert [type(answer) for answer in await asyncio.gather(*asking, return_exceptions=True)] == [
        Unavailable,
        Unavailable,
    ]
    assert await cache.get("first", make) == 0


async def test_what_was_in_the_making_when_all_was_cleared_is_not_kept() -> None:
    cache, make = recent(), Maker()
    before = asyncio.create_task(cache.get("first", make))
    await asyncio.sleep(0)
    cache.clear()
    after = asyncio.create_task(cache.get("first", make))
    await asyncio.sleep(0)
    make.gate.set()

    assert (await before, await after) == (0, 1)
    assert await cache.get("first", make) == 1


def test_a_memo_forgets_after_its_time() -> None:
    timer = Timer()
    memo: Memo[str, int] = Memo(seconds=2, most=10, timer=timer)
    memo.put("a", 1)

    assert memo.get("a") == 1
    timer.now = 2
    assert memo.get("a") is None


def test_a_memo_drops_the_oldest_when_it_is_full() -> None:
    memo: Memo[str, int] = Memo(seconds=60, most=2)
    for key, value in (("a", 1), ("b", 2), ("a", 3), ("c", 4)):
        memo.put(key, value)

    assert [memo.get(key) for key in "abc"] == [3, None, 4]


async def test_the_version_stays_until_somebody_invalidates() -> None:
    cache = FeedCache(MemoryCache())
    first = await cache.version()

    assert await cache.version() == first
    await cache.invalidate(ITEM)
    assert await cache.version() != first


async def test_a_version_that_was_lost_never_comes_back() -> None:
    memory = MemoryCache()
    cache = FeedCache(memory)
    first = await cache.version()
    memory.lose(lost=False)

    assert await cache.version() != first


async def test_a_listing_comes_back_as_it_was_kept() -> None:
    cache = FeedCache(MemoryCache())
    listing = Listing((Entry(uuid4(), 3), Entry(uuid4(), 1)), "next")

    assert await cache.listing("v:24:") is None
    await cache.keep_listing("v:24:", listing)
    assert await cache.listing("v:24:") == listing


async def test_an_invalidated_item_loses_its_count_too() -> None:
    cache = FeedCache(MemoryCache())
    await cache.keep_counts({ITEM: 7})

    assert await cache.counts([ITEM]) == {ITEM: 7}
    await cache.invalidate(ITEM)
    assert await cache.counts([ITEM]) == {}


async def test_hits_and_misses_are_counted_so_that_a_rate_can_be_computed() -> None:
    def lookups() -> tuple[float, float]:
        return tuple(LOOKUPS.labels("item", result)._value.get() for result in ("hit", "miss"))

    cache = FeedCache(MemoryCache())
    kept, other = Entry(uuid4(), 1), Entry(uuid4(), 1)
    await cache.keep_items({kept: b'{"title":"Kept"}'})
    hits, misses = lookups()

    assert await cache.items([kept, other]) == {kept: {"title": "Kept"}}
    assert lookups() == (hits + 1, misses + 1)


async def test_nothing_is_found_and_nothing_breaks_when_redis_is_lost() -> None:
    memory = MemoryCache()
    memory.lose()
    cache = FeedCache(memory)

    assert await cache.version()
    await cache.keep_counts({ITEM: 7})
    assert await cache.counts([ITEM]) == {}
    await cache.invalidate(ITEM)
