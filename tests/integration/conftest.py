"""The API on real PostgreSQL and Valkey, with S3 and SQS in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import httpx2
import pytest
from tests.support.api import BASE

from mediaplatform.platform.adapters.cache import RedisCache
from mediaplatform.platform.database import Database
from mediaplatform.platform.fakes.clock import FakeClock
from mediaplatform.platform.fakes.objects import MemoryBucket
from mediaplatform.platform.fakes.queue import MemoryQueue
from mediaplatform_api.app import make_app
from mediaplatform_api.services import Outside, Services, make_services


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


@pytest.fixture
def uploads() -> MemoryBucket:
    return MemoryBucket("uploads")


@pytest.fixture
def queue() -> MemoryQueue:
    return MemoryQueue()


@pytest.fixture
def services(
    database: Database,
    cache: RedisCache,
    uploads: MemoryBucket,
    queue: MemoryQueue,
    clock: FakeClock,
    database_url: str,
    redis_url: str,
) -> Services:
    settings = replace(
        BASE,
        public_url="http://photos.test",
        database_url=database_url,
        redis_url=redis_url,
        aws_endpoint=None,
        storage_per_user=10_000,
        upload_bytes=5_000,
        requests_per_minute=600,
    )
    outside = Outside(database, cache, uploads, MemoryBucket("media"), queue, clock)
    return make_services(settings, outside)


@pytest.fixture
async def client(services: Services) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=make_app(services))
    async with httpx2.AsyncClient(transport=transport, base_url="http://photos.test") as client:
        yield client
