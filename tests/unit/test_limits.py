from __future__ import annotations

import asyncio

import pytest

from mediaplatform.platform.fakes.cache import MemoryCache
from mediaplatform_api.limits import BATCHES, RateLimit

pytestmark = pytest.mark.anyio

LIMIT = 60


class Timer:
    def __init__(self) -> None:
        self.now = 600.0  # the beginning of a minute

    def __call__(self) -> float:
        return self.now


async def allowed(limit: RateLimit, requests: int, client: str = "a") -> int:
    return sum([(await limit.check(client)).allowed for _ in range(requests)])


async def test_so_many_are_allowed_in_a_minute_and_again_in_the_next() -> None:
    timer = Timer()
    limit = RateLimit(MemoryCache(), LIMIT, timer)

    assert await allowed(limit, 2 * LIMIT) == LIMIT
    timer.now += 59
    assert await allowed(limit, 1) == 0
    timer.now += 1
    assert await allowed(limit, 2 * LIMIT) == LIMIT


async def test_processes_share_the_limit_but_for_what_each_has_not_told_yet() -> None:
    cache, timer = MemoryCache(), Timer()
    processes = [RateLimit(cache, LIMIT, timer) for _ in range(3)]
    total = sum([await allowed(limit, LIMIT) for limit in processes])

    assert LIMIT <= total <= LIMIT + 3 * (LIMIT // BATCHES)


async def test_nobody_is_refused_before_the_limit_whichever_process_a_request_meets() -> None:
    cache, timer = MemoryCache(), Timer()
    processes = [RateLimit(cache, 600, timer) for _ in range(3)]

    assert await allowed(processes[0], 1) == await allowed(processes[1], 1) == 1
    assert await allowed(processes[2], 598) == 598


async def test_redis_is_told_of_a_client_once_for_many_requests() -> None:
    cache = MemoryCache()
    limit = RateLimit(cache, 30 * BATCHES, Timer())
    await allowed(limit, 29)
    assert await cache.get("requests:a:10") is None
    await allowed(limit, 1)
    assert await cache.get("requests:a:10") == b"30"


async def test_requests_at_the_same_moment_are_counted_once_each() -> None:
    cache = MemoryCache()
    limit = RateLimit(cache, LIMIT, Timer())
    verdicts = await asyncio.gather(*(limit.check("a") for _ in range(2 * LIMIT)))
    assert sum(verdict.allowed for verdict in verdicts) == LIMIT
    assert await cache.get("requests:a:10") == str(LIMIT).encode()


async def test_one_client_takes_nothing_from_another() -> None:
    limit = RateLimit(MemoryCache(), LIMIT, Timer())
    await allowed(limit, LIMIT)

    assert await allowed(limit, 1, "b") == 1


async def test_without_redis_each_process_counts_for_itself() -> None:
    cache = MemoryCache()
    cache.lose()

    assert await allowed(RateLimit(cache, LIMIT, Timer()), 2 * LIMIT) == LIMIT


@pytest.mark.parametrize("limit", [1, 7, 59, 95, 100])
async def test_a_limit_that_batches_do_not_divide_is_kept_exactly(limit: int) -> None:
    assert await allowed(RateLimit(MemoryCache(), limit, Timer()), 2 * limit) == limit


async def test_a_verdict_says_what_is_left_and_until_when() -> None:
    timer = Timer()
    limit = RateLimit(MemoryCache(), LIMIT, timer)
    timer.now += 20.5
    await limit.check("a")
    verdict = await limit.check("a")

    assert (verdict.limit, verdict.remaining, verdict.reset) == (LIMIT, LIMIT - 2, 40)
