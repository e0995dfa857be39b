"""Buckets: reading the settings that a wish names, and writing one of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from mediaplatform_operator.wiring.clients import Clients, refusals
from mediaplatform_operator.wiring.model import ADOPT_TAG, EXISTENCE, OFFER, Change, Seen, Wish

MISSING = frozenset({"404", "NoSuchBucket", "NotFound"})
UNSET = frozenset({
    "NoSuchTagSet", "NoSuchPublicAccessBlockConfiguration", "NoSuchBucketPolicy",
    "NoSuchLifecycleConfiguration", "NoSuchCORSConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
})  # fmt: skip
CLASSIC = "us-east-1"  # the one region that CreateBucket must not be told


def observe(clients: Clients, wish: Wish) -> Seen | None:
    with refusals(f"bucket {wish.name}"):
        try:
            clients.s3.head_bucket(Bucket=wish.name)
        except ClientError as fault:
            if fault.response["Error"]["Code"] in MISSING:
                return None
            raise
        bucket = _Bucket(clients.s3, wish.name)
        tags = bucket.tags()
        settings = {
            name: _owned(bucket.read(name), wanted) for name, wanted in wish.settings.items()
        }
    return Seen(settings, tags)


def write(clients: Clients, change: Change) -> None:
    with refusals(change.resource):
        if change.setting == EXISTENCE:
            _create(clients, change)
        else:
            _Bucket(clients.s3, change.name).write(change.setting, change.after)


def count_versions(clients: Clients, name: str) -> int:
    """How many versions and delete markers it holds; 1000 means that many or more."""
    with refusals(f"bucket {name}"):
        page = clients.s3.list_object_versions(Bucket=name, MaxKeys=1000)
    return len(page.get("Versions", ())) + len(page.get("DeleteMarkers", ()))


def _create(clients: Clients, change: Change) -> None:
    """Tagged in the same call, so that one of ours is never taken for somebody else's."""
    tags = [{"Key": key, "Value": value} for key, value in change.after.items()]
    place = {} if clients.region == CLASSIC else {"LocationConstraint": clients.region}
    clients.s3.create_bucket(Bucket=change.name, CreateBucketConfiguration={**place, "Tags": tags})


def _owned(there: Any, wanted: Any) -> Any:
    """The entries that the wish names, of a setting that is kept by Id; else the whole setting."""
    if isinstance(there, dict) and isinstance(wanted, dict):
        return {key: there[key] for key in wanted if key in there}
    return there


