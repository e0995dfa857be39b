"""What is wanted, what is there, and the changes between them. All values are plain JSON.

A setting is the part of an AWS configuration that we own. Where AWS keeps a list that others may
add to (lifecycle rules, notifications, statements of a policy, tags), a setting holds our entries
by their Id, and nothing else of that list is looked at or touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Settings = Mapping[str, Any]
EXISTENCE = "existence"
ABSENT = "it is not there"  # why something is made


@dataclass(frozen=True)
class Wish:
    """One queue or bucket as the resource wants it; its settings in the order of being set."""

    kind: str  # 'queue' or 'bucket'
    name: str
    settings: Settings
    derived: bool = True  # the name is made from the resource's own, and nobody else's


@dataclass(frozen=True)
class Seen:
    """One queue or bucket as it is; `settings` holds those that a wish names."""

    settings: Settings
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """One setting that is to change, of a queue, a bucket, or an object of the cluster."""

    kind: str
    name: str
    setting: str  # EXISTENCE, or a key of the wish's settings
    why: str
    before: Any
    after: Any

    @property
    def resource(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Owner:
    """Whose the queues and buckets are, as their tags say it."""

    uid: str
    name: str  # '{namespace}/{name}'

    @property
    def tags(self) -> dict[str, str]:
        return {UID_TAG: self.uid, NAME_TAG: self.name}


UID_TAG = "mediaplatform.io/uid"
NAME_TAG = "mediaplatform.io/resource"
# Who may take it over, '{namespace}/{name}': set by hand, or by a resource that leaves it behind.
ADOPT_TAG = "mediaplatform.io/adopt"
OFFER = "offer"  # the setting that this tag is: once somebody has taken it up, it goes
