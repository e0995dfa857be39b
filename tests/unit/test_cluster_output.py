"""What the cluster's commands print, from what they found."""

from __future__ import annotations

from typing import Any

from mediaplatform_local.cluster import show, status
from mediaplatform_local.cluster.events import Told, lines
from mediaplatform_local.cluster.plan import Plan, steps
from mediaplatform_operator.wiring.model import EXISTENCE, Change
from mediaplatform_operator.wiring.queues import Depth

ABSENT, DIFFERS = "it is not there", "it differs from the resource"
PLAN = Plan(
    "photos/photos",
    steps([
        Change("queue", "q-dead", EXISTENCE, ABSENT, None, {"uid": "1"}),
        Change("queue", "q-dead", "attributes", "it is new", None, {"VisibilityTimeout": "9"}),
        Change("queue", "q", "attributes", DIFFERS, {"A": "1", "B": "2"}, {"A": "1", "B": "3"}),
        Change("bucket", "b", "versioning", DIFFERS, None, "Enabled"),
        Change("bucket", "b", "cors", DIFFERS, {}, {"up": {"AllowedMethods": ["PUT"]}}),
        Change("user", "u-api", "api", "its policy differs", None, "policy and key"),
        Change("user", "u-ingest", "ingest", ABSENT, None, "policy and key"),
        Change("Secret", "s", "data.password", DIFFERS, "(secret)", None),
        Change("ConfigMap", "c", "data.text", DIFFERS, "a\x1b[31m", "b" * 200),
        Change("Deployment", "old", EXISTENCE, "it is no longer wanted", "there", None),
        Change("MediaPlatform", "photos", "spec.host", DIFFERS, "a", "b"),
    ]),
    ("something to know",),
)  # fmt: skip


def test_a_plan_is_grouped_with_what_was_and_what_will_be() -> None:
    assert show.text(PLAN).splitlines() == [
        "Resource",
        "  ~ MediaPlatform photos",
        "      spec.host: a -> b",
        "AWS",
        "  + queue q-dead",
        "  ~ queue q",
        "      attributes.B: 2 -> 3",
        "  ~ bucket b",
        "      versioning: (none) -> Enabled",
        '      cors.up: (none) -> {"AllowedMethods": ["PUT"]}',
        "  ~ user u-api",
        "      api: (none) -> policy and key",
        "  + user u-ingest",
        "Cluster",
        "  ~ Secret s",
        "      data.password: (secret) -> (none)",
        "  ~ ConfigMap c",
        f"      data.text: a?[31m -> {'b' * 99}…",
        "  - Deployment old",
        "note: something to know",
        "2 to create, 6 to change, 1 to delete",
    ]


def test_a_plan_as_json_holds_the_same() -> None:
    found = show.document(PLAN)
    assert found["summary"] == {"create": 2, "change": 6, "delete": 1}
    assert found["remarks"] == ["something to know"]
    [queue] = [step for step in found["steps"] if step["name"] == "q"]
    assert (queue["action"], queue["group"]) == ("change", "AWS")
    assert queue["settings"][0]["after"] == {"A": "1", "B": "3"}
    assert show.text(Plan("a/b", ())) == "no changes: a/b is as the file says"


def condition(kind: str, is_true: str, seen: int = 3) -> dict[str, Any]:
    return {"type": kind, "status": is_true, "reason": "Because", "message": f"{kind} it is",
            "lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": seen}  # fmt: skip


def thing(**more: Any) -> dict[str, Any]:
    conditions = [condition("CacheReady", "True"), condition("Ready", "True")]
    found = {"conditions": conditions, "observedGeneration": 3, "replicas": {"api": "2/2"},
             "endpoints": {"page": "https://a"}, "backlog": 7, **more}  # fmt: skip
    return {"metadata": {"namespace": "n", "name": "p", "generation": 3}, "status": found}


def test_a_status_shows_ready_first_then_parts_replicas_queues_and_events() -> None:
    told = [Told(str(n), f"2026-01-01T00:00:{n:02}Z", "Warning", "DriftPutBack", "MediaPlatform p",
                 f"message {n}", times=n) for n in range(1, 13)]  # fmt: skip
    found = status.text(thing(), {"ingest": Depth(1, 22, 0)}, told).splitlines()
    assert found[:7] == [
        "n/p  ",
        "endpoint  page  https://a",
        "condition   status  reason   since                 message",
        "Ready       True    Because  2026-01-01T00:00:00Z  Ready it is",
        "CacheReady  True    Because  2026-01-01T00:00:00Z  CacheReady it is",
        "service  available",
        "api      2/2",
    ]
    assert found[8] == "ingest  1        22         0"
    assert len(found) == 9 + 10
    assert found[-1].endswith("MediaPlatform p: message 12 (x12)")


def test_a_status_says_what_nobody_knows() -> None:
    found = status.text(thing(plan=[{}, {}]), None, [], "no credentials")
    assert "backlog  7" in found
    assert "queues were not counted: no credentials" in found
    assert "2 settings would change" in found
    fresh = {"metadata": {"namespace": "n", "name": "p", "generation": 1}}
    assert "no operator has looked at it yet" in status.text(fresh, None, [])


def test_ready_counts_for_the_newest_generation_only() -> None:
    assert status.is_ready(thing())
    assert not status.is_ready(thing(conditions=[condition("Ready", "True", seen=2)]))
    assert not status.is_ready(thing(conditions=[condition("Ready", "False")]))
    assert "generation 3 yet" in status.text(thing(observedGeneration=2), None, [])


def test_an_event_is_one_line_that_steers_no_terminal() -> None:
    event = {
        "metadata": {"uid": "1", "creationTimestamp": "2026-01-01T00:00:01Z"},
        "involvedObject": {"kind": "Pod", "name": "p-1"},
        "eventTime": "2026-01-01T00:00:02.123456Z", "reason": "Failed", "type": "Warning",
        "message": "two\nlines \x1b[2J", "series": {"count": 3},
    }  # fmt: skip
    assert lines([Told.of(event)]) == [
        "2026-01-01T00:00:02Z  Warning  Failed                Pod p-1: two lines ?[2J (x3)"
    ]
