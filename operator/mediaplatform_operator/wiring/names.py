"""What everything is called, and the ARNs that follow from it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from mediaplatform_operator.resource.model import MediaPlatform

QUEUES = ("ingest", "render")
UID_DIGITS = 8
PREFIX_LENGTH = 60


@dataclass(frozen=True)
class Names:
    uploads: str
    media: str
    prefix: str  # of queues and users: '{namespace}-{name}'
    region: str
    account: str
    key: str | None = None  # of KMS, as the resource names it: by id, ARN or alias

    @classmethod
    def of(cls, resource: MediaPlatform, *, uid: str, account: str) -> Names:
        meta, spec = resource.metadata, resource.spec
        # Bucket names are shared by all of AWS, so a derived one carries a part of the UID.
        base = spec.storage.name or f"{meta.name[:40]}-{uid.replace('-', '')[:UID_DIGITS]}"
        prefix = _short(f"{meta.namespace}-{meta.name}")
        key = spec.storage.encryption.kms_key_id
        return cls(f"{base}-uploads", f"{base}-media", prefix, spec.aws.region, account, key)

    def queue(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def dead(self, name: str) -> str:
        return f"{self.prefix}-{name}-dead"

    def queue_arn(self, full_name: str) -> str:
        return f"arn:aws:sqs:{self.region}:{self.account}:{full_name}"


def _short(prefix: str) -> str:
    """At most 60 characters, and still nobody else's: SQS takes 80, and '-ingest-dead' follows."""
    if len(prefix) <= PREFIX_LENGTH:
        return prefix
    digits = hashlib.sha256(prefix.encode()).hexdigest()[:UID_DIGITS]
    return f"{prefix[: PREFIX_LENGTH - UID_DIGITS - 1]}-{digits}"


def bucket_arn(name: str) -> str:
    return f"arn:aws:s3:::{name}"
