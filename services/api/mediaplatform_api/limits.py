"""How many requests a client may send in a minute, over all processes.

A process tells Redis of a client's requests a batch at a time, and learns how many all processes
have seen. So most clients never wait for Redis, and nobody is refused too early; who spreads
requests over several processes may get a batch more from each of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from mediaplatform.platform.ports.cache import Cache

WINDOW_SECONDS = 60
BATCHES = 30  # in which Redis is told of all that a client may send in one window
CLIENTS = 10_000  # remembered by one process


class Verdict(NamedTuple):
    allowed: bool
    limit: int
    remaining: int
    reset: int  # seconds until the next window


@dataclass
class _Sent:
    window: int
    told: int = 0  # to Redis by all processes, as far as this one knows
    untold: int = 0  # by this one


class RateLimit:
    """Windows of a minute; where Redis is lost, each process counts for itself."""

    def __init__(self, cache: Cache, limit: int, timer: Callable[[], float] = time.time) -> None:
        self._cache, self._limit, self._timer = cache, limit, timer
        self._batch = max(1, limit // BATCHES)
        self._clients: dict[str, _Sent] = {}

    async def check(self, client: str) -> Verdict:
        now = self._timer()
        window = int(now // WINDOW_SECONDS)
        sent = self._clients.get(client)
        if sent is None or sent.window != window:
            sent = self._remember(client, _Sent(window))
        allowed = sent.told + sent.untold < self._limit
        if allowed:
            sent.untold += 1
            if sent.untold >= self._batch:
                await self._tell(client, sent)
        reset = WINDOW_SECONDS - int(now % WINDOW_SECONDS)
        remaining = max(self._limit - sent.told - sent.untold, 0)
        return Verdict(allowed, self._limit, remaining, reset)

    async def _tell(self, client: str, sent: _Sent) -> None:
        untold, sent.untold = sent.untold, 0
        sent.told += untold
        key = f"requests:{client}:{sent.window}"
        counted = await self._cache.increment(key, untold, ttl=2 * WINDOW_SECONDS)
        sent.told = max(sent.told, counted or 0)

    def _remember(self, client: str, sent: _Sent) -> _Sent:
        if len(self._clients) >= CLIENTS:
            self._clients.clear()
        self._clients[client] = sent
        return sent
