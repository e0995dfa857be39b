"""Nodes and their zones: who runs where, and how a zone is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.cluster import engine
from tests.cluster.engine import Docker
from tests.cluster.kubectl import Kubectl
from tests.cluster.layout import NAME
from tests.cluster.run import ClusterError, until
from tests.cluster.suite.product import Platform

BACK_S = 180
CLOUD = "zone-c"  # has what stands for AWS, which loses no zone with ours
BOTH = ("api", "ingest")


def nodes(kubectl: Kubectl) -> dict[str, str]:
    """The zone of each node that runs pods."""
    return {
        node["metadata"]["name"]: node["metadata"]["labels"]["topology.kubernetes.io/zone"]
        for node in kubectl.get("nodes", "-l", "topology.kubernetes.io/zone")["items"]
    }


def ready(platform: Platform, component: str) -> Counter[str]:
    """How many of a component's pods are ready on which node."""
    return Counter(
        pod["spec"]["nodeName"]
        for pod in platform.pods(component)
        for item in pod["status"].get("conditions", ())
        if (item["type"], item["status"]) == ("Ready", "True")
    )


def skew(kubectl: Kubectl, platform: Platform, component: str) -> int:
    """How many more of a component's ready pods the fullest zone has than the emptiest."""
    found = ready(platform, component)
    zones: Counter[str] = Counter()
    for node, zone in nodes(kubectl).items():
        zones[zone] += found[node]
    return max(zones.values()) - min(zones.values())


@contextmanager
def losable(kubectl: Kubectl, node: str) -> Iterator[Machine]:
    """The machine of a node, which is back and has its ingress when the block ends."""
    machine = Machine(node)
    try:
        yield machine
    finally:
        machine.start()
        wait = ("wait", "--for=condition=Ready", "--timeout", "5s")
        until(
            lambda: kubectl.says_yes(*wait, f"node/{node}"), seconds=BACK_S,
            what=f"{node} does not come back",
        )  # fmt: skip
        kubectl("rollout", "status", "-n", "ingress", "daemonset/traefik", "--timeout=120s",
                timeout=125)  # fmt: skip


class Machine:
    """The container that is a node, with all of its zone."""

    def __init__(self, node: str) -> None:
        self._docker = docker()
        self._name = next(
            name for name in (f"{NAME}-{node}", node) if self._docker.exists("container", name)
        )

    def kill(self) -> None:
        self._docker("kill", self._name)

    def start(self) -> None:
        self._docker("start", self._name)


def docker() -> Docker:
    found = engine.find()
    if found is None:
        raise ClusterError("Docker does not answer")
    return found
