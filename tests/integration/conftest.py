"""PostgreSQL and Valkey for the whole run, empty for each test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from tests.support.servers import postgres, valkey

from mediaplatform.platform.adapters.cache import RedisCache
from mediaplatform.platform.database import Database
from mediaplatform.platform.migrate import migrate


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    with postgres() as url:
        asyncio.run(migrate(url))
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    with valkey() as url:
        yield url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url) as database:
        async with database.connection() as connection:
            await connection.execute("TRUNCATE users, outbox CASCADE")
        yield database


@pytest.fixture
async def cache(redis_url: str) -> AsyncIterator[RedisCache]:
    cache = RedisCache(redis_url)
    await cache._redis.flushall()
    yield cache
    await cache.close()
