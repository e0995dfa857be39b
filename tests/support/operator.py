"""An operator without a cluster: real emulator, database and Redis, and Kubernetes in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from mediaplatform_operator.cluster.fake import FakeCluster
from mediaplatform_operator.cluster.nodes import ZONE
from mediaplatform_operator.cluster.objects import Object, encoded
from mediaplatform_operator.reconcile.conditions import Condition
from mediaplatform_operator.reconcile.parts import Memory, Parts
from mediaplatform_operator.reconcile.reconcile import Pass
from mediaplatform_operator.reconcile.report import Report

GROUP = "mediaplatform.io/v1alpha1"
NAMESPACE = "photos"


@dataclass
class Operated:
    """One resource, and passes over it. The services and Jobs do what a cluster would."""

    parts: Parts
    cluster: FakeCluster
    thing: Object
    memory: Memory = field(default_factory=Memory)

    async def run(self) -> Report:
        return await Pass(self.parts, self.thing, self.memory).run()

    async def until_ready(self) -> Report:
        """As many passes as it takes, with what controllers do in between; at most ten."""
        for _ in range(10):
            report = await self.run()
            if report.is_ready():
                return report
            self.control()
        raise AssertionError(f"not ready: {report.conditions}")

    def control(self) -> None:
        """What the controllers of Jobs and Deployments write."""
        for thing in self.cluster:
            if thing["kind"] == "Job":
                self.cluster.put(
                    {**thing, "status": {"conditions": [{"type": "Complete", "status": "True"}]}}
                )
            if thing["kind"] == "Deployment":
                wanted = thing["spec"].setdefault("replicas", 2)  # by the autoscaler
                counts = ("replicas", "updatedReplicas", "availableReplicas")
                seen = {"observedGeneration": thing["metadata"]["generation"]}
                self.cluster.put({**thing, "status": {**dict.fromkeys(counts, wanted), **seen}})

    def nodes(self, *zones: str) -> None:
        """A node in each of these zones, of the zone's name."""
        for zone in zones:
            meta = {"name": zone, "labels": {ZONE: zone}}
            self.cluster.put({"apiVersion": "v1", "kind": "Node", "metadata": meta})

    def pods(self, component: str, *nodes: str) -> None:
        """A pod of the component on each of these nodes."""
        deployment = self.find("Deployment", f"{self.thing['metadata']['name']}-{component}")
        for number, node in enumerate(nodes):
            meta = {
                "name": f"{component}-{number}",
                "namespace": NAMESPACE,
                "labels": deployment["spec"]["template"]["metadata"]["labels"],
            }
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"nodeName": node}}
            # The first of them has an address where something may listen.
            status = {"phase": "Running", "podIP": f"127.0.0.{1 + number}"}
            self.cluster.put({**pod, "status": status})

    def change(self, **spec: Any) -> None:
        self.thing = {**self.thing, "spec": {**self.thing["spec"], **spec}}
        self.thing["metadata"]["generation"] += 1

    def find(self, kind: str, name: str) -> Object:
        [found] = [
            thing for thing in self.cluster
            if (thing["kind"], thing["metadata"]["name"]) == (kind, name)
        ]  # fmt: skip
        return found


def operated(parts: Parts, thing: Object, *secrets: Object) -> Operated:
    assert isinstance(parts.cluster, FakeCluster)
    for held in secrets:
        parts.cluster.put(held)
    return Operated(parts, parts.cluster, thing)


def resource(**spec: Any) -> Object:
    """Of a name nobody else has: the tests share one emulator."""
    uid = str(uuid4())
    meta = {"name": f"p{uid[:8]}", "namespace": NAMESPACE, "uid": uid, "generation": 1}
    return {"apiVersion": GROUP, "kind": "MediaPlatform", "metadata": meta, "spec": spec}


def secret(name: str, **values: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "data": encoded(values),
    }


def condition(report: Report, kind: str) -> Condition:
    return report.ready if kind == "Ready" else report.conditions[kind]
