"""Care for the pods of a resource's services, in passes over it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest
from prometheus_client import CollectorRegistry, Gauge, start_http_server
from tests.support.operator import Operated

from mediaplatform_operator.cluster.objects import Key
from mediaplatform_operator.reconcile.busy import COST
from mediaplatform_operator.reconcile.jobs import METRIC, oldest_jobs
from mediaplatform_operator.reconcile.parts import Memory
from mediaplatform_operator.reconcile.spread import LASTING

pytestmark = pytest.mark.anyio


async def test_pods_that_crowd_in_two_zones_are_spread_again_once(platform: Operated) -> None:
    platform.nodes("a", "b", "c")
    await platform.until_ready()
    name = f"{platform.thing['metadata']['name']}-api"
    platform.pods("api", "b", "b")
    platform.control()
    report = await platform.run()
    assert (report.restless, report.done) == (True, [])
    platform.memory.uneven.since[Key("Deployment", name)] -= LASTING
    report = await platform.run()
    [change] = report.done
    assert (change.name, change.setting, change.before) == (name, "zones", {"a": 0, "b": 2, "c": 0})
    assert report.drift == []
    platform.control()
    platform.cluster.writes.clear()
    platform.memory = Memory()
    report = await platform.until_ready()
    assert (report.restless, report.done) == (False, [])
    assert platform.cluster.writes == []


async def test_a_worker_with_a_long_job_is_marked_to_go_last(platform: Operated) -> None:
    await platform.until_ready()
    scaled = platform.find("Deployment", f"{platform.thing['metadata']['name']}-ingest")
    scaled["spec"]["replicas"] = 3
    platform.cluster.put(scaled)
    platform.control()
    platform.pods("ingest", "a", "b")
    with working(seconds=25) as port:
        platform.parts = replace(platform.parts, oldest_jobs=partial(oldest_jobs, port=port))
        for _ in range(2):
            report = await platform.run()
            assert (report.restless, report.done) == (True, [])
    answers, silent = (platform.find("Pod", f"ingest-{number}") for number in (0, 1))
    assert answers["metadata"]["annotations"] == {COST: "20"}
    assert "annotations" not in silent["metadata"]
    assert platform.cluster.writes[-1] == ("apply", "Pod", "ingest-0")
    assert platform.cluster.writes.count(("apply", "Pod", "ingest-0")) == 1


@pytest.mark.parametrize("available", [3, 1])
async def test_a_pass_lists_the_pods_once_whatever_it_needs_them_for(
    platform: Operated, available: int
) -> None:
    await platform.until_ready()
    scaled = platform.find("Deployment", f"{platform.thing['metadata']['name']}-ingest")
    scaled["spec"]["replicas"] = 3
    scaled["status"]["availableReplicas"] = available
    platform.cluster.put(scaled)
    platform.cluster.lists.clear()
    report = await platform.run()
    assert (report.restless, report.is_ready()) == (True, available == 3)
    assert platform.cluster.lists.count("Pod") == 1


@contextmanager
def working(*, seconds: float) -> Iterator[int]:
    """A worker's metrics on a port of this machine."""
    registry = CollectorRegistry()
    Gauge(METRIC, "as a worker has it", ["queue"], registry=registry).labels("ingest").set(seconds)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
