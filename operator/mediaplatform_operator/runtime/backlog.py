"""How many messages wait, for every resource: the figures that autoscaling goes by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from mediaplatform.errors import MediaPlatformError
from mediaplatform_operator.cluster.objects import Object
from mediaplatform_operator.configuration import Configuration
from mediaplatform_operator.reconcile.aws import Aws
from mediaplatform_operator.reconcile.parts import effective
from mediaplatform_operator.resource.load import parse
from mediaplatform_operator.runtime.metrics import Metrics
from mediaplatform_operator.wiring.names import Names

EVERY_S = 5.0
log = structlog.get_logger()


@dataclass
class Backlog:
    aws: Aws
    configuration: Configuration
    metrics: Metrics
    _empty_at: dict[tuple[str, str], float] = field(default_factory=dict)
    _silent: set[str] = field(default_factory=set)
    _waiting: dict[str, int] = field(default_factory=dict)
    _names: dict[str, Names] = field(default_factory=dict)

    def of(self, uid: str) -> int | None:
        """Messages that wait or are worked on, as last counted; None where nobody could count."""
        return self._waiting.get(uid)

    async def watch(self, current: Callable[[], Object]) -> None:
        """Count this resource's messages until cancelled."""
        meta = current()["metadata"]
        namespace, name, uid = meta["namespace"], meta["name"], meta["uid"]
        try:
            while True:
                try:
                    await self._count(current(), namespace, name, uid)
                    self._silent.discard(uid)
                except Exception as fault:
                    self._forget(namespace, name, uid)
                    if uid not in self._silent:  # said once, not every few seconds
                        self._silent.add(uid)
                        ours = isinstance(fault, MediaPlatformError)
                        log.warning("not counted", resource=f"{namespace}/{name}", why=str(fault),
                                    exc_info=not ours)  # fmt: skip
                await asyncio.sleep(EVERY_S)
        finally:
            self._forget(namespace, name, uid)

    async def _count(self, thing: Object, namespace: str, name: str, uid: str) -> None:
        resource = effective(parse(thing), self.configuration)
        if resource.spec.paused or resource.spec.mode == "Observe":
            self._forget(namespace, name, uid)
            return
        if uid not in self._names:
            self._names[uid] = (await self.aws.wanted(resource, uid=uid)).names
        depths = await self.aws.depths(resource, self._names[uid])
        for queue, depth in depths.items():
            waited = self._waited(uid, queue, busy=depth.visible + depth.in_flight > 0)
            self.metrics.counted(namespace, name, queue, depth, waited)
        working = [depth for queue, depth in depths.items() if not queue.endswith("-dead")]
        self._waiting[uid] = sum(depth.visible + depth.in_flight for depth in working)

    def _forget(self, namespace: str, name: str, uid: str) -> None:
        self._waiting.pop(uid, None)
        self.metrics.uncounted(namespace, name)

    def _waited(self, uid: str, queue: str, *, busy: bool) -> float:
        now = time.monotonic()
        since = self._empty_at.setdefault((uid, queue), now)
        if busy:
            return now - since
        self._empty_at[uid, queue] = now
        return 0.0
