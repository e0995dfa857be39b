"""Least privilege: one policy document per component, and on a laptop one user each."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError

from mediaplatform_operator.wiring import kms
from mediaplatform_operator.wiring.clients import Clients, refusals
from mediaplatform_operator.wiring.model import ABSENT, Change
from mediaplatform_operator.wiring.names import QUEUES, Names, bucket_arn

COMPONENTS = ("operator", "api", "ingest", "render", "sweep")
Document = dict[str, Any]


@dataclass(frozen=True)
class AccessKey:
    id: str
    secret: str


def policy(component: str, names: Names, *, purge: bool = False) -> Document:
    """What the component needs to do its work, and nothing else.

    `purge` lets the operator delete objects, which only `deletion: DeleteWithData` asks of it.
    """
    statements = [*_STATEMENTS[component](names), *kms.statements(component, names)]
    if purge and component == "operator":
        every = [f"{bucket_arn(bucket)}/*" for bucket in (names.uploads, names.media)]
        statements.append(_allow(["s3:DeleteObject", "s3:DeleteObjectVersion"], *every))
    return {"Version": "2012-10-17", "Statement": statements}


def user_policy(names: Names) -> Document:
    """What an operator needs on top, to make the components' users itself."""
    actions = ("CreateUser", "DeleteUser", "PutUserPolicy", "GetUserPolicy", "DeleteUserPolicy",
               "CreateAccessKey", "DeleteAccessKey", "ListAccessKeys")  # fmt: skip
    users = f"arn:aws:iam::{names.account}:user/{names.prefix}-*"
    allowed = _allow([f"iam:{action}" for action in actions], users)
    return {"Version": "2012-10-17", "Statement": [allowed]}


def ensure_user(
    clients: Clients, names: Names, component: str, *, purge: bool = False
) -> AccessKey:
    """A user of this component with exactly its policy, and a new key in place of any older one."""
    user = user_name(names, component)
    with refusals(f"user {user}"):
        try:
            clients.iam.create_user(UserName=user)
        except ClientError as fault:
            if fault.response["Error"]["Code"] != "EntityAlreadyExists":
                raise
        document = json.dumps(policy(component, names, purge=purge))
        clients.iam.put_user_policy(UserName=user, PolicyName=component, PolicyDocument=document)
        for old in clients.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
            clients.iam.delete_access_key(UserName=user, AccessKeyId=old["AccessKeyId"])
        made = clients.iam.create_access_key(UserName=user)["AccessKey"]
    return AccessKey(made["AccessKeyId"], made["SecretAccessKey"])


def user_name(names: Names, component: str) -> str:
    return f"{names.prefix}-{component}"


def user_changes(
    clients: Clients, names: Names, components: Sequence[str], keys: Mapping[str, AccessKey]
) -> tuple[Change, ...]:
    """The users to be made anew: without their policy, or without the key that we hold."""
    return tuple(
        Change("user", user_name(names, component), component, why, None, "policy and key")
        for component in components
        for why in [_why(clients, names, component, keys.get(component))]
        if why
    )


def delete_users(clients: Clients, names: Names, components: Sequence[str]) -> None:
    """What is gone already is fine, so that a deletion that was cut off is finished."""
    for component in components:
        user = user_name(names, component)
        with refusals(f"user {user}"):
            with _gone_is_fine(clients):
                for key in clients.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
                    clients.iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
            with _gone_is_fine(clients):
                clients.iam.delete_user_policy(UserName=user, PolicyName=component)
            with _gone_is_fine(clients):
                clients.iam.delete_user(UserName=user)


def _gone_is_fine(clients: Clients) -> suppress:
    return suppress(clients.iam.exceptions.NoSuchEntityException)


def _why(clients: Clients, names: Names, component: str, key: AccessKey | None) -> str:
    """Why the user has to be made anew; empty if it is as it must be."""
    user = user_name(names, component)
    with refusals(f"user {user}"):
        try:
            found = clients.iam.get_user_policy(UserName=user, PolicyName=component)
            there = clients.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
        except clients.iam.exceptions.NoSuchEntityException:
            return ABSENT
    document = found["PolicyDocument"]  # boto3 decodes it; an emulator may answer text
    if isinstance(document, str):
        document = json.loads(unquote(document))
    if document != policy(component, names):
        return "its policy differs"
    if key is None or key.id not in {item["AccessKeyId"] for item in there}:
        return "its key is not the one that we hold"
    return ""


