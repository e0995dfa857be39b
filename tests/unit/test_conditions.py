from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from mediaplatform.errors import (
    Conflict,
    InvalidInput,
    MediaPlatformError,
    NotAllowed,
    NotFound,
    Throttled,
    Unavailable,
)
from mediaplatform_operator.reconcile.conditions import (
    PARTS,
    Condition,
    merged,
    overall,
    progressing,
    refused,
)
from mediaplatform_operator.reconcile.report import SHOWN, Report, document
from mediaplatform_operator.wiring.model import Change

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


def good(kind: str) -> Condition:
    return Condition(kind, "True", "Fine", "as wanted")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (NotAllowed("x"), "NotPermitted"),
        (Conflict("x"), "Conflict"),
        (InvalidInput("x"), "Invalid"),
        (NotFound("x"), "NotFound"),
        (Throttled("x"), "Throttled"),
        (Unavailable("x"), "Unavailable"),
    ],
)
def test_an_error_becomes_the_condition_of_its_part(fault: MediaPlatformError, reason: str) -> None:
    assert refused("StorageReady", fault) == Condition("StorageReady", "False", reason, "x")


def test_ready_is_what_all_parts_are() -> None:
    parts = {name: good(name) for name in PARTS}
    assert overall(parts, "well").status == "True"
    for name in PARTS:
        broken = {**parts, name: Condition(name, "False", "Broken", "mend it")}
        found = overall(broken, "well")
        assert (found.status, found.reason) == ("False", "Broken")
        assert found.message == f"{name}: mend it"


def test_a_part_nobody_came_to_is_waited_for() -> None:
    found = overall({"QueuesReady": good("QueuesReady")}, "")
    assert (found.reason, found.message) == ("Progressing", "waits for StorageReady")


def test_what_makes_progress_is_no_fault() -> None:
    assert not progressing("Migrated", "runs").is_fault
    assert refused("Migrated", Unavailable("x")).is_fault


def test_the_time_is_that_of_the_last_turn() -> None:
    first = merged([], [good("Ready")], generation=1, at=NOW)
    later = NOW + timedelta(hours=1)
    same = merged(first, [good("Ready")], generation=2, at=later)
    assert same[0]["lastTransitionTime"] == first[0]["lastTransitionTime"] == "2026-11-21T09:00:00Z"
    assert same[0]["observedGeneration"] == 2
    turned = merged(same, [refused("Ready", Unavailable("x"))], generation=2, at=later)
    assert turned[0]["lastTransitionTime"] == "2026-11-21T10:00:00Z"


def test_conditions_that_a_pass_did_not_come_to_stay() -> None:
    before = merged([], [good("Migrated")], generation=1, at=NOW)
    after = merged(before, [good("QueuesReady")], generation=1, at=NOW)
    assert [item["type"] for item in after] == ["Migrated", "QueuesReady"]


def test_the_same_report_gives_the_same_status() -> None:
    report = Report({name: good(name) for name in PARTS})
    report.backlog = 3
    first = document({}, report, generation=1, at=NOW)
    assert first["backlog"] == 3
    assert document(first, report, generation=1, at=NOW + timedelta(hours=1)) == first


def test_a_plan_is_shown_in_part_and_without_long_values() -> None:
    change = Change("queue", "q", "policy", "it differs", {"a": "x" * 1000}, None)
    shown = document({}, Report(planned=[change] * 500), generation=1, at=NOW)["plan"]
    assert len(shown) == SHOWN
    assert len(shown[0]["before"]) == 200
    assert shown[0]["after"] == "null"
