"""The wiring against S3, SQS and IAM that enforce signatures and policies."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError
from tests.support.wiring import ORIGIN, again, clients_of, make

from mediaplatform.errors import Conflict, NotAllowed, Unavailable
from mediaplatform_local.servers.emulator import Emulator
from mediaplatform_operator.resource.model import MediaPlatform
from mediaplatform_operator.wiring.clients import Clients
from mediaplatform_operator.wiring.iam import COMPONENTS, ensure_user
from mediaplatform_operator.wiring.model import EXISTENCE, UID_TAG
from mediaplatform_operator.wiring.wire import Wired, wire


@pytest.fixture
def resource(emulator: Emulator, uid: str) -> MediaPlatform:
    return make(emulator, uid)


def test_a_second_run_plans_nothing(
    root: Clients, resource: MediaPlatform, uid: str, wired: Wired
) -> None:
    assert len([change for change in wired.changes if change.setting == EXISTENCE]) == 6
    assert again(root, resource, uid) == []
    assert wire(root, resource, uid=uid, origin=ORIGIN).changes == ()


KEY = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize("key", [KEY, KEY.rpartition("/")[2], "alias/photos"])
def test_buckets_are_encrypted_with_the_key_of_the_resource(
    root: Clients, emulator: Emulator, uid: str, key: str
) -> None:
    resource = make(emulator, uid, encryption={"kmsKeyId": key})
    wired = wire(root, resource, uid=uid, origin=ORIGIN)
    assert again(root, resource, uid) == []
    for bucket in (wired.names.uploads, wired.names.media):
        found = root.s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
        [rule] = found["Rules"]
        default = rule["ApplyServerSideEncryptionByDefault"]
        assert default == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
        assert rule["BucketKeyEnabled"] is True


def test_observing_writes_nothing(root: Clients, resource: MediaPlatform, uid: str) -> None:
    planned = again(root, resource, uid)
    assert planned == again(root, resource, uid)
    assert len(planned) > 20


Drift = Callable[[Clients, Wired], Any]


def attribute(root: Clients, wired: Wired, **what: str) -> None:
    root.sqs.set_queue_attributes(QueueUrl=wired.ingest_queue_url, Attributes=what)


DRIFTS: dict[str, tuple[str, Drift]] = {
    "visibility": ("attributes", lambda root, it: attribute(root, it, VisibilityTimeout="7")),
    "redrive": ("redrive", lambda root, it: attribute(root, it, RedrivePolicy="")),
    "queue policy": ("policy", lambda root, it: attribute(root, it, Policy="")),
    "queue tags": (
        "tags",
        lambda root, it: root.sqs.untag_queue(QueueUrl=it.ingest_queue_url, TagKeys=[UID_TAG]),
    ),
    "queue": (EXISTENCE, lambda root, it: root.sqs.delete_queue(QueueUrl=it.render_queue_url)),
    "public access": (
        "public_access",
        lambda root, it: root.s3.delete_public_access_block(Bucket=it.names.media),
    ),
    "encryption": (
        "encryption",
        lambda root, it: root.s3.put_bucket_encryption(
            Bucket=it.names.media,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
            },
        ),
    ),
    "versioning": (
        "versioning",
        lambda root, it: root.s3.put_bucket_versioning(
            Bucket=it.names.media, VersioningConfiguration={"Status": "Suspended"}
        ),
    ),
    "lifecycle": (
        "lifecycle",
        lambda root, it: root.s3.delete_bucket_lifecycle(Bucket=it.names.uploads),
    ),
    "cors": ("cors", lambda root, it: root.s3.delete_bucket_cors(Bucket=it.names.uploads)),
    "notification": (
        "notification",
        lambda root, it: root.s3.put_bucket_notification_configuration(
            Bucket=it.names.uploads, NotificationConfiguration={}
        ),
    ),
}


@pytest.mark.parametrize("name", DRIFTS)
def test_what_was_changed_by_hand_is_put_back(
    root: Clients, resource: MediaPlatform, uid: str, wired: Wired, name: str
) -> None:
    setting, drift = DRIFTS[name]
    drift(root, wired)
    assert setting in [changed for _, changed in again(root, resource, uid)]
    wire(root, resource, uid=uid, origin=ORIGIN)
    assert again(root, resource, uid) == []


def test_a_half_made_bucket_is_completed(
    root: Clients, resource: MediaPlatform, uid: str, wired: Wired, emulator: Emulator
) -> None:
    fresh = make(emulator, str(uuid4()), name=f"half{uid[:8]}")
    tags = [{"Key": UID_TAG, "Value": uid}]
    root.s3.create_bucket(Bucket=f"half{uid[:8]}-uploads", CreateBucketConfiguration={"Tags": tags})
    wire(root, fresh, uid=uid, origin=ORIGIN)
    assert again(root, fresh, uid) == []


def test_what_others_configured_is_kept(
    root: Clients, resource: MediaPlatform, uid: str, wired: Wired
) -> None:
    bucket = wired.names.uploads
    theirs = {"ID": "theirs", "AllowedOrigins": ["https://a.example"], "AllowedMethods": ["GET"]}
    rules = root.s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
    root.s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [*rules, theirs]})
    tag_set = root.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    team = {"Key": "team", "Value": "photos"}
    root.s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [*tag_set, team]})
    assert again(root, resource, uid) == [], "what is not ours is no drift"
    wire(root, resource, uid=uid, origin="http://127.0.0.1:9999")
    rules = root.s3.get_bucket_cors(Bucket=bucket)["CORSRules"]
    assert {rule["ID"] for rule in rules} == {"theirs", "uploads"}
    assert team in root.s3.get_bucket_tagging(Bucket=bucket)["TagSet"]


def test_a_bucket_of_somebody_else_is_refused_by_name(
    root: Clients, emulator: Emulator, uid: str
) -> None:
    name = f"theirs{uid[:8]}"
    root.s3.create_bucket(Bucket=f"{name}-uploads")
    with pytest.raises(Conflict, match=f"{name}-uploads exists and is not ours: tag it"):
        wire(root, make(emulator, uid, name=name), uid=uid, origin=ORIGIN)


def test_s3_tells_the_ingest_queue_of_an_upload_and_of_nothing_else(
    root: Clients, wired: Wired
) -> None:
    for key in ("other/1", "incoming/u/1"):
        root.s3.put_object(Bucket=wired.names.uploads, Key=key, Body=b"x")
    keys: list[str] = []
    for _ in range(20):
        answer = root.sqs.receive_message(QueueUrl=wired.ingest_queue_url, WaitTimeSeconds=1)
        for message in answer.get("Messages", ()):
            records = json.loads(message["Body"]).get("Records", ())
            keys += [record["s3"]["object"]["key"] for record in records]
        if keys:
            break
    assert keys == ["incoming/u/1"]


@pytest.fixture(params=COMPONENTS)
def component(
    request: pytest.FixtureRequest, root: Clients, wired: Wired, emulator: Emulator
) -> tuple[str, Clients]:
    key = ensure_user(root, wired.names, request.param)
    return request.param, clients_of(emulator, key.id, key.secret)


def calls(it: Clients, wired: Wired) -> dict[str, Callable[[], Any]]:
    names, ingest, render = wired.names, wired.ingest_queue_url, wired.render_queue_url
    upload, made = "incoming/u/1", "media/m/jpeg-512.jpg"
    return {
        "put upload": lambda: it.s3.put_object(Bucket=names.uploads, Key=upload, Body=b"x"),
        "get upload": lambda: it.s3.get_object(Bucket=names.uploads, Key=upload),
        "delete upload": lambda: it.s3.delete_object(Bucket=names.uploads, Key=upload),
        "put media": lambda: it.s3.put_object(Bucket=names.media, Key=made, Body=b"x"),
        "get media": lambda: it.s3.get_object(Bucket=names.media, Key=made),
        "delete media": lambda: it.s3.delete_object(Bucket=names.media, Key=made),
        "list media": lambda: it.s3.list_objects_v2(Bucket=names.media),
        "send ingest": lambda: it.sqs.send_message(QueueUrl=ingest, MessageBody="x"),
        "send render": lambda: it.sqs.send_message(QueueUrl=render, MessageBody="x"),
        "receive ingest": lambda: it.sqs.receive_message(QueueUrl=ingest, WaitTimeSeconds=0),
        "receive render": lambda: it.sqs.receive_message(QueueUrl=render, WaitTimeSeconds=0),
        "change queue": lambda: it.sqs.set_queue_attributes(
            QueueUrl=ingest, Attributes={"VisibilityTimeout": "30"}
        ),
        "change bucket": lambda: it.s3.put_bucket_versioning(
            Bucket=names.media, VersioningConfiguration={"Status": "Enabled"}
        ),
        "make user": lambda: it.iam.create_user(UserName="intruder"),
    }


def refusal(call: Callable[[], Any]) -> str | None:
    """AWS's code of the error, or None where the call went well."""
    try:
        call()
    except ClientError as fault:
        return str(fault.response["Error"]["Code"])
    return None


