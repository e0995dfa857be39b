"""The sweeper's loop: every step of upkeep, again and again, one sweeper at a time."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import Counter

from mediaplatform.errors import MediaPlatformError
from mediaplatform.media.upkeep import BATCH, Upkeep
from mediaplatform_worker.health import Health

STEP_S = 60  # the longest that a step may take
BACKLOG_S = 60  # after this long a backlog is left to the next round: other steps wait for theirs
DONE = Counter("mediaplatform_sweep_done", "What the sweeper did", ["step"])
FAULTS = Counter("mediaplatform_sweep_faults", "Steps of the sweeper that failed", ["step"])
log = structlog.get_logger()


class Sweeper:
    def __init__(
        self,
        upkeep: Upkeep,
        health: Health,
        *,
        interval_seconds: float,
        backlog_seconds: float = BACKLOG_S,
    ) -> None:
        self._upkeep, self._health = upkeep, health
        self._interval = interval_seconds
        self._backlog_seconds = backlog_seconds
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        self._health.started(self._stopping)
        while not self._stopping.is_set():
            self._moved(STEP_S)
            try:
                await self.sweep()
            except MediaPlatformError as fault:
                log.warning("sweep put off", fault=fault.message)
            # Jitter, so that sweepers which started together do not stay together.
            seconds = self._interval * random.uniform(0.8, 1.2)  # noqa: S311
            self._moved(seconds)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)

    async def sweep(self) -> None:
        """Every step, unless another sweeper is at it. A step that fails stops no other."""
        async with self._upkeep.alone() as mine:
            if not mine:
                return
            for name, step in self._upkeep.steps.items():
                if self._stopping.is_set():
                    return
                try:
                    await self._work_off(name, step)
                except (MediaPlatformError, TimeoutError) as fault:
                    FAULTS.labels(name).inc()
                    log.warning("step failed", step=name, fault=repr(fault))
                except Exception:
                    FAULTS.labels(name).inc()
                    log.exception("step failed", step=name)

    async def _work_off(self, name: str, step: Callable[[], Awaitable[int]]) -> None:
        """Again while it reaches its bound, so that a backlog does not wait for the next rounds."""
        enough = time.monotonic() + self._backlog_seconds
        while not self._stopping.is_set():
            self._moved(STEP_S)
            async with asyncio.timeout(STEP_S):
                done = await step()
            DONE.labels(name).inc(done)
            if done:
                log.info("swept", step=name, done=done)
            if done < BATCH or time.monotonic() >= enough:
                return

    def _moved(self, within: float) -> None:
        self._health.moved("sweeper", within=within)
