"""Conditions of the status: each with a reason and a sentence that says what to do.

https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from mediaplatform.errors import (
    Conflict,
    InvalidInput,
    MediaPlatformError,
    NotAllowed,
    NotFound,
    Throttled,
    Unavailable,
)

Status = Literal["True", "False", "Unknown"]
PARTS = (
    "QueuesReady",
    "StorageReady",
    "CacheReady",
    "DatabaseReady",
    "Migrated",
    "ServicesReady",
)
PROGRESSING = "Progressing"
_REASONS: Sequence[tuple[type[MediaPlatformError], str]] = (
    (NotAllowed, "NotPermitted"),
    (Conflict, "Conflict"),
    (InvalidInput, "Invalid"),
    (NotFound, "NotFound"),
    (Throttled, "Throttled"),
)


@dataclass(frozen=True)
class Condition:
    type: str
    status: Status
    reason: str
    message: str

    @property
    def is_fault(self) -> bool:
        return self.status == "False" and self.reason != PROGRESSING


def refused(kind: str, fault: MediaPlatformError) -> Condition:
    """The condition that this error makes of its part."""
    reason = next((name for error, name in _REASONS if isinstance(fault, error)), "Unavailable")
    return Condition(kind, "False", reason, fault.message)


def error_of(condition: Condition) -> MediaPlatformError:
    """The error that a part's condition tells of."""
    error = next((error for error, name in _REASONS if name == condition.reason), Unavailable)
    return error(f"{condition.type}: {condition.message}")


def progressing(kind: str, message: str) -> Condition:
    return Condition(kind, "False", PROGRESSING, message)


def overall(parts: Mapping[str, Condition], remark: str) -> Condition:
    """Ready, or the first part that is not, in the order in which they depend on each other."""
    for name in PARTS:
        part = parts.get(name)
        if part is not None and part.status != "True":
            return Condition("Ready", part.status, part.reason, f"{name}: {part.message}")
    missing = [name for name in PARTS if name not in parts]
    if missing:
        return progressing("Ready", f"waits for {missing[0]}")
    return Condition("Ready", "True", "AllPartsReady", remark)


def merged(
    before: Iterable[Mapping[str, Any]],
    now: Iterable[Condition],
    *,
    generation: int,
    at: datetime,
) -> list[dict[str, Any]]:
    """As the status holds them; the time is that of the last change of `status`."""
    found = {item["type"]: dict(item) for item in before}
    for condition in now:
        old = found.get(condition.type)
        moved = old is None or old["status"] != condition.status
        found[condition.type] = {
            "type": condition.type,
            "status": condition.status,
            "reason": condition.reason,
            "message": condition.message,
            "observedGeneration": generation,
            "lastTransitionTime": at.strftime("%Y-%m-%dT%H:%M:%SZ")
            if old is None or moved
            else old["lastTransitionTime"],
        }
    return sorted(found.values(), key=lambda item: str(item["type"]))
