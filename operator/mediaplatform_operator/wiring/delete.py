"""What becomes of queues and buckets when the resource is deleted, by its deletion policy."""

from __future__ import annotations

from mediaplatform.errors import Conflict
from mediaplatform_operator.resource.model import MediaPlatform
from mediaplatform_operator.wiring import buckets, queues
from mediaplatform_operator.wiring.clients import Clients, refusals
from mediaplatform_operator.wiring.model import UID_TAG, Wish
from mediaplatform_operator.wiring.names import QUEUES, Names


def unwire(clients: Clients, resource: MediaPlatform, *, uid: str) -> tuple[str, ...]:
    """Delete what the policy says, and return its names. `Retain` deletes nothing.

    Only what carries our UID is touched. Raises Conflict, before anything is deleted, where
    `Delete` meets a bucket that holds objects.
    """
    policy = resource.spec.storage.deletion
    if policy == "Retain":
        return ()
    names = Names.of(resource, uid=uid, account=clients.account())
    ours = [name for name in (names.uploads, names.media) if _is_ours(clients, name, uid)]
    if policy == "Delete":
        _check_empty(clients, ours)
    done = []
    for name in (full for base in QUEUES for full in (names.queue(base), names.dead(base))):
        url = queues.url_of(clients, name)
        if url is not None:
            with refusals(f"queue {name}"):
                clients.sqs.delete_queue(QueueUrl=url)
            done.append(f"queue {name}")
    for name in ours:
        with refusals(f"bucket {name}"):
            _empty(clients, name)
            clients.s3.delete_bucket(Bucket=name)
        done.append(f"bucket {name}")
    return tuple(done)


def _is_ours(clients: Clients, name: str, uid: str) -> bool:
    seen = buckets.observe(clients, Wish("bucket", name, {}))
    return seen is not None and seen.tags.get(UID_TAG) == uid


def _check_empty(clients: Clients, names: list[str]) -> None:
    for name in names:
        held = buckets.count_objects(clients, name)
        if held:
            more = " or more" if held >= 1000 else ""
            raise Conflict(
                f"DeletionBlocked: bucket {name} holds {held}{more} objects; empty it, or set "
                "spec.storage.deletion to DeleteWithData or Retain"
            )


def _empty(clients: Clients, name: str) -> None:
    """Every version and delete marker: a versioned bucket is not empty before."""
    for page in clients.s3.get_paginator("list_object_versions").paginate(Bucket=name):
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if found:
            objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
            clients.s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})
