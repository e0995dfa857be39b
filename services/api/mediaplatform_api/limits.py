"""How many requests a client may send in a minute, over all processes.

Redis is asked once for several requests: a process takes a batch of permits and hands them out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from mediaplatform.platform.ports.cache import Cache

WINDOW_SECONDS = 60
BATCHES = 30  # in which a client's permits of one window are taken
CLIENTS = 10_000  # remembered by one process


class Verdict(NamedTuple):
    allowed: bool
    limit: int
    remaining: int
    reset: int  # seconds until the next window


@dataclass
class _Permits:
    window: int
    left: int = 0
    taken: int = 0  # by all processes, as far as this one knows


class RateLimit:
    """Windows of a minute; where Redis is lost, each process counts for itself."""

    def __init__(self, cache: Cache, limit: int, timer: Callable[[], float] = time.time) -> None:
        self._cache, self._limit, self._timer = cache, limit, timer
        self._batch = max(1, limit // BATCHES)
        self._clients: dict[str, _Permits] = {}

    async def check(self, client: str) -> Verdict:
        now = self._timer()
        window = int(now // WINDOW_SECONDS)
        permits = self._clients.get(client)
        if permits is None or permits.window != window:
            permits = self._remember(client, _Permits(window))
        if permits.left == 0 and permits.taken < self._limit:
            await self._take(client, permits)
        allowed = permits.left > 0
        if allowed:
            permits.left -= 1
        reset = WINDOW_SECONDS - int(now % WINDOW_SECONDS)
        remaining = max(self._limit - permits.taken, 0) + permits.left
        return Verdict(allowed, self._limit, remaining, reset)

    async def _take(self, client: str, permits: _Permits) -> None:
        key = f"requests:{client}:{permits.window}"
        counted = await self._cache.increment(key, self._batch, ttl=2 * WINDOW_SECONDS)
        before = permits.taken if counted is None else counted - self._batch
        permits.left += max(min(self._batch, self._limit - before), 0)
        permits.taken = before + self._batch

    def _remember(self, client: str, permits: _Permits) -> _Permits:
        if len(self._clients) >= CLIENTS:
            self._clients.clear()
        self._clients[client] = permits
        return permits
