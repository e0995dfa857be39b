from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from tests.support.operator import resource

from mediaplatform_operator.configuration import Configuration
from mediaplatform_operator.reconcile.aws import Aws
from mediaplatform_operator.runtime import backlog
from mediaplatform_operator.runtime.metrics import Metrics
from mediaplatform_operator.wiring.queues import Depth

pytestmark = pytest.mark.anyio


class Surprising(Aws):
    """Answers at first what nobody foresaw."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.answered = asyncio.Event()

    async def wanted(self, *_: Any, **__: Any) -> Any:
        return SimpleNamespace(names=None)

    async def depths(self, *_: Any) -> Any:
        self.asked += 1
        if self.asked == 3:
            self.answered.set()
        return {"ingest": Depth(visible=3, in_flight=1, delayed=0)} if self.asked > 1 else None


async def test_counting_goes_on_after_a_fault_that_nobody_foresaw(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(backlog, "EVERY_S", 0)
    thing = resource(host="photos.example.com")
    uid = thing["metadata"]["uid"]
    aws, metrics = Surprising(), Metrics(CollectorRegistry())
    counting = backlog.Backlog(aws, Configuration(), metrics)
    task = asyncio.create_task(counting.watch(lambda: thing))
    async with asyncio.timeout(5):
        await aws.answered.wait()
    assert counting.of(uid) == 4
    task.cancel()
    aws.close()