def _allow(actions: Sequence[str], *resources: str) -> Document:
    return {"Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def _objects(bucket: str, prefix: str) -> str:
    return f"{bucket_arn(bucket)}/{prefix}/*"


def _list(bucket: str) -> Document:
    # Without it S3 answers 403 for what is not there, and "missing" could not be told.
    return _allow(["s3:ListBucket"], bucket_arn(bucket))


def _queues(names: Names) -> list[str]:
    return [names.queue_arn(names.queue(name)) for name in QUEUES]


def _api(names: Names) -> list[Document]:
    return [
        _allow(["s3:PutObject", "s3:GetObject"], _objects(names.uploads, "incoming")),
        _list(names.uploads),
        _allow(["s3:GetObject"], _objects(names.media, "media")),
        _allow(["sqs:SendMessage", "sqs:GetQueueAttributes"], *_queues(names)),
    ]


def _consumer(names: Names, name: str) -> Document:
    actions = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes")
    return _allow([f"sqs:{action}" for action in actions], names.queue_arn(names.queue(name)))


def _ingest(names: Names) -> list[Document]:
    return [
        _consumer(names, "ingest"),
        _allow(["sqs:SendMessage"], names.queue_arn(names.queue("render"))),
        _allow(["s3:GetObject"], _objects(names.uploads, "incoming")),
        _list(names.uploads),
        _allow(["s3:PutObject"], _objects(names.media, "media")),
    ]


def _render(names: Names) -> list[Document]:
    return [
        _consumer(names, "render"),
        _allow(["s3:GetObject", "s3:PutObject"], _objects(names.media, "media")),
        _list(names.media),
    ]


def _sweep(names: Names) -> list[Document]:
    dead = [names.queue_arn(names.dead(name)) for name in QUEUES]
    return [
        _list(names.uploads),
        _list(names.media),
        _allow(["s3:GetObject", "s3:DeleteObject"], _objects(names.uploads, "incoming")),
        _allow(["s3:DeleteObject"], _objects(names.media, "media")),
        _allow(["sqs:SendMessage", "sqs:GetQueueAttributes"], *_queues(names)),
        _allow(["sqs:GetQueueAttributes"], *dead),
    ]


def _operator(names: Names) -> list[Document]:
    """Configures, and neither reads an object nor sends a message."""
    every = [*_queues(names), *(names.queue_arn(names.dead(name)) for name in QUEUES)]
    queue = ("CreateQueue", "DeleteQueue", "GetQueueUrl", "GetQueueAttributes",
             "SetQueueAttributes", "ListQueueTags", "TagQueue", "UntagQueue")  # fmt: skip
    bucket = ("CreateBucket", "DeleteBucket", "ListBucket", "ListBucketVersions",
              "GetBucketTagging", "PutBucketTagging", "TagResource",
              "GetBucketPublicAccessBlock", "PutBucketPublicAccessBlock",
              "GetEncryptionConfiguration", "PutEncryptionConfiguration", "GetBucketVersioning",
              "PutBucketVersioning", "GetBucketPolicy", "PutBucketPolicy",
              "GetLifecycleConfiguration", "PutLifecycleConfiguration", "GetBucketCORS",
              "PutBucketCORS", "GetBucketNotification", "PutBucketNotification")  # fmt: skip
    both = (bucket_arn(names.uploads), bucket_arn(names.media))
    return [
        _allow([f"sqs:{action}" for action in queue], *every),
        _allow([f"s3:{action}" for action in bucket], *both),
        _allow(["sts:GetCallerIdentity"], "*"),
    ]


_STATEMENTS: Mapping[str, Any] = {
    "operator": _operator,
    "api": _api,
    "ingest": _ingest,
    "render": _render,
    "sweep": _sweep,
}
