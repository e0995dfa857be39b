"""Which workers are to be the last to go when replicas are taken away: those with a long job.

Of a ReplicaSet's ready pods the one of the least deletion cost goes first. The cost grows in steps
that double, so that even a job of hours costs few writes.
https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from mediaplatform_operator.cluster.objects import Object
from mediaplatform_operator.reconcile.services import component_of

COST = "controller.kubernetes.io/pod-deletion-cost"
SHORT_S = 10  # what is done sooner ends while its worker stops


def cost(seconds: float) -> int:
    """Of a worker whose oldest job has run so long: 0, then 10, 20, 40, 80 ..."""
    steps = int(seconds // SHORT_S).bit_length()
    return SHORT_S << (steps - 1) if steps else 0


def may_shrink(deployments: Iterable[Object], least: Mapping[str, int]) -> frozenset[str]:
    """The components of `least` that have more replicas than that."""
    found = {component_of(thing): thing["spec"].get("replicas", 1) for thing in deployments}
    return frozenset(name for name in least.keys() & found if found[name] > least[name])


def workers(pods: Iterable[Object], components: frozenset[str]) -> dict[str, Object]:
    """The pods of these components that can be asked, by address."""
    return {
        pod["status"]["podIP"]: pod
        for pod in pods
        if component_of(pod) in components
        and "deletionTimestamp" not in pod["metadata"]
        and pod.get("status", {}).get("phase") == "Running"
        and "podIP" in pod["status"]
    }


def marks(asked: Mapping[str, Object], ages: Mapping[str, float]) -> Iterator[Object]:
    """What to apply to the pods whose cost is another by now; who did not answer keeps it."""
    for address, pod in asked.items():
        meta = pod["metadata"]
        now = str(cost(ages[address])) if address in ages else None
        if now is None or now == meta.get("annotations", {}).get(COST, "0"):
            continue
        named = {name: meta[name] for name in ("name", "namespace", "uid")}
        yield {
            "apiVersion": "v1", "kind": "Pod", "metadata": {**named, "annotations": {COST: now}},
        }  # fmt: skip
