"""The nodes of a cluster and their zones, read once in a while for all resources."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from mediaplatform.errors import NotAllowed
from mediaplatform_operator.cluster.objects import NODE, Object
from mediaplatform_operator.cluster.port import Cluster

ZONE = "topology.kubernetes.io/zone"
FRESH_S = 30.0
log = structlog.get_logger()


@dataclass(frozen=True)
class Node:
    name: str
    labels: Mapping[str, str]
    taints: tuple[Mapping[str, str], ...]  # a node that is lost, or closed, is tainted

    @classmethod
    def of(cls, thing: Object) -> Node:
        meta = thing["metadata"]
        taints = thing.get("spec", {}).get("taints") or ()
        return cls(meta["name"], meta.get("labels", {}), tuple(taints))

    @property
    def zone(self) -> str | None:
        return self.labels.get(ZONE)

    def takes(self, pod: Object) -> bool:
        """Whether new pods of this spec may come here, as far as labels and taints say.

        https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
        """
        wanted = (pod.get("nodeSelector") or {}).items()
        held = [taint for taint in self.taints if taint["effect"] != "PreferNoSchedule"]
        tolerations = pod.get("tolerations") or ()
        return wanted <= self.labels.items() and all(
            any(_tolerates(one, taint) for one in tolerations) for taint in held
        )


class Nodes:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._found: tuple[Node, ...] = ()
        self._read_at = -FRESH_S
        self._one_at_a_time = asyncio.Lock()

    async def all(self) -> tuple[Node, ...]:
        """As they were less than FRESH_S ago; none where the operator may not list nodes."""
        async with self._one_at_a_time:
            if time.monotonic() - self._read_at >= FRESH_S:
                self._found = tuple(Node.of(thing) for thing in await self._list())
                self._read_at = time.monotonic()
            return self._found

    async def _list(self) -> Iterable[Object]:
        try:
            return await self._cluster.list(NODE, None)
        except NotAllowed as fault:
            log.debug("zones are not looked at", why=fault.message)
            return ()


def _tolerates(toleration: Mapping[str, str], taint: Mapping[str, str]) -> bool:
    if toleration.get("effect", taint["effect"]) != taint["effect"]:
        return False
    exists = toleration.get("operator") == "Exists"
    if "key" not in toleration:
        return exists
    same_value = exists or toleration.get("value", "") == taint.get("value", "")
    return toleration["key"] == taint["key"] and same_value
