"""What becomes of AWS's side when a resource is deleted; Kubernetes collects its own."""

from __future__ import annotations

from mediaplatform.errors import InvalidInput
from mediaplatform_operator.cluster.keep import owned_objects
from mediaplatform_operator.cluster.objects import DEPLOYMENT, Kind, Object, kind_of
from mediaplatform_operator.reconcile.reconcile import Parts, effective
from mediaplatform_operator.reconcile.services import COMPONENT
from mediaplatform_operator.release.values import USERS
from mediaplatform_operator.resource.load import parse

POD = Kind("v1", "Pod", "pods")


async def remove(parts: Parts, thing: Object) -> str:
    """Delete what the deletion policy says; answers what it still waits for, or nothing.

    Raises Conflict where the policy forbids to go on, NotAllowed, Throttled or Unavailable. Safe to
    call again after any of them. A resource that cannot be read keeps everything.
    """
    try:
        resource = effective(parse(thing), parts.configuration)
    except InvalidInput:
        return ""
    if resource.spec.mode == "Observe":
        return ""
    uid = thing["metadata"]["uid"]
    if resource.spec.storage.deletion == "DeleteWithData":
        busy = await _stop_writers(parts, thing)
        if busy:
            return busy
    await parts.aws.unwire(resource, uid=uid)
    if parts.configuration.aws_identities == "Users":
        wants = await parts.aws.wanted(resource, uid=uid)
        await parts.aws.delete_users(resource, wants.names)
    return ""


async def _stop_writers(parts: Parts, thing: Object) -> str:
    """Who still writes would fill a bucket while it is emptied."""
    meta = thing["metadata"]
    for owned in (await owned_objects(parts.cluster, thing)).values():
        if owned["kind"] == DEPLOYMENT.name and "deletionTimestamp" not in owned["metadata"]:
            name, uid = owned["metadata"]["name"], owned["metadata"]["uid"]
            await parts.cluster.delete(kind_of(owned), meta["namespace"], name, uid=uid)
    labels = f"app.kubernetes.io/instance={meta['name']},{COMPONENT} in ({','.join(USERS)})"
    pods = await parts.cluster.list(POD, meta["namespace"], labels)
    running = [
        pod["metadata"]["name"]
        for pod in pods
        if pod.get("status", {}).get("phase") in ("Pending", "Running")
    ]
    return (
        f"waits for {len(running)} pods to stop before the buckets are emptied" if running else ""
    )
