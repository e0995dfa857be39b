"""How many messages wait, for every resource: the figures that autoscaling goes by."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import structlog

from mediaplatform.errors import MediaPlatformError
from mediaplatform_operator.cluster.objects import Object
from mediaplatform_operator.configuration import Configuration
from mediaplatform_operator.reconcile.aws import Aws
from mediaplatform_operator.reconcile.reconcile import effective
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

    async def watch(self, thing: Object) -> None:
        """Count this resource's messages until cancelled."""
        meta = thing["metadata"]
        namespace, name, uid = meta["namespace"], meta["name"], meta["uid"]
        names: Names | None = None
        try:
            resource = effective(parse(thing), self.configuration)
            while True:
                try:
                    if names is None:
                        names = (await self.aws.wanted(resource, uid=uid)).names
                    for queue, depth in (await self.aws.depths(resource, names)).items():
                        busy = depth.visible + depth.in_flight + depth.delayed
                        self.metrics.counted(
                            namespace, name, queue, depth, self._waited(uid, queue, busy=busy > 0)
                        )
                    self._silent.discard(uid)
                except MediaPlatformError as fault:
                    self.metrics.uncounted(namespace, name)
                    if uid not in self._silent:  # said once, not every few seconds
                        self._silent.add(uid)
                        log.warning(
                            "not counted", resource=f"{namespace}/{name}", why=fault.message
                        )
                await asyncio.sleep(EVERY_S)
        finally:
            self.metrics.uncounted(namespace, name)

    def _waited(self, uid: str, queue: str, *, busy: bool) -> float:
        now = time.monotonic()
        since = self._empty_at.setdefault((uid, queue), now)
        if busy:
            return now - since
        self._empty_at[uid, queue] = now
        return 0.0
