from __future__ import annotations

import asyncio
from time import monotonic

import pytest

from mediaplatform.platform.adapters.cache import RedisCache

pytestmark = pytest.mark.anyio


async def test_a_redis_that_hangs_costs_one_wait_and_not_one_per_call() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    cache = RedisCache(f"redis://127.0.0.1:{port}/0", timeout=0.05)

    started = monotonic()
    answers = [await cache.get("a") for _ in range(50)]
    taken = monotonic() - started

    assert answers == [None] * 50
    assert taken < 0.5
    await cache.close()
    server.close()