class _Bucket:
    """One bucket's configurations as plain mappings by Id, whatever shape S3 gives them."""

    def __init__(self, s3: Any, name: str) -> None:
        self._s3, self._name = s3, name

    def read(self, setting: str) -> Any:
        readers: Mapping[str, Callable[[], Any]] = {
            "tags": self.tags,
            "public_access": self._public_access,
            "encryption": self._encryption,
            "versioning": lambda: self._get(self._s3.get_bucket_versioning).get("Status"),
            "policy": self._statements,
            "lifecycle": lambda: {rule["ID"]: _rule(rule) for rule in self._lifecycle()},
            "cors": lambda: {rule.get("ID"): _without_id(rule) for rule in self._cors()},
            "notification": lambda: {
                item["Id"]: _event(item) for item in self._notification().get(_QUEUES, [])
            },
        }
        return readers[setting]()

    def write(self, setting: str, wanted: Any) -> None:
        writers: Mapping[str, Callable[[Any], None]] = {
            "tags": lambda value: self._write_tags(self.tags() | value),
            OFFER: lambda _: self._write_tags(
                {key: value for key, value in self.tags().items() if key != ADOPT_TAG}
            ),
            "public_access": lambda value: self._put(
                self._s3.put_public_access_block, PublicAccessBlockConfiguration=value
            ),
            "encryption": self._write_encryption,
            "versioning": lambda value: self._put(
                self._s3.put_bucket_versioning, VersioningConfiguration={"Status": value}
            ),
            "policy": self._write_policy,
            "lifecycle": self._write_lifecycle,
            "cors": self._write_cors,
            "notification": self._write_notification,
        }
        writers[setting](wanted)

    def tags(self) -> dict[str, str]:
        found = self._get(self._s3.get_bucket_tagging).get("TagSet", [])
        return {tag["Key"]: tag["Value"] for tag in found}

    def _public_access(self) -> Any:
        return self._get(self._s3.get_public_access_block).get("PublicAccessBlockConfiguration")

    def _encryption(self) -> Any:
        answer = self._get(self._s3.get_bucket_encryption)
        rules = answer.get("ServerSideEncryptionConfiguration", {}).get("Rules", [])
        if not rules:
            return None
        default = rules[0]["ApplyServerSideEncryptionByDefault"]
        if default["SSEAlgorithm"] == "AES256":  # S3's own keys know no bucket's key
            return default
        return default | {_BUCKET_KEY: rules[0].get(_BUCKET_KEY, False)}

    def _policy(self) -> dict[str, Any]:
        policy: dict[str, Any] = json.loads(
            self._get(self._s3.get_bucket_policy).get("Policy") or "{}"
        )
        return policy

    def _statements(self) -> dict[str, Any]:
        statements = self._policy().get("Statement", [])
        return {
            item["Sid"]: {key: value for key, value in item.items() if key != "Sid"}
            for item in statements
            if "Sid" in item
        }

    def _lifecycle(self) -> list[dict[str, Any]]:
        rules: list[dict[str, Any]] = self._get(self._s3.get_bucket_lifecycle_configuration).get(
            "Rules", []
        )
        return rules

    def _cors(self) -> list[dict[str, Any]]:
        rules: list[dict[str, Any]] = self._get(self._s3.get_bucket_cors).get("CORSRules", [])
        return rules

    def _notification(self) -> dict[str, Any]:
        answer = self._get(self._s3.get_bucket_notification_configuration)
        return {key: value for key, value in answer.items() if key != "ResponseMetadata"}

    def _write_tags(self, wanted: dict[str, str]) -> None:
        tags = [{"Key": key, "Value": value} for key, value in wanted.items()]
        self._put(self._s3.put_bucket_tagging, Tagging={"TagSet": tags})

    def _write_encryption(self, wanted: Any) -> None:
        default = {key: value for key, value in wanted.items() if key != _BUCKET_KEY}
        rule = {
            "ApplyServerSideEncryptionByDefault": default,
            _BUCKET_KEY: wanted.get(_BUCKET_KEY, False),
        }
        self._put(
            self._s3.put_bucket_encryption, ServerSideEncryptionConfiguration={"Rules": [rule]}
        )

    def _write_policy(self, wanted: dict[str, Any]) -> None:
        kept = [
            item for item in self._policy().get("Statement", []) if item.get("Sid") not in wanted
        ]
        ours = [{"Sid": sid, **statement} for sid, statement in wanted.items()]
        document = {"Version": "2012-10-17", "Statement": kept + ours}
        self._put(self._s3.put_bucket_policy, Policy=json.dumps(document))

    def _write_lifecycle(self, wanted: dict[str, Any]) -> None:
        kept = [rule for rule in self._lifecycle() if rule.get("ID") not in wanted]
        ours = [
            {"ID": name, "Status": "Enabled", "Filter": {"Prefix": rule["Prefix"]},
             **{key: value for key, value in rule.items() if key != "Prefix"}}
            for name, rule in wanted.items()
        ]  # fmt: skip
        self._put(
            self._s3.put_bucket_lifecycle_configuration,
            LifecycleConfiguration={"Rules": kept + ours},
        )

    def _write_cors(self, wanted: dict[str, Any]) -> None:
        kept = [rule for rule in self._cors() if rule.get("ID") not in wanted]
        ours = [{"ID": name, **rule} for name, rule in wanted.items()]
        self._put(self._s3.put_bucket_cors, CORSConfiguration={"CORSRules": kept + ours})

    def _write_notification(self, wanted: dict[str, Any]) -> None:
        there = self._notification()
        kept = [item for item in there.get(_QUEUES, []) if item.get("Id") not in wanted]
        ours = [
            {"Id": name, "QueueArn": item["QueueArn"], "Events": item["Events"],
             "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": item["Prefix"]}]}}}
            for name, item in wanted.items()
        ]  # fmt: skip
        self._put(
            self._s3.put_bucket_notification_configuration,
            NotificationConfiguration={**there, _QUEUES: kept + ours},
        )

    def _get(self, call: Callable[..., Any]) -> Any:
        try:
            return call(Bucket=self._name)
        except ClientError as fault:
            if fault.response["Error"]["Code"] in UNSET:
                return {}
            raise

    def _put(self, call: Callable[..., Any], **what: Any) -> None:
        call(Bucket=self._name, **what)


_QUEUES = "QueueConfigurations"
_BUCKET_KEY = "BucketKeyEnabled"


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    """A lifecycle rule as wishes write it; one that is disabled equals none of them."""
    place = rule.get("Filter", {})
    prefix = place.get("Prefix", rule.get("Prefix", ""))
    actions = {key: value for key, value in rule.items()
               if key not in ("ID", "Status", "Filter", "Prefix")}  # fmt: skip
    disabled = {} if rule.get("Status") == "Enabled" else {"Status": rule.get("Status")}
    return {"Prefix": prefix, **actions, **disabled}


def _event(item: dict[str, Any]) -> dict[str, Any]:
    rules = item.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    prefix = next((rule["Value"] for rule in rules if rule["Name"].lower() == "prefix"), "")
    return {"QueueArn": item["QueueArn"], "Events": sorted(item["Events"]), "Prefix": prefix}


def _without_id(rule: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in rule.items() if key != "ID"}
