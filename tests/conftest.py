"""Real servers for the whole run, each started when a test first asks; empty for each test."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator

import pytest

from mediaplatform.platform.adapters.aws import Aws
from mediaplatform.platform.adapters.cache import RedisCache
from mediaplatform.platform.database import Database
from mediaplatform.platform.migrate import migrate
from mediaplatform_local.servers.emulator import ROOT_KEY, Emulator
from mediaplatform_local.servers.ports import free_port
from tests.support.servers import postgres, valkey


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


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """S3, SQS and IAM, all enforced; its root is ROOT_KEY with `root_secret`."""
    folder = tmp_path_factory.mktemp("emulator")
    emulator = Emulator(folder, free_port(), secrets.token_hex(16))
    emulator.prepare()
    process = emulator.start(folder / "log")
    try:
        emulator.wait_ready(process)
        yield emulator
    finally:
        process.stop()


@pytest.fixture
def aws(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """The emulator's root."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ROOT_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", emulator.root_secret)
    aws = Aws("us-east-1", endpoint=emulator.endpoint)
    yield aws
    aws.close()


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
