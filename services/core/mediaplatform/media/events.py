"""What arrives on the ingest queue: S3's events about uploads, and our own jobs.

S3 sends each event at least once and in no order; `sequencer` orders the events of one key.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import unquote_plus
from uuid import UUID

from mediaplatform.errors import InvalidInput

SEQUENCER_DIGITS = 64


class Happened(Enum):
    CREATED = "created"
    REMOVED = "removed"


@dataclass(frozen=True)
class ObjectEvent:
    happened: Happened
    key: str
    sequencer: str  # padded, so that plain comparison orders the events of a key
    etag: str | None = None


@dataclass(frozen=True)
class IngestJob:
    media_id: UUID


def parse(body: str) -> tuple[ObjectEvent | IngestJob, ...]:
    """What a message asks for; nothing for S3's test event.

    Raises InvalidInput for a message that is neither an event nor a job.
    """
    try:
        content = json.loads(body)
        if "job" in content:
            return (_job(content),)
        if content.get("Event") == "s3:TestEvent":
            return ()
        return tuple(_event(record) for record in content["Records"])
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise InvalidInput(f"not a message for the ingest queue: {fault!r}") from fault


def _job(content: Mapping[str, Any]) -> IngestJob:
    if content["job"] != "ingest":
        raise ValueError(f"unknown job {content['job']!r}")
    return IngestJob(UUID(content["mediaId"]))


def _event(record: Mapping[str, Any]) -> ObjectEvent:
    if not str(record["eventVersion"]).startswith("2."):
        raise ValueError(f"event version {record['eventVersion']!r}, wanted 2.x")
    created = str(record["eventName"]).removeprefix("s3:").startswith("ObjectCreated:")
    thing = record["s3"]["object"]
    return ObjectEvent(
        Happened.CREATED if created else Happened.REMOVED,
        unquote_plus(thing["key"]),
        pad(str(thing.get("sequencer", ""))),
        thing.get("eTag"),
    )


def pad(sequencer: str) -> str:
    """Hexadecimal, right-padded with zeros to one length, as AWS says to compare them."""
    return sequencer.lower().ljust(SEQUENCER_DIGITS, "0")
