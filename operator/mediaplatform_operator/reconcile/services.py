"""How far the services are, read from their Deployments, their Job and their pods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from mediaplatform_operator.cluster.objects import COMPONENT, Object, is_seen
from mediaplatform_operator.reconcile.conditions import Condition, progressing

STUCK = frozenset(
    {"ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName",
     "CrashLoopBackOff", "CreateContainerConfigError", "CreateContainerError"}
)  # fmt: skip


def component_of(thing: Object) -> str:
    return str(thing["metadata"].get("labels", {}).get(COMPONENT, ""))


def migrated(job: Object) -> Condition:
    name = job["metadata"]["name"]
    conditions = {item["type"]: item for item in job.get("status", {}).get("conditions", ())}
    for kind in ("Complete", "SuccessCriteriaMet"):
        if conditions.get(kind, {}).get("status") == "True":
            return Condition("Migrated", "True", "UpToDate", f"Job {name} is done")
    failed = conditions.get("Failed", {})
    if failed.get("status") == "True":
        return Condition(
            "Migrated", "False", "Failed",
            f"Job {name} failed ({failed.get('message', 'no reason given')}): read `kubectl logs "
            f"job/{name}`, put the cause right, and delete the Job to have it run again",
        )  # fmt: skip
    return progressing("Migrated", f"Job {name} runs")


def services(
    deployments: Iterable[Object], least: Mapping[str, int], pods: Iterable[Object]
) -> Condition:
    """`least` holds the replicas that a component needs to count as whole."""
    wanted = [(thing, least.get(component_of(thing), 1)) for thing in deployments]
    lacking = [_progress(thing, number) for thing, number in wanted if not _is_whole(thing, number)]
    if not lacking:
        return Condition("ServicesReady", "True", "Available", "every service is available")
    stuck = sorted({hint for pod in pods for hint in _hints(pod)})
    if stuck:
        return Condition("ServicesReady", "False", "PodsFail", "; ".join(stuck[:3]))
    return progressing("ServicesReady", "waits for " + ", ".join(sorted(lacking)))


def starting(condition: str, name: str, pods: Iterable[Object]) -> Condition:
    """A server of ours in the cluster that does not answer yet."""
    stuck = sorted({hint for pod in pods for hint in _hints(pod)})
    if stuck:
        return Condition(condition, "False", "PodsFail", "; ".join(stuck[:3]))
    return progressing(condition, f"StatefulSet {name} starts")


def replicas(deployments: Iterable[Object]) -> dict[str, str]:
    found = {}
    for thing in deployments:
        status = thing.get("status", {})
        wanted = thing["spec"].get("replicas", 1)
        found[component_of(thing)] = f"{status.get('availableReplicas', 0)}/{wanted}"
    return {name: found[name] for name in ("api", "ingest", "render") if name in found}


def _is_whole(thing: Object, least: int) -> bool:
    status = thing.get("status", {})
    is_updated = is_seen(thing) and _updated(thing) >= status.get("replicas", 0)
    return is_updated and _available(thing) >= least


def _progress(thing: Object, least: int) -> str:
    wanted = max(least, thing["spec"].get("replicas", 1))
    if _available(thing) < least:
        return f"{component_of(thing)} {_available(thing)} of {wanted}"
    return f"{component_of(thing)} {_updated(thing)} of {wanted} updated"


def _available(thing: Object) -> int:
    return int(thing.get("status", {}).get("availableReplicas", 0))


def _updated(thing: Object) -> int:
    """Pods of the newest template, so far as the Deployment's controller has seen it."""
    return int(thing.get("status", {}).get("updatedReplicas", 0)) if is_seen(thing) else 0


def _hints(pod: Object) -> Iterable[str]:
    for state in pod.get("status", {}).get("containerStatuses", ()):
        waiting = state.get("state", {}).get("waiting", {})
        if waiting.get("reason") in STUCK:
            said = waiting.get("message", "").split("\n")[0][:160]
            yield f"pod {pod['metadata']['name']}: {waiting['reason']} {said}".strip()
    for item in pod.get("status", {}).get("conditions", ()):
        if item["type"] == "PodScheduled" and item["status"] == "False":
            said = item.get("message", "")[:160]
            yield f"pod {pod['metadata']['name']}: {item.get('reason')} {said}".strip()
