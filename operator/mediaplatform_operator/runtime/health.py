"""Probes that tell the truth: alive means that the loop turns and the watch tells of changes."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from mediaplatform.errors import MediaPlatformError
from mediaplatform_operator.cluster.objects import PLATFORM
from mediaplatform_operator.cluster.port import Cluster
from mediaplatform_operator.runtime.metrics import Metrics

LOOK_S = 20.0
STALE_S = 120.0  # kopf itself reconnects a silent watch after 70
log = structlog.get_logger()


@dataclass
class Health:
    """Compares what a list shows with what the watch told."""

    cluster: Cluster
    namespaces: tuple[str, ...]
    metrics: Metrics
    _told: dict[str, str] = field(default_factory=dict)  # UID to resourceVersion
    _unseen: dict[str, float] = field(default_factory=dict)  # UID to since when

    def told(self, uid: str, version: str) -> None:
        self._told[uid] = version
        self._unseen.pop(uid, None)

    def lag(self) -> float:
        """Seconds for which the watch has been behind; 0 where it is not."""
        now = time.monotonic()
        return max((now - since for since in self._unseen.values()), default=0.0)

    async def watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._compare()
            except MediaPlatformError as fault:
                log.warning("health not compared", why=fault.message)
            self.metrics.watch_lag.set(self.lag())

    async def _compare(self) -> None:
        listed = {}
        for namespace in self.namespaces or (None,):
            for thing in await self.cluster.list(PLATFORM, namespace):
                listed[thing["metadata"]["uid"]] = thing["metadata"]["resourceVersion"]
        for uid in set(self._told) - set(listed):
            del self._told[uid]
        behind = {uid for uid, version in listed.items() if self._told.get(uid) != version}
        now = time.monotonic()
        self._unseen = {uid: self._unseen.get(uid, now) for uid in behind}

    async def serve(self, port: int) -> web.AppRunner:
        """`/healthz` on this port, until the runner is cleaned up."""
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, port=port).start()
        return runner

    async def _healthz(self, _request: web.Request) -> web.Response:
        lag = self.lag()
        if lag > STALE_S:
            return web.Response(status=503, text=f"the watch has been silent for {lag:.0f} s")
        return web.Response(text="ok")
