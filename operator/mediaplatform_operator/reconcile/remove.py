"""What becomes of AWS's side when a resource is deleted; Kubernetes collects its own."""

from __future__ import annotations

from mediaplatform.errors import InvalidInput
from mediaplatform_operator.cluster.objects import (
    COMPONENT,
    DEPLOYMENT,
    INSTANCE,
    POD,
    Object,
    is_owned,
)
from mediaplatform_operator.reconcile.parts import Parts, effective
from mediaplatform_operator.release.values import USERS
from mediaplatform_operator.resource.load import parse


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
    """Who still writes would fill a bucket while it is emptied.

    Reads no Secrets: where the whole namespace goes, our right to them goes first.
    """
    meta = thing["metadata"]
    chosen = f"{INSTANCE}={meta['name']},{COMPONENT} in ({','.join(USERS)})"
    for owned in await parts.cluster.list(DEPLOYMENT, meta["namespace"], chosen):
        name, uid = owned["metadata"]["name"], owned["metadata"]["uid"]
        if is_owned(owned, meta["uid"]) and "deletionTimestamp" not in owned["metadata"]:
            await parts.cluster.delete(DEPLOYMENT, meta["namespace"], name, uid=uid)
    pods = await parts.cluster.list(POD, meta["namespace"], chosen)
    running = [pod for pod in pods if pod.get("status", {}).get("phase") in ("Pending", "Running")]
    return (
        f"{len(running)} pods are still to stop, before the buckets are emptied" if running else ""
    )
