"""Whether a Deployment's pods are still even over the zones, and what makes them so again.

The scheduler places a pod and never moves it: once a lost zone is back, every pod stays where it
is. A rolling restart has them placed anew, and keeps each pod until its successor is ready. It is
done only where zones are DoNotSchedule, because there the scheduler is bound to even them out.
https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from mediaplatform_operator.cluster.keep import Edit
from mediaplatform_operator.cluster.nodes import ZONE, Node
from mediaplatform_operator.cluster.objects import DEPLOYMENT, Key, Object, is_seen
from mediaplatform_operator.wiring.model import Change

MARK = "mediaplatform.io/spread-at"  # on the pods' template, when they were placed anew
LASTING = timedelta(seconds=30)  # what evens out by itself, as while replicas change, is left alone
AGAIN = timedelta(hours=1)


@dataclass
class Uneven:
    """Since when which of a resource's Deployments have not been even."""

    since: dict[Key, datetime] = field(default_factory=dict)
    even: object = None  # what was found even, and need not be looked at again
    is_to_end: bool = False  # by a restart, once it has lasted

    def is_known(self, things: Sequence[Object], nodes: Sequence[Node]) -> bool:
        """Whether nothing changed since all of them were even."""
        return self.even == _state(things, nodes)

    def due(
        self, things: Sequence[Object], pods: Sequence[Object], nodes: Sequence[Node], now: datetime
    ) -> dict[Key, dict[str, int]]:
        """The Deployments to restart, with their pods by zone."""
        zones = {Key.of(thing): uneven(thing, pods, nodes) for thing in things}
        self.since = {key: self.since.get(key, now) for key, found in zones.items() if found}
        self.even = None if self.since else _state(things, nodes)
        may = {Key.of(thing) for thing in things if _may_restart(thing, now)} & self.since.keys()
        self.is_to_end = bool(may)
        return {key: zones[key] for key in may if now - self.since[key] >= LASTING}


def uneven(thing: Object, pods: Iterable[Object], nodes: Iterable[Node]) -> dict[str, int]:
    """Pods by zone where one zone has at least two more than another; else nothing.

    Nothing is said of a Deployment that is not whole or not bound to be even.
    """
    spec = thing["spec"]["template"]["spec"]
    if not _is_bound(spec) or not _is_settled(thing):
        return {}
    zones = {node.name: node.zone for node in nodes if node.zone and node.takes(spec)}
    found = Counter(dict.fromkeys(filter(None, zones.values()), 0))
    wanted = thing["spec"]["selector"]["matchLabels"].items()
    for pod in pods:
        meta, zone = pod["metadata"], zones.get(pod["spec"].get("nodeName", ""))
        if zone and "deletionTimestamp" not in meta and wanted <= meta.get("labels", {}).items():
            found[zone] += 1
    is_even = not found or max(found.values()) - min(found.values()) < 2
    return {} if is_even else dict(sorted(found.items()))


def restart(wish: Object, zones: Mapping[str, int], at: datetime) -> Edit:
    """A rolling restart of the Deployment, told as a change of ours."""
    why = "its pods are not even over the zones"
    change = Change(wish["kind"], wish["metadata"]["name"], "zones", why, dict(zones), "even")
    return Edit(marked(wish, at.isoformat(timespec="seconds")), (change,), ours=True)


def kept(wish: Object, live: Mapping[Key, Object]) -> Object:
    """The wish with the mark that its Deployment has: without it, its pods would be restarted."""
    there = live.get(Key.of(wish))
    mark = _mark(there) if there and wish["kind"] == DEPLOYMENT.name else ""
    return marked(wish, mark) if mark else wish


def marked(wish: Object, mark: str) -> Object:
    """The same Deployment, to be restarted unless it is marked so already."""
    template = wish["spec"]["template"]
    meta = template["metadata"]
    meta = {**meta, "annotations": {**meta.get("annotations", {}), MARK: mark}}
    return {**wish, "spec": {**wish["spec"], "template": {**template, "metadata": meta}}}


def _mark(thing: Object) -> str:
    return str(thing["spec"]["template"]["metadata"].get("annotations", {}).get(MARK, ""))


def _may_restart(thing: Object, now: datetime) -> bool:
    try:
        at = datetime.fromisoformat(_mark(thing))
    except ValueError:  # never restarted, or edited by hand
        return True
    return now - at.astimezone(UTC) >= AGAIN


def _state(things: Sequence[Object], nodes: Sequence[Node]) -> object:
    return [thing["metadata"]["resourceVersion"] for thing in things], nodes


def _is_bound(spec: Object) -> bool:
    return any(
        (item["topologyKey"], item["whenUnsatisfiable"]) == (ZONE, "DoNotSchedule")
        for item in spec.get("topologySpreadConstraints", ())
    )


def _is_settled(thing: Object) -> bool:
    """As many pods as wanted, all of them available and of the newest template."""
    status, wanted = thing.get("status", {}), thing["spec"].get("replicas", 1)
    counts = ("replicas", "updatedReplicas", "availableReplicas")
    return is_seen(thing) and all(status.get(name, 0) == wanted for name in counts)
