"""What a worker tells its probes, over HTTP, while a real consumer is at work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.request import urlopen

import pytest
from tests.support.probes import probe
from tests.support.waiting import eventually

from mediaplatform.errors import Unavailable
from mediaplatform.platform.fakes.queue import MemoryQueue
from mediaplatform.platform.ports.queue import Message
from mediaplatform_local.servers.ports import free_port
from mediaplatform_worker.consumer import ROUND_S, Consumer, Handle
from mediaplatform_worker.health import LOOP, MARGIN_S, TICK_S, Health, Move, serving, stuck

pytestmark = pytest.mark.anyio

VISIBILITY_S = 60
SLOT = "ingest slot 0"


@pytest.mark.parametrize(
    ("seconds", "found"), [(0, {}), (7 + MARGIN_S, {}), (8 + MARGIN_S, {"one": 8.0 + MARGIN_S})]
)
def test_stuck_is_who_did_not_move_in_its_time_and_a_margin(
    seconds: float, found: dict[str, float]
) -> None:
    moves = {"one": Move(at=100, within=7), "slower": Move(at=100, within=70)}
    assert stuck(moves, 100 + seconds) == found


def test_who_ended_need_not_move_again() -> None:
    now = [0.0]
    health = Health(lambda: now[0])
    health.moved("one", within=1)
    now[0] = 100
    assert health.live() == {"status": "stuck", "stuck": {"one": 100}}
    health.gone("one")
    assert health.live() == {"status": "ok"}


class Worker:
    """A consumer of one slot and its probes, by a clock that the test may put forward."""

    def __init__(self, queue: MemoryQueue) -> None:
        self.ahead = 0.0
        self.port = free_port()
        self.health = Health(lambda: time.monotonic() + self.ahead)
        self.queue = queue
        self.consumer = Consumer(
            "ingest", self.queue, self.health, slots=1, visibility_seconds=VISIBILITY_S
        )

    def live(self) -> tuple[int, set[str]]:
        """The status, and who is stuck."""
        status, body = probe(self.port, "live")
        return status, set(body.get("stuck", ()))

    async def becomes(self, *expected: Any) -> None:
        async def is_so() -> bool:
            return await asyncio.to_thread(self.live) == expected

        await eventually(is_so)


@pytest.fixture
def worker() -> Worker:
    return Worker(MemoryQueue())


async def nothing(_: Message) -> None:
    """There is no job."""


@asynccontextmanager
async def running(worker: Worker, handle: Handle = nothing) -> AsyncIterator[None]:
    with serving(worker.health, worker.port, "127.0.0.1"):
        ticking = asyncio.create_task(worker.health.tick())
        consuming = asyncio.create_task(worker.consumer.run(handle, drain_seconds=0))
        try:
            yield
        finally:
            worker.consumer.stop()
            await consuming
            ticking.cancel()


@asynccontextmanager
async def at_work(worker: Worker, handle: Handle) -> AsyncIterator[None]:
    """The block begins once a message is being handled."""
    began = asyncio.Event()

    async def handled(message: Message) -> None:
        began.set()
        await handle(message)

    await worker.queue.send("a job")
    async with running(worker, handled):
        await asyncio.wait_for(began.wait(), 10)
        yield


async def test_a_loop_that_is_blocked_is_not_alive_until_it_turns_again(worker: Worker) -> None:
    seen = []

    async def blocks(_: Message) -> None:
        seen.append(worker.live())  # keeps the loop for itself until it is answered
        worker.ahead += TICK_S + MARGIN_S + 1
        seen.append(worker.live())

    async with at_work(worker, blocks):
        await worker.becomes(200, set())
    assert seen == [(200, set()), (503, {LOOP})]


async def test_a_job_that_nobody_extends_is_not_alive_and_says_which_slot(worker: Worker) -> None:
    async def hangs(_: Message) -> None:
        await asyncio.Event().wait()

    async with at_work(worker, hangs):
        worker.ahead += VISIBILITY_S + ROUND_S
        await worker.becomes(200, set())
        worker.ahead += MARGIN_S + 1
        await worker.becomes(503, {SLOT})
        _, body = await asyncio.to_thread(probe, worker.port, "live")
        assert body["stuck"][SLOT] > VISIBILITY_S + ROUND_S + MARGIN_S


async def test_a_job_that_is_extended_is_alive_however_long_it_takes(worker: Worker) -> None:
    extend = asyncio.Event()

    async def extended(message: Message) -> None:
        await extend.wait()
        await worker.consumer.extend(message)
        await asyncio.Event().wait()

    async with at_work(worker, extended):
        worker.ahead += VISIBILITY_S + ROUND_S + MARGIN_S + 1
        await worker.becomes(503, {SLOT})
        extend.set()
        await worker.becomes(200, set())


class Silent(MemoryQueue):
    def __init__(self) -> None:
        super().__init__()
        self.polled = asyncio.Event()

    async def receive(self, **how: Any) -> Sequence[Message]:
        self.polled.set()
        await asyncio.Event().wait()
        return await super().receive(**how)


async def test_a_poll_that_never_ends_is_not_alive() -> None:
    queue = Silent()
    worker = Worker(queue)
    async with running(worker):
        await asyncio.wait_for(queue.polled.wait(), 10)
        worker.ahead += ROUND_S
        await worker.becomes(200, set())
        worker.ahead += MARGIN_S + 1
        await worker.becomes(503, {SLOT})


class Down(MemoryQueue):
    async def receive(self, **how: Any) -> Sequence[Message]:  # noqa: ARG002
        raise Unavailable


async def test_each_poll_that_fails_is_a_sign_of_life() -> None:
    worker = Worker(Down())
    async with running(worker):
        await worker.becomes(200, set())
        worker.ahead += ROUND_S + MARGIN_S + 1
        await worker.becomes(200, set())


def test_metrics_are_served_beside_the_probes(worker: Worker) -> None:
    with serving(worker.health, worker.port, "127.0.0.1"):
        assert probe(worker.port, "ready") == (503, {"status": "starting"})
        with urlopen(f"http://127.0.0.1:{worker.port}/metrics", timeout=5) as answer:
            assert b"mediaplatform_worker_jobs_total" in answer.read()
