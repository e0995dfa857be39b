"""The cache in memory and the cache in Redis keep the same promises."""

from __future__ import annotations

import pytest

from mediaplatform.platform.ports.cache import Cache

pytestmark = pytest.mark.anyio


async def test_a_value_comes_back_until_it_is_deleted(cache: Cache) -> None:
    await cache.set("a", b"1", ttl=60)
    assert await cache.get("a") == b"1"
    await cache.delete("a", "never-there")
    assert await cache.get("a") is None


async def test_many_values_keep_the_order_of_their_keys(cache: Cache) -> None:
    await cache.set_many({"a": b"1", "c": b"3"}, ttl=60)
    assert await cache.get_many(["c", "b", "a"]) == [b"3", None, b"1"]
    assert await cache.get_many([]) == []


async def test_only_the_first_add_wins(cache: Cache) -> None:
    assert await cache.add("lock", b"me", ttl=60)
    assert not await cache.add("lock", b"you", ttl=60)
    assert await cache.get("lock") == b"me"


async def test_counts_go_up_from_nothing(cache: Cache) -> None:
    assert await cache.increment("n", ttl=60) == 1
    assert await cache.increment("n", 5, ttl=60) == 6


async def test_it_says_that_it_is_there(cache: Cache) -> None:
    assert await cache.ping()


async def test_a_lost_cache_is_an_empty_one(lost_cache: Cache) -> None:
    await lost_cache.set("a", b"1", ttl=60)
    await lost_cache.set_many({"b": b"2"}, ttl=60)
    await lost_cache.delete("a")
    assert await lost_cache.get("a") is None
    assert await lost_cache.get_many(["a", "b"]) == [None, None]
    assert await lost_cache.add("lock", b"me", ttl=60)
    assert await lost_cache.add("lock", b"you", ttl=60)
    assert await lost_cache.increment("n", ttl=60) is None
    assert not await lost_cache.ping()
