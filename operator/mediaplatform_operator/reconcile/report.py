"""What one pass found and did; from it come status, events and metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mediaplatform_operator.reconcile.conditions import Condition, merged, overall
from mediaplatform_operator.wiring.model import Change

SHOWN = 100  # changes of a plan in the status
TEXT = 200


@dataclass
class Report:
    conditions: dict[str, Condition] = field(default_factory=dict)
    planned: list[Change] = field(default_factory=list)  # what Observe mode would do
    done: list[Change] = field(default_factory=list)
    drift: list[Change] = field(default_factory=list)  # the part of `done` that others caused
    inventory: list[dict[str, str]] = field(default_factory=list)
    endpoints: dict[str, str] = field(default_factory=dict)
    replicas: dict[str, str] = field(default_factory=dict)
    backlog: int | None = None
    restless: bool = False  # pods are about to go, or to be placed anew: look again soon
    remark: str = ""
    whole: bool = False  # nothing was left out because a part before it is not ready
    applied: str = ""  # digest of what was fully applied; empty until it was

    def put(self, condition: Condition) -> None:
        self.conditions[condition.type] = condition

    def is_ready(self) -> bool:
        return self.ready.status == "True"

    @property
    def ready(self) -> Condition:
        return self.conditions.get("Ready") or overall(self.conditions, self.remark)


def document(
    before: Mapping[str, Any], report: Report, *, generation: int, at: datetime
) -> dict[str, Any]:
    """The status, with what this pass did not look at as it was before."""
    now = [*report.conditions.values()]
    if "Ready" not in report.conditions:
        now.append(report.ready)
    found: dict[str, Any] = {
        **before,
        "observedGeneration": generation,
        "conditions": merged(before.get("conditions", ()), now, generation=generation, at=at),
    }
    for name in ("inventory", "endpoints", "replicas", "applied"):
        value = getattr(report, name)
        if value:
            found[name] = value
    if report.backlog is not None:
        found["backlog"] = report.backlog
    found["plan"] = [described(change) for change in report.planned[:SHOWN]]
    return {name: value for name, value in found.items() if value not in ([], {}, "")}


def described(change: Change) -> dict[str, str]:
    """A change as texts; values in JSON, and not too long."""
    return {
        "resource": change.resource,
        "setting": change.setting,
        "why": change.why,
        "before": _text(change.before),
        "after": _text(change.after),
    }


def sentence(change: Change) -> str:
    return f"{change.resource}: {change.setting} ({change.why})"


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= TEXT else text[: TEXT - 1] + "…"
