"""The operator's process: clients, probes, metrics, and kopf under the Lease."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
from contextlib import AsyncExitStack, suppress
from typing import Any, cast

import kopf
import structlog
from kopf._core.engines import posting
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient
from prometheus_client import CollectorRegistry, ProcessCollector, start_http_server

from mediaplatform_operator.cluster.adapter import ApiServer
from mediaplatform_operator.cluster.nodes import Nodes
from mediaplatform_operator.cluster.objects import Object
from mediaplatform_operator.configuration import Configuration
from mediaplatform_operator.reconcile.aws import Aws
from mediaplatform_operator.reconcile.backends import RealBackends
from mediaplatform_operator.reconcile.parts import Parts
from mediaplatform_operator.release.chart import Chart
from mediaplatform_operator.runtime.backlog import Backlog
from mediaplatform_operator.runtime.handlers import registry, settings
from mediaplatform_operator.runtime.health import Health
from mediaplatform_operator.runtime.lease import under_lease
from mediaplatform_operator.runtime.metrics import Metrics
from mediaplatform_operator.runtime.platforms import Platforms

HEALTH_PORT, METRICS_PORT = 8081, 9090
# What the API server answers to an event for a namespace that is going, and for one that is gone.
LAST_EVENT = re.compile(r'because it is being terminated|namespaces "[^"]+" not found')
log = structlog.get_logger()


async def run(configuration: Configuration) -> None:
    """Until SIGTERM, or until the Lease is lost: whoever starts processes starts another."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    mute_last_events()
    await _connect()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(ApiClient())
        cluster = ApiServer(client)
        collected = CollectorRegistry()
        ProcessCollector(registry=collected)
        metrics = Metrics(collected)
        server, _ = start_http_server(METRICS_PORT, registry=collected)
        stack.callback(server.shutdown)
        health = Health(cluster, configuration.namespaces, metrics)
        runner = await health.serve(HEALTH_PORT)
        stack.push_async_callback(runner.cleanup)
        aws = Aws()
        stack.callback(aws.close)
        chart = Chart(configuration.chart)
        parts = Parts(cluster, aws, RealBackends(), chart, configuration, Nodes(cluster))

        leads = asyncio.Event()

        async def lead() -> None:
            leads.set()
            metrics.leads.set(1)
            await _lead(parts, metrics, health, stop)

        acting = asyncio.create_task(
            under_lease(
                client, namespace=configuration.namespace, identity=configuration.pod, lead=lead
            )
        )
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait((acting, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not leads.is_set():  # kopf has its own way to stop
            acting.cancel()
        with suppress(asyncio.CancelledError):
            await acting


async def _lead(parts: Parts, metrics: Metrics, health: Health, stop: asyncio.Event) -> None:
    backlog = Backlog(parts.aws, parts.configuration, metrics)
    platforms = Platforms(parts, metrics, _say, backlog.of)
    watching = asyncio.create_task(health.watch())
    try:
        await kopf.operator(
            registry=registry(platforms, backlog, health),
            settings=settings(),
            standalone=True,
            clusterwide=not parts.configuration.namespaces,
            namespaces=parts.configuration.namespaces,
            stop_flag=stop,
            identity=cast("Any", parts.configuration.pod),  # else kopf asks for a user's name
        )
    finally:
        watching.cancel()


async def _connect() -> None:
    try:
        config.load_incluster_config()  # type: ignore[no-untyped-call]
    except config.ConfigException:
        await config.load_kube_config()  # type: ignore[no-untyped-call]


def mute_last_events() -> None:
    """A namespace that is being deleted takes no events, and kopf logs faults for each."""
    logger = logging.getLogger(posting.__name__)
    logger.addFilter(lambda record: not LAST_EVENT.search(record.getMessage()))


def _say(thing: Object, kind: str, reason: str, message: str) -> None:
    kopf.event(kopf.Body(cast("Any", thing)), type=kind, reason=reason, message=message[:1000])
