"""What a deleted resource takes along of S3 and SQS, and what it leaves."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from tests.support.wiring import ORIGIN, again, clients_of, make

from mediaplatform.errors import Conflict, NotAllowed
from mediaplatform_local.servers.emulator import ROOT_KEY, Emulator
from mediaplatform_operator.wiring.clients import Clients
from mediaplatform_operator.wiring.delete import unwire
from mediaplatform_operator.wiring.iam import delete_users, ensure_user
from mediaplatform_operator.wiring.model import OFFER
from mediaplatform_operator.wiring.wire import Wired, wire


def exists(root: Clients, bucket: str) -> bool:
    return bucket in {item["Name"] for item in root.s3.list_buckets()["Buckets"]}


def test_retain_deletes_nothing(root: Clients, emulator: Emulator, uid: str, wired: Wired) -> None:
    resource = make(emulator, uid)
    assert unwire(root, resource, uid=uid) == ()
    assert {setting for _, setting in again(root, resource, uid)} == {OFFER}


def test_what_is_retained_is_taken_up_by_the_next_of_that_name_and_nobody_else(
    root: Clients, emulator: Emulator
) -> None:
    storage = {"name": f"b{uuid4().hex[:8]}"}
    first, second, third = (str(uuid4()) for _ in range(3))
    resource = make(emulator, first, **storage)
    wire(root, resource, uid=first, origin=ORIGIN)
    with pytest.raises(Conflict, match="belongs to the resource"):
        wire(root, resource, uid=second, origin=ORIGIN)
    unwire(root, resource, uid=first)
    wire(root, resource, uid=second, origin=ORIGIN)
    assert again(root, resource, second) == []
    with pytest.raises(Conflict, match="belongs to the resource"):
        wire(root, resource, uid=third, origin=ORIGIN)


def test_delete_is_blocked_by_objects_and_says_how_many(
    root: Clients, emulator: Emulator, uid: str, wired: Wired
) -> None:
    resource = make(emulator, uid, deletion="Delete")
    root.s3.put_object(Bucket=wired.names.media, Key="media/1", Body=b"x")
    with pytest.raises(Conflict, match=f"DeletionBlocked: bucket {wired.names.media} holds 1 obj"):
        unwire(root, resource, uid=uid)
    assert again(root, resource, uid) == [], "nothing was deleted before it was refused"


def test_delete_is_blocked_by_older_versions_which_are_kept(
    root: Clients, emulator: Emulator, uid: str, wired: Wired
) -> None:
    root.s3.put_object(Bucket=wired.names.media, Key="media/1", Body=b"x")
    root.s3.delete_object(Bucket=wired.names.media, Key="media/1")
    with pytest.raises(Conflict, match=r"holds 2 objects and versions; .* DeleteWithData"):
        unwire(root, make(emulator, uid, deletion="Delete"), uid=uid)
    [kept] = root.s3.list_object_versions(Bucket=wired.names.media)["Versions"]
    assert kept["Key"] == "media/1"


@pytest.mark.parametrize("deletion", ["Delete", "DeleteWithData"])
def test_an_object_that_comes_while_its_bucket_is_deleted_is_kept(
    root: Clients, emulator: Emulator, uid: str, wired: Wired, deletion: str
) -> None:
    clients = clients_of(emulator, ROOT_KEY, emulator.root_secret)

    def upload(**_: Any) -> None:
        root.s3.put_object(Bucket=wired.names.uploads, Key="incoming/u/1", Body=b"x")

    clients.s3.meta.events.register("before-call.s3.DeleteBucket", upload)
    with pytest.raises(Conflict, match="got objects in the meantime; stop what writes"):
        unwire(clients, make(emulator, uid, deletion=deletion), uid=uid)
    assert root.s3.head_object(Bucket=wired.names.uploads, Key="incoming/u/1")


def test_queues_of_another_resource_of_the_same_name_survive_any_policy(
    root: Clients, emulator: Emulator, uid: str, wired: Wired
) -> None:
    elsewhere = make(emulator, uid, deletion="DeleteWithData")
    assert unwire(root, elsewhere, uid=str(uuid4())) == ()
    assert root.sqs.get_queue_url(QueueName=wired.names.queue("ingest"))


@pytest.mark.parametrize("deletion", ["Delete", "DeleteWithData"])
def test_the_operators_own_policy_is_enough_to_delete(
    root: Clients, emulator: Emulator, uid: str, wired: Wired, deletion: str
) -> None:
    purge = deletion == "DeleteWithData"
    if purge:
        root.s3.put_object(Bucket=wired.names.media, Key="media/1", Body=b"x")
    key = ensure_user(root, wired.names, "operator", purge=purge)
    clients = clients_of(emulator, key.id, key.secret)
    assert len(unwire(clients, make(emulator, uid, deletion=deletion), uid=uid)) == 6


def test_an_operator_that_may_not_delete_objects_is_told_so_and_keeps_the_queues(
    root: Clients, emulator: Emulator, uid: str, wired: Wired
) -> None:
    root.s3.put_object(Bucket=wired.names.uploads, Key="incoming/u/1", Body=b"x")
    key = ensure_user(root, wired.names, "operator")
    clients = clients_of(emulator, key.id, key.secret)
    with pytest.raises(NotAllowed, match=r"does not permit DeleteObjects on bucket"):
        unwire(clients, make(emulator, uid, deletion="DeleteWithData"), uid=uid)
    assert root.s3.list_object_versions(Bucket=wired.names.uploads)["Versions"]
    assert root.sqs.get_queue_url(QueueName=wired.names.queue("ingest"))


def test_delete_takes_empty_buckets_and_every_queue(
    root: Clients, emulator: Emulator, uid: str, wired: Wired
) -> None:
    assert len(unwire(root, make(emulator, uid, deletion="Delete"), uid=uid)) == 6
    assert not exists(root, wired.names.media)
    assert unwire(root, make(emulator, uid, deletion="Delete"), uid=uid) == ()


def test_delete_with_data_takes_every_version(
    root: Clients, emulator: Emulator, uid: str, wired: Wired
) -> None:
    for body in (b"first", b"second"):
        root.s3.put_object(Bucket=wired.names.media, Key="media/1", Body=body)
    root.s3.delete_object(Bucket=wired.names.media, Key="media/1")
    unwire(root, make(emulator, uid, deletion="DeleteWithData"), uid=uid)
    assert not exists(root, wired.names.media)
    assert not exists(root, wired.names.uploads)


def test_a_bucket_that_is_not_ours_survives_any_policy(
    root: Clients, emulator: Emulator, uid: str, wired: Wired
) -> None:
    unwire(root, make(emulator, uid, deletion="DeleteWithData"), uid=str(uuid4()))
    assert exists(root, wired.names.media)


@pytest.mark.parametrize("was_deleted", [["key"], ["policy"], ["key", "policy"]])
def test_users_are_deleted_however_far_an_earlier_deletion_came(
    root: Clients, wired: Wired, was_deleted: list[str]
) -> None:
    user = f"{wired.names.prefix}-api"
    key = ensure_user(root, wired.names, "api")
    if "key" in was_deleted:
        root.iam.delete_access_key(UserName=user, AccessKeyId=key.id)
    if "policy" in was_deleted:
        root.iam.delete_user_policy(UserName=user, PolicyName="api")
    delete_users(root, wired.names, ["ingest", "api"])  # there never was one for ingest
    with pytest.raises(root.iam.exceptions.NoSuchEntityException):
        root.iam.get_user(UserName=user)
