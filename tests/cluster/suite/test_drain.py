"""Two nodes are drained at once, under load: the budget holds, and nobody notices."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.cluster.kubectl import Kubectl
from tests.cluster.run import until
from tests.cluster.suite.load import RATE, Load, serving
from tests.cluster.suite.product import Platform, Product
from tests.cluster.suite.zones import CLOUD, nodes, ready, skew

pytestmark = pytest.mark.load

PODS = 3
LEAST = PODS - 1  # the budget lets one go at a time
DRAIN_S = 240
SETTLED_S = 120
SPREAD_S = 60


def test_draining_two_nodes_keeps_the_budget_and_fails_no_request(product: Product) -> None:
    kubectl = product.kubectl
    leaving = [node for node, zone in nodes(kubectl).items() if zone != CLOUD]
    api = {"replicas": {"min": PODS}}
    with serving(product, api=api) as platform, Load(platform.host) as load:
        until(
            lambda: len(platform.pods("api")) == PODS and skew(kubectl, platform, "api") == 0,
            seconds=SPREAD_S, what="not spread over three zones",
        )  # fmt: skip
        with available(platform) as seen, load.running():
            until(lambda: len(load.ids) > 3, seconds=30, what="no upload succeeds")
            began = time.monotonic()
            with uncordoned(kubectl, leaving):
                with ThreadPoolExecutor(len(leaving)) as pool:
                    list(pool.map(lambda node: drain(kubectl, node), leaving))
                left = ready(platform, "api")
                took = time.monotonic() - began
        print(f"drained in {took:.0f} s, available {seen}: {load}")
        assert not set(left) & set(leaving)
        assert min(seen) == LEAST
        assert load.rate > 0.95 * RATE
        assert load.failed == []
        assert (load.faults, load.lost) == ([], [])
        assert load.settle(seconds=SETTLED_S) == {"ready": len(load.ids)}


def drain(kubectl: Kubectl, node: str) -> None:
    kubectl(
        "drain", node, "--ignore-daemonsets", "--delete-emptydir-data",
        f"--timeout={DRAIN_S}s", timeout=DRAIN_S + 10,
    )  # fmt: skip


@contextmanager
def uncordoned(kubectl: Kubectl, names: list[str]) -> Iterator[None]:
    try:
        yield
    finally:
        kubectl("uncordon", *names)


@contextmanager
def available(platform: Platform) -> Iterator[list[int]]:
    """How many API pods are available, at every change; complete when the block ends."""
    seen: list[int] = []
    kubectl = platform.kubectl
    watch = subprocess.Popen(
        [kubectl.program, "--kubeconfig", kubectl.kubeconfig, "--namespace", platform.name, "get",
         f"deployment/{platform.name}-api", "--watch", "--output",
         'jsonpath={.status.availableReplicas}{"\\n"}'],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield seen
    finally:
        watch.terminate()
        said, _ = watch.communicate(timeout=10)
        seen += [int(line or 0) for line in said.splitlines()]
