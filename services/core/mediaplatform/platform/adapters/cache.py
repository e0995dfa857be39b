"""A cache in Redis (or Valkey), whose loss is an empty cache."""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from time import monotonic
from typing import Any, TypeVar, cast

from prometheus_client import Counter
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

T = TypeVar("T")

TIMEOUT_S = 0.25  # a cache slower than the database is no cache
PAUSE_S = 1.0  # after a fault nobody waits for Redis: a request makes many calls
# One command costs half of what a transaction of two does.
INCREMENT = """
local count = redis.call('INCRBY', KEYS[1], ARGV[1])
if count == tonumber(ARGV[1]) then redis.call('EXPIRE', KEYS[1], ARGV[2]) end
return count"""
FAULTS = Counter("mediaplatform_cache_faults_total", "Cache calls that Redis did not answer")


class RedisCache:
    def __init__(self, url: str, *, timeout: float = TIMEOUT_S) -> None:
        self._redis = Redis.from_url(
            url,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 1),  # once, for a connection that Redis closed while idle
            health_check_interval=30,
            max_connections=64,
        )
        self._increment = self._redis.register_script(INCREMENT)
        self._lost_until = 0.0

    async def get(self, key: str) -> bytes | None:
        return await self._or(self._redis.get(key), None)

    async def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        if not keys:
            return []
        return await self._or(self._redis.mget(keys), [None] * len(keys))

    async def set(self, key: str, value: bytes, *, ttl: int) -> None:
        await self._or(self._redis.set(key, value, ex=ttl), default=False)

    async def set_many(self, values: Mapping[str, bytes], *, ttl: int) -> None:
        if not values:
            return
        pipeline = self._redis.pipeline(transaction=False)
        for key, value in values.items():
            pipeline.set(key, value, ex=ttl)
        await self._or(pipeline.execute(), [])

    async def add(self, key: str, value: bytes, *, ttl: int) -> bool:
        # redis-py answers None where the key was there, so a lost cache must answer something else.
        return bool(await self._or(self._redis.set(key, value, ex=ttl, nx=True), True))

    async def delete(self, *keys: str) -> None:
        if keys:
            await self._or(self._redis.delete(*keys), 0)

    async def increment(self, key: str, by: int = 1, *, ttl: int) -> int | None:
        counted: int | None = await self._or(self._increment(keys=[key], args=[by, ttl]), None)
        return counted

    async def ping(self) -> bool:
        return bool(await self._or(self._redis.ping(), False))

    async def close(self) -> None:
        await self._redis.aclose()

    async def _or(self, answer: object, default: T) -> T:
        answering = cast("Coroutine[Any, Any, T]", answer)
        if monotonic() < self._lost_until:
            answering.close()
            return default
        try:
            return await answering
        except (RedisError, OSError, TimeoutError):
            FAULTS.inc()
            self._lost_until = monotonic() + PAUSE_S
            return default
