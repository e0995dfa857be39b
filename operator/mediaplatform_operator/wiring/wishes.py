"""What a resource wants of S3 and SQS, in the order in which it has to be made.

Dead-letter queues come before the queues that name them, queues and their policies before the
bucket whose notification S3 validates against them.
"""

from __future__ import annotations

from typing import Any

from mediaplatform_operator.resource.model import MediaPlatform, Storage
from mediaplatform_operator.wiring.model import Owner, Wish
from mediaplatform_operator.wiring.names import QUEUES, Names, bucket_arn

DEAD_LETTER_SECONDS = 14 * 86400  # the longest that SQS keeps a message
MESSAGE_SECONDS = 4 * 86400
EVENTS = ("s3:ObjectCreated:*", "s3:ObjectRemoved:*")
SIGNED_HEADERS = ("content-type", "if-none-match", "x-amz-checksum-sha256")
CORS_SECONDS = 3600


def wishes(resource: MediaPlatform, names: Names, owner: Owner, *, origin: str) -> tuple[Wish, ...]:
    """`origin` is the page's, 'https://photos.example.com'."""
    dead = [Wish("queue", names.dead(name), _dead_queue(owner)) for name in QUEUES]
    work = [_queue(resource, names, owner, name) for name in QUEUES]
    secure = resource.spec.aws.endpoint is None or resource.spec.aws.endpoint.startswith("https:")
    storage = resource.spec.storage
    uploads = _bucket(storage, owner, names.uploads, secure=secure) | {
        "lifecycle": _lifecycle(storage) | _abandoned(storage),
        "cors": {"uploads": _cors(origin, ["PUT"], SIGNED_HEADERS)},
        "notification": {
            "mediaplatform-ingest": {
                "QueueArn": names.queue_arn(names.queue("ingest")),
                "Events": sorted(EVENTS),
                "Prefix": "incoming/",
            }
        },
    }
    media = _bucket(storage, owner, names.media, secure=secure) | {
        "lifecycle": _lifecycle(storage),
        "cors": {"media": _cors(origin, ["GET", "HEAD"], ("range",))},
    }
    derived = storage.name is None
    buckets = [
        Wish("bucket", names.uploads, uploads, derived),
        Wish("bucket", names.media, media, derived),
    ]
    return (*dead, *work, *buckets)


def _dead_queue(owner: Owner) -> dict[str, Any]:
    return {
        "attributes": {
            "MessageRetentionPeriod": str(DEAD_LETTER_SECONDS),
            "SqsManagedSseEnabled": "true",
        },
        "tags": owner.tags,
    }


def _queue(resource: MediaPlatform, names: Names, owner: Owner, name: str) -> Wish:
    queues = resource.spec.queues
    settings: dict[str, Any] = {
        "attributes": {
            "VisibilityTimeout": str(queues.visibility_seconds),
            "MessageRetentionPeriod": str(MESSAGE_SECONDS),
            "ReceiveMessageWaitTimeSeconds": "20",
            "SqsManagedSseEnabled": "true",
        },
        "redrive": {
            "deadLetterTargetArn": names.queue_arn(names.dead(name)),
            "maxReceiveCount": queues.max_receives,
        },
        "tags": owner.tags,
    }
    if name == "ingest":
        settings["policy"] = {"S3MaySend": _s3_may_send(names)}
    return Wish("queue", names.queue(name), settings)


def _s3_may_send(names: Names) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": names.queue_arn(names.queue("ingest")),
        "Condition": {
            "ArnEquals": {"aws:SourceArn": bucket_arn(names.uploads)},
            "StringEquals": {"aws:SourceAccount": names.account},
        },
    }


def _bucket(storage: Storage, owner: Owner, name: str, *, secure: bool) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "tags": owner.tags,
        "public_access": dict.fromkeys(
            ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"),
            True,
        ),
        "encryption": _encryption(storage.encryption.kms_key_id),
        "versioning": "Enabled",
    }
    if secure:  # an emulator speaks plain HTTP on the loopback, and would lock everybody out
        settings["policy"] = {"TlsOnly": _tls_only(name)}
    return settings


def _encryption(key: str | None) -> dict[str, Any]:
    if key is None:
        return {"SSEAlgorithm": "AES256"}
    # Without a bucket's key S3 asks KMS for each object, which costs and is limited in rate.
    return {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key, "BucketKeyEnabled": True}


def _tls_only(bucket: str) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn(bucket), f"{bucket_arn(bucket)}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _lifecycle(storage: Storage) -> dict[str, Any]:
    return {
        "mediaplatform-noncurrent": {
            "Prefix": "",
            "NoncurrentVersionExpiration": {"NoncurrentDays": storage.lifecycle.noncurrent_days},
        }
    }


def _abandoned(storage: Storage) -> dict[str, Any]:
    # A day more than an upload may take: what is on its way is never taken away.
    days = storage.lifecycle.abandoned_upload_days
    return {
        "mediaplatform-abandoned": {
            "Prefix": "incoming/",
            "Expiration": {"Days": days + 1},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days},
        }
    }


def _cors(origin: str, methods: list[str], headers: tuple[str, ...]) -> dict[str, Any]:
    return {
        "AllowedOrigins": [origin],
        "AllowedMethods": methods,
        "AllowedHeaders": list(headers),
        "ExposeHeaders": ["ETag"],
        "MaxAgeSeconds": CORS_SECONDS,
    }
