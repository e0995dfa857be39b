"""What applying a resource would do: the operator's own pass over it, observing."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Literal

from mediaplatform.errors import Conflict, MediaPlatformError, Unavailable
from mediaplatform_local.cluster.reach import check_installed
from mediaplatform_operator.cluster.keep import differences
from mediaplatform_operator.cluster.objects import PLATFORM, Key, Object
from mediaplatform_operator.reconcile.conditions import error_of
from mediaplatform_operator.reconcile.parts import Memory, Parts
from mediaplatform_operator.reconcile.reconcile import Pass
from mediaplatform_operator.reconcile.report import Report
from mediaplatform_operator.wiring.model import ABSENT, EXISTENCE, Change
from mediaplatform_operator.wiring.names import UID_DIGITS

Action = Literal["create", "change", "delete"]
UNKNOWN = "<uid>"  # the API server gives a new resource its UID when it is applied
NOT_TRIED = "PostgreSQL and Redis were not connected to: only the operator's pod reaches them"


class Unconnected:
    """Backends that are not asked: a plan does not depend on their answer."""

    async def check_database(self, url: str) -> None: ...

    async def check_redis(self, url: str) -> None: ...


@dataclass(frozen=True)
class Step:
    """One queue, bucket, user or object, and the settings that change."""

    action: Action
    kind: str
    name: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Plan:
    resource: str  # '{namespace}/{name}'
    steps: tuple[Step, ...]
    remarks: tuple[str, ...] = ()

    def count(self, action: Action) -> int:
        return sum(step.action == action for step in self.steps)


async def plan(parts: Parts, thing: Object) -> Plan:
    """Reads only. `parts.backends` is not asked.

    Raises InvalidInput for a resource that the API server refuses, NotFound without its CRD,
    Conflict where something belongs to others, NotAllowed, Throttled or Unavailable.
    """
    meta = thing["metadata"]
    await check_installed(parts.cluster)
    there = await parts.cluster.get(PLATFORM, meta["namespace"], meta["name"])
    if there is not None and there["metadata"].get("deletionTimestamp"):
        raise Conflict(f"MediaPlatform {meta['name']} is being deleted: wait until it is gone")
    would = await parts.cluster.check(thing)
    remarks = [NOT_TRIED]
    changes = _own_changes(there, would)
    if would["spec"].get("paused"):
        remarks.append("spec.paused: the operator does nothing until it is false")
    else:
        if would["spec"].get("mode") == "Observe":
            remarks.append("spec.mode is Observe: the operator only tells of these changes")
        changes += await _changes(replace(parts, backends=Unconnected()), would)
    if there is None:
        uid = would["metadata"]["uid"]
        changes = [_without_uid(change, uid) for change in changes]
    return Plan(f"{meta['namespace']}/{meta['name']}", steps(changes), tuple(remarks))


def steps(changes: list[Change]) -> tuple[Step, ...]:
    """By thing, in the order in which they are made."""
    grouped: dict[tuple[str, str], list[Change]] = {}
    for change in changes:
        grouped.setdefault((change.kind, change.name), []).append(change)
    return tuple(
        Step(_action(group), kind, name, tuple(group)) for (kind, name), group in grouped.items()
    )


def _action(changes: list[Change]) -> Action:
    if any(change.why == ABSENT for change in changes):
        return "create"
    gone = any(change.setting == EXISTENCE and change.after is None for change in changes)
    return "delete" if gone else "change"


async def _changes(parts: Parts, would: Object) -> list[Change]:
    observed = {**would, "spec": {**would["spec"], "mode": "Observe"}}
    seen = Pass(parts, observed, Memory())
    report = await seen.run()
    if not report.whole:
        raise _fault(report)
    new = {(change.kind, change.name) for change in report.planned if change.why == ABSENT}
    for wish in seen.wishes:
        if (wish["kind"], wish["metadata"]["name"]) in new:
            await parts.cluster.apply(wish, dry_run=True)  # quotas and admission may refuse it
    return report.planned


def _fault(report: Report) -> MediaPlatformError:
    """What stopped the pass."""
    for condition in (*report.conditions.values(), report.ready):
        if condition.is_fault and condition.reason != "WouldChange":
            return error_of(condition)
    return Unavailable(report.ready.message)


def _own_changes(there: Object | None, would: Object) -> list[Change]:
    key = Key.of(would)
    if there is None:
        return [Change(key.kind, key.name, EXISTENCE, ABSENT, None, "there")]
    return list(differences(key, {"spec": there["spec"]}, {"spec": would["spec"]}))


def _without_uid(change: Change, uid: str) -> Change:
    """The UID of a dry run is not the one that the resource will have."""

    def plain(value: Any) -> Any:
        text = json.dumps(value).replace(uid, UNKNOWN)
        return json.loads(text.replace(uid.replace("-", "")[:UID_DIGITS], UNKNOWN))

    return replace(
        change, name=plain(change.name), before=plain(change.before), after=plain(change.after)
    )
