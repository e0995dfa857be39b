"""A plan as text for people and as JSON for programs: pure functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from mediaplatform_local.cluster.plan import Action, Plan, Step
from mediaplatform_operator.cluster.keep import leaves
from mediaplatform_operator.wiring.model import EXISTENCE

SIGNS: dict[Action, str] = {"create": "+", "change": "~", "delete": "-"}
GROUPS = (("AWS", ("queue", "bucket", "user")), ("Resource", ("MediaPlatform",)))
ELSE = "Cluster"
LONGEST = 100


def text(plan: Plan) -> str:
    lines = []
    groups: dict[str, list[Step]] = {"Resource": [], "AWS": [], ELSE: []}
    for step in plan.steps:
        groups[_group(step)].append(step)
    for name, steps in groups.items():
        if steps:
            lines.append(name)
        for step in steps:
            lines.append(f"  {SIGNS[step.action]} {step.kind} {step.name}")
            lines += [f"      {line}" for line in _details(step)]
    lines += [f"note: {remark}" for remark in plan.remarks]
    return "\n".join([*lines, summary(plan)])


def summary(plan: Plan) -> str:
    if not plan.steps:
        return f"no changes: {plan.resource} is as the file says"
    return ", ".join(f"{plan.count(action)} to {action}" for action in SIGNS)


def document(plan: Plan) -> dict[str, Any]:
    return {
        "resource": plan.resource,
        "steps": [
            {
                "action": step.action,
                "group": _group(step),
                "kind": step.kind,
                "name": step.name,
                "settings": [
                    {"setting": item.setting, "why": item.why, "before": item.before,
                     "after": item.after}
                    for item in step.changes
                    if item.setting != EXISTENCE
                ],
            }
            for step in plan.steps
        ],
        "summary": {action: plan.count(action) for action in SIGNS},
        "remarks": list(plan.remarks),
    }  # fmt: skip


def _group(step: Step) -> str:
    return next((group for group, kinds in GROUPS if step.kind in kinds), ELSE)


def _details(step: Step) -> Iterator[str]:
    """Of what is there and changes; what is new is as the resource says."""
    if step.action != "change":
        return
    for change in step.changes:
        before, after = change.before, change.after
        if isinstance(after, dict):
            before = before or {}
        for path, was, will in leaves(change.setting, before, after):
            yield f"{path}: {_value(was)} -> {_value(will)}"


def _value(value: Any) -> str:
    if value is None:
        return "(none)"
    shown = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
    plain = "".join(sign if sign.isprintable() else "?" for sign in shown)
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"
