"""Each port as a fake and as the real thing; the tests do not know which one they got."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from mediaplatform.platform.adapters.aws import Aws
from mediaplatform.platform.adapters.cache import RedisCache
from mediaplatform.platform.adapters.objects import S3Bucket
from mediaplatform.platform.adapters.queue import SqsQueue
from mediaplatform.platform.fakes.cache import MemoryCache
from mediaplatform.platform.fakes.objects import MemoryBucket
from mediaplatform.platform.fakes.queue import MemoryQueue
from mediaplatform.platform.ports.cache import Cache
from mediaplatform.platform.ports.objects import ObjectStore
from mediaplatform.platform.ports.queue import Queue

NOWHERE = "redis://127.0.0.1:1/0"  # nothing listens on port 1


@pytest.fixture(params=["memory", "s3"])
async def bucket(request: pytest.FixtureRequest) -> AsyncIterator[ObjectStore]:
    if request.param == "memory":
        yield MemoryBucket()
        return
    aws: Aws = request.getfixturevalue("aws")
    name = f"contract-{uuid4().hex[:12]}"
    await aws.call(aws.s3.create_bucket, Bucket=name)
    yield S3Bucket(aws, name)


@pytest.fixture(params=["memory", "sqs"])
async def queue(request: pytest.FixtureRequest) -> AsyncIterator[Queue]:
    if request.param == "memory":
        yield MemoryQueue()
        return
    aws: Aws = request.getfixturevalue("aws")
    answer = await aws.call(aws.sqs.create_queue, QueueName=f"contract-{uuid4().hex[:12]}")
    yield SqsQueue(aws, answer["QueueUrl"])


@pytest.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    if request.param == "memory":
        yield MemoryCache()
        return
    redis = RedisCache(request.getfixturevalue("redis_url"))
    yield redis
    await redis.close()


@pytest.fixture(params=["memory", "redis"])
async def lost_cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    if request.param == "memory":
        memory = MemoryCache()
        memory.lose()
        yield memory
        return
    redis = RedisCache(NOWHERE)
    yield redis
    await redis.close()
