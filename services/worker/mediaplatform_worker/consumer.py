"""Messages from a queue to a handler: each is deleted, tried again later, or dead-lettered."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

import structlog
from prometheus_client import Counter, Gauge, Histogram

from mediaplatform.errors import InvalidInput, MediaPlatformError, MessageGone, Unavailable
from mediaplatform.platform.adapters.aws import LONGEST_CALL_S
from mediaplatform.platform.ports.queue import Message, Queue
from mediaplatform.platform.telemetry import traceparent
from mediaplatform_worker.health import Health

POLL_S = 4  # also the longest that a stop waits for an idle slot
RETRY_FIRST_S = 10
RETRY_MOST_S = 600
PAUSE_MOST_S = 30
ROUND_S = LONGEST_CALL_S + PAUSE_MOST_S  # for a call that fails, and the pause after it

JOBS = Counter("mediaplatform_worker_jobs", "Messages handled", ["queue", "outcome"])
SECONDS = Histogram(
    "mediaplatform_worker_job_seconds", "From delivery to the end of the job", ["queue"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
)  # fmt: skip
AT_WORK = Gauge("mediaplatform_worker_jobs_at_work", "Messages being handled now", ["queue"])
OLDEST = Gauge(
    "mediaplatform_worker_oldest_job_seconds", "How long the oldest job at work has run", ["queue"]
)
log = structlog.get_logger()

Handle = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True)
class Job:
    slot: str
    began: float  # of time.monotonic()


class Consumer:
    """Slots that take one message after another, and tell `health` of each step."""

    def __init__(
        self,
        name: str,
        queue: Queue,
        health: Health,
        *,
        slots: int,
        visibility_seconds: int,
    ) -> None:
        self._name, self._queue, self._health, self._slots = name, queue, health, slots
        self._visibility = visibility_seconds
        self._stopping = asyncio.Event()
        self._faults = 0
        self._jobs: dict[str, Job] = {}  # by the receipt of the message
        OLDEST.labels(name).set_function(self.oldest_job)

    def oldest_job(self) -> float:
        """Seconds for which the longest job at work has run; 0 without any."""
        began = [job.began for job in tuple(self._jobs.values())]
        return time.monotonic() - min(began) if began else 0.0

    def stop(self) -> None:
        """Take no more messages; `run` returns when those at hand are done."""
        self._stopping.set()

    async def extend(self, message: Message) -> None:
        """Keep a message that is being handled for its visibility timeout from now.

        Raises MessageGone where it ran out before, and Unavailable.
        """
        await self._queue.hide(message, self._visibility)
        slot = self._jobs[message.receipt].slot
        self._health.moved(slot, within=self._visibility + ROUND_S)

    async def run(self, handle: Handle, *, drain_seconds: float) -> None:
        """Until stopped. Jobs that are not done within `drain_seconds` are handed back.

        `handle` returns when the message is done with, and raises Unavailable to try it later. It
        calls `extend` while it is at work.
        """
        names = [f"{self._name} slot {number}" for number in range(self._slots)]
        slots = [asyncio.create_task(self._slot(name, handle)) for name in names]
        self._health.started(self._stopping)
        stopped = asyncio.create_task(self._stopping.wait())
        await asyncio.wait([stopped, *slots], return_when=asyncio.FIRST_COMPLETED)
        self._stopping.set()
        _, late = await asyncio.wait(slots, timeout=drain_seconds)
        for slot in late:
            slot.cancel()
        done = await asyncio.gather(*slots, return_exceptions=True)
        for result in done:
            if isinstance(result, Exception):
                raise result

    async def _slot(self, name: str, handle: Handle) -> None:
        while not self._stopping.is_set():
            self._health.moved(name, within=ROUND_S)
            try:
                # Not all alike: what was lost together must not come back, and be lost, together.
                hide = round(self._visibility * random.uniform(0.6, 1))  # noqa: S311
                messages = await self._queue.receive(limit=1, wait=POLL_S, hide=hide)
            except MediaPlatformError as fault:
                await self._pause(fault)
                continue
            for message in messages:
                if self._stopping.is_set():
                    await self._hand_back(message, 0)
                else:
                    await self._take(message, handle, name)
        self._health.gone(name)

    async def _take(self, message: Message, handle: Handle, slot: str) -> None:
        trace = traceparent(message.traceparent)
        with (
            self._at_work(message, slot) as began,
            structlog.contextvars.bound_contextvars(
                traceparent=trace, message_id=message.id, receives=message.receives
            ),
        ):
            outcome = await self._outcome(message, handle)
            seconds = time.monotonic() - began
            JOBS.labels(self._name, outcome).inc()
            SECONDS.labels(self._name).observe(seconds)
            log.info("job", queue=self._name, outcome=outcome, seconds=round(seconds, 3))

    @contextlib.contextmanager
    def _at_work(self, message: Message, slot: str) -> Iterator[float]:
        job = self._jobs[message.receipt] = Job(slot, time.monotonic())
        try:
            with AT_WORK.labels(self._name).track_inprogress():
                yield job.began
        finally:
            del self._jobs[message.receipt]

    async def _outcome(self, message: Message, handle: Handle) -> str:
        try:
            await self._handled(message, handle)
            await self._queue.delete(message)
        except asyncio.CancelledError:
            await asyncio.shield(self._hand_back(message, 0))
            raise
        except InvalidInput as fault:
            # Left to the dead-letter queue: deleting it would hide whoever sends such things.
            log.warning("message not understood", fault=fault.message)
            await self._hand_back(message, retry_delay(message.receives))
            return "invalid"
        except Unavailable as fault:
            log.warning("job put off", fault=fault.message)
            await self._hand_back(message, retry_delay(message.receives))
            await self._pause(fault)
            return "retry"
        except Exception:
            log.exception("job failed")
            await self._hand_back(message, retry_delay(message.receives))
            return "error"
        self._faults = 0
        return "done"

    async def _handled(self, message: Message, handle: Handle) -> None:
        slot = self._jobs[message.receipt].slot
        self._health.moved(slot, within=self._visibility + ROUND_S)
        try:
            await handle(message)
        finally:
            self._health.moved(slot, within=ROUND_S)

    async def _hand_back(self, message: Message, seconds: int) -> None:
        """Best effort: what cannot be handed back comes again after its visibility timeout."""
        with contextlib.suppress(MessageGone, Unavailable):
            await self._queue.hide(message, seconds)

    async def _pause(self, fault: MediaPlatformError) -> None:
        """Spare the other messages' receives while something behind us is down."""
        self._faults += 1
        seconds = min(PAUSE_MOST_S, (1 << min(self._faults, 10)) / 2) * random.uniform(0.5, 1)  # noqa: S311
        log.warning("pausing", seconds=round(seconds, 1), fault=fault.message)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)


def retry_delay(receives: int) -> int:
    """Seconds until the next try: 10, 20, 40 ..., up to ten minutes, less up to a quarter."""
    longest = min(RETRY_MOST_S, RETRY_FIRST_S << min(receives - 1, 10))
    return round(longest * random.uniform(0.75, 1))  # noqa: S311
