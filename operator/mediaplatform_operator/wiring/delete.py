"""What becomes of queues and buckets when the resource is deleted, by its deletion policy."""

from __future__ import annotations

from botocore.exceptions import ClientError

from mediaplatform.errors import Conflict
from mediaplatform_operator.resource.model import MediaPlatform
from mediaplatform_operator.wiring import buckets, queues
from mediaplatform_operator.wiring.clients import Clients, refusals
from mediaplatform_operator.wiring.model import ADOPT_TAG, UID_TAG, Change, Wish
from mediaplatform_operator.wiring.names import QUEUES, Names


def unwire(clients: Clients, resource: MediaPlatform, *, uid: str) -> tuple[str, ...]:
    """Delete what the policy says, and return its names.

    `Retain` deletes nothing, and offers what is left to a later resource of the same name.

    Only what carries our UID is touched, and only `DeleteWithData` takes objects. Raises Conflict,
    before anything is deleted, where `Delete` meets a bucket that holds objects or versions.
    """
    policy = resource.spec.storage.deletion
    names = Names.of(resource, uid=uid, account=clients.account())
    ours = [name for name in (names.uploads, names.media) if _is_ours(clients, name, uid)]
    if policy == "Retain":
        offer = {ADOPT_TAG: f"{resource.metadata.namespace}/{resource.metadata.name}"}
        for name in ours:
            buckets.write(clients, Change("bucket", name, "tags", "", None, offer))
        for name in _our_queues(clients, names, uid):
            queues.write(clients, Change("queue", name, "tags", "", None, offer))
        return ()
    if policy == "Delete":
        for name in ours:
            _check_empty(clients, name)
    done = []
    for name in ours:  # the reverse of how they were made: a bucket's events name a queue
        if policy == "DeleteWithData":
            _empty(clients, name)
        _delete_bucket(clients, name)
        done.append(f"bucket {name}")
    for name, url in _our_queues(clients, names, uid).items():
        with refusals(f"queue {name}"):
            clients.sqs.delete_queue(QueueUrl=url)
        done.append(f"queue {name}")
    return tuple(done)


def _our_queues(clients: Clients, names: Names, uid: str) -> dict[str, str]:
    """Their URLs by name."""
    every = (full for base in QUEUES for full in (names.queue(base), names.dead(base)))
    found = {name: queues.url_of(clients, name) for name in every}
    return {
        name: url
        for name, url in found.items()
        if url is not None and queues.tags_of(clients, name, url).get(UID_TAG) == uid
    }


def _is_ours(clients: Clients, name: str, uid: str) -> bool:
    seen = buckets.observe(clients, Wish("bucket", name, {}))
    return seen is not None and seen.tags.get(UID_TAG) == uid


def _check_empty(clients: Clients, name: str) -> None:
    held = buckets.count_versions(clients, name)
    if held:
        more = " or more" if held >= 1000 else ""
        raise Conflict(
            f"DeletionBlocked: bucket {name} holds {held}{more} objects and versions; empty it, "
            "older versions and delete markers too, or set spec.storage.deletion to DeleteWithData "
            "or Retain"
        )


def _delete_bucket(clients: Clients, name: str) -> None:
    with refusals(f"bucket {name}"):
        try:
            clients.s3.delete_bucket(Bucket=name)
        except ClientError as fault:
            if fault.response["Error"]["Code"] == "BucketNotEmpty":
                raise Conflict(
                    f"DeletionBlocked: bucket {name} got objects in the meantime; stop what writes "
                    "to it, and delete again"
                ) from fault
            raise


def _empty(clients: Clients, name: str) -> None:
    """Every version and delete marker: a versioned bucket is not empty before."""
    with refusals(f"bucket {name}"):
        for page in clients.s3.get_paginator("list_object_versions").paginate(Bucket=name):
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            if found:
                objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
                answer = clients.s3.delete_objects(
                    Bucket=name, Delete={"Objects": objects, "Quiet": True}
                )
                if answer.get("Errors"):  # S3 refuses single objects in an answer of 200
                    raise ClientError({"Error": answer["Errors"][0]}, "DeleteObjects")