MAY = {
    "operator": {"list media", "change queue", "change bucket"},
    "api": {"put upload", "get upload", "get media", "send ingest", "send render"},
    "ingest": {"get upload", "put media", "receive ingest", "send render"},
    "render": {"get media", "put media", "list media", "receive render"},
    "sweep": {
        "get upload", "delete upload", "delete media", "list media", "send ingest", "send render",
    },
}  # fmt: skip


def test_each_component_may_do_its_work_and_nothing_else(
    root: Clients, wired: Wired, component: tuple[str, Clients]
) -> None:
    name, clients = component
    root.s3.put_object(Bucket=wired.names.uploads, Key="incoming/u/1", Body=b"x")
    root.s3.put_object(Bucket=wired.names.media, Key="media/m/jpeg-512.jpg", Body=b"x")
    answers = {what: refusal(call) for what, call in calls(clients, wired).items()}
    assert {what for what, code in answers.items() if code is None} == MAY[name]
    refused = {code for code in answers.values() if code is not None}
    assert refused <= {"AccessDenied", "AccessDeniedException"}


def test_the_operators_own_policy_is_enough_to_wire(
    root: Clients, emulator: Emulator, wired: Wired, resource: MediaPlatform, uid: str
) -> None:
    key = ensure_user(root, wired.names, "operator")
    clients = clients_of(emulator, key.id, key.secret)
    for url in (wired.ingest_queue_url, wired.render_queue_url):
        root.sqs.delete_queue(QueueUrl=url)
    for bucket in (wired.names.uploads, wired.names.media):
        root.s3.delete_bucket(Bucket=bucket)
    wire(clients, resource, uid=uid, origin=ORIGIN)
    assert again(clients, resource, uid) == []


def test_a_refusal_names_the_call_and_the_remedy(
    root: Clients, emulator: Emulator, wired: Wired, resource: MediaPlatform, uid: str
) -> None:
    key = ensure_user(root, wired.names, "api")
    clients = clients_of(emulator, key.id, key.secret)
    with pytest.raises(NotAllowed, match=r"does not permit \w+ on .*: allow it in the operator's"):
        wire(clients, resource, uid=uid, origin=ORIGIN)


def test_an_endpoint_that_does_not_answer_says_so(resource: MediaPlatform, uid: str) -> None:
    clients = Clients.create(
        "us-east-1", endpoint="http://127.0.0.1:1", access_key="a", secret_key="b"
    )
    with pytest.raises(Unavailable, match="does not answer"):
        wire(clients, resource, uid=uid, origin=ORIGIN)


def test_a_new_key_replaces_the_older_ones(root: Clients, wired: Wired) -> None:
    first = ensure_user(root, wired.names, "api")
    second = ensure_user(root, wired.names, "api")
    user = f"{wired.names.prefix}-api"
    kept = root.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    assert [key["AccessKeyId"] for key in kept] == [second.id]
    assert first.id != second.id
