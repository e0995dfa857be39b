"""When pods that crowd in some zones are placed anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mediaplatform_operator.cluster.nodes import ZONE, Node
from mediaplatform_operator.cluster.objects import Key, Object
from mediaplatform_operator.reconcile.spread import (
    AGAIN,
    LASTING,
    Uneven,
    kept,
    marked,
    uneven,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LABELS = {"app": "api"}
API = Key("Deployment", "photos-api")
LOST = {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}
RATHER_NOT = {"key": "spot", "effect": "PreferNoSchedule"}


def node(zone: str, *taints: dict[str, str], **labels: str) -> Node:
    return Node(f"node-{zone}", {ZONE: zone, **labels}, taints)


def pod(zone: str, **meta: Any) -> Object:
    return {"metadata": {"labels": {**LABELS, "hash": "1"}, **meta},
            "spec": {"nodeName": f"node-{zone}"}}  # fmt: skip


def deployment(replicas: int = 3, *, bound: str = "DoNotSchedule", **spec: Any) -> Object:
    counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas"), replicas)
    constraints = [{"topologyKey": ZONE, "whenUnsatisfiable": bound}]
    return {
        "kind": "Deployment",
        "metadata": {"name": API.name, "generation": 4, "resourceVersion": "7"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": LABELS},
            "template": {
                "metadata": {"annotations": {"other": "1"}},
                "spec": {"topologySpreadConstraints": constraints, **spec},
            },
        },
        "status": {**counts, "observedGeneration": 4},
    }


ZONES = [node("a"), node("b"), node("c")]
CROWDED = [pod("b"), pod("b"), pod("c")]


def test_a_zone_that_is_back_and_empty_is_seen() -> None:
    assert uneven(deployment(), CROWDED, ZONES) == {"a": 0, "b": 2, "c": 1}


@pytest.mark.parametrize(
    ("pods", "nodes"),
    [
        ([pod("a"), pod("b"), pod("c")], ZONES),
        ([pod("a"), pod("b")], ZONES),
        (CROWDED, [node("a", LOST), *ZONES[1:]]),
        (CROWDED, [node("b"), node("c")]),
        (CROWDED, [Node("node-b", {}, ()), Node("node-c", {}, ())]),
        (CROWDED, []),
        ([pod("b"), pod("b", deletionTimestamp="now"), pod("c")], ZONES),
        ([pod("b"), pod("b", labels={"app": "ingest"}), pod("c")], ZONES),
    ],
)
def test_nothing_is_to_be_done(pods: list[Object], nodes: list[Node]) -> None:
    assert uneven(deployment(), pods, nodes) == {}


@pytest.mark.parametrize(
    "change",
    [{"replicas": 4}, {"updatedReplicas": 2}, {"availableReplicas": 2}, {"observedGeneration": 3}],
)
def test_a_deployment_that_is_not_whole_is_left_alone(change: dict[str, int]) -> None:
    thing = deployment()
    thing["status"] |= change
    assert uneven(thing, CROWDED, ZONES) == {}


def test_where_zones_are_only_tried_nothing_is_restarted() -> None:
    assert uneven(deployment(bound="ScheduleAnyway"), CROWDED, ZONES) == {}


def test_only_zones_that_the_pods_may_run_in_count() -> None:
    chosen = deployment(nodeSelector={"disk": "fast"})
    fast = [node("b", disk="fast"), node("c", disk="fast")]
    assert uneven(chosen, CROWDED, [node("a"), *fast]) == {}
    assert uneven(chosen, CROWDED, [node("a", disk="fast"), *fast])


@pytest.mark.parametrize(
    ("toleration", "seen"),
    [
        ({"operator": "Exists"}, True),
        ({"key": "team", "operator": "Exists"}, True),
        ({"key": "team", "value": "media", "effect": "NoSchedule"}, True),
        ({"key": "team", "value": "other"}, False),
        ({"key": "team", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
    ],
)
def test_a_tainted_zone_counts_for_pods_that_tolerate_it(
    toleration: dict[str, str], *, seen: bool
) -> None:
    mine = {"key": "team", "value": "media", "effect": "NoSchedule"}
    nodes = [node("a", mine, RATHER_NOT), *ZONES[1:]]
    assert bool(uneven(deployment(tolerations=[toleration]), CROWDED, nodes)) is seen


def test_what_lasts_is_due_and_what_passes_is_not() -> None:
    memory, things = Uneven(), [deployment()]
    assert memory.due(things, CROWDED, ZONES, NOW) == {}
    assert memory.due(things, [pod("a"), pod("b"), pod("c")], ZONES, NOW + LASTING) == {}
    assert memory.due(things, CROWDED, ZONES, NOW + LASTING) == {}
    found = memory.due(things, CROWDED, ZONES, NOW + 2 * LASTING)
    assert found == {API: {"a": 0, "b": 2, "c": 1}}


def test_it_is_restarted_once_an_hour_at_most() -> None:
    thing = marked(deployment(), NOW.isoformat())
    memory = Uneven({API: NOW})
    assert memory.due([thing], CROWDED, ZONES, NOW + AGAIN - timedelta(seconds=1)) == {}
    assert API in memory.due([thing], CROWDED, ZONES, NOW + AGAIN)


def test_what_was_even_is_looked_at_again_once_something_changed() -> None:
    memory, things = Uneven(), [deployment()]
    assert not memory.is_known(things, ZONES)
    memory.due(things, [pod("a"), pod("b"), pod("c")], ZONES, NOW)
    assert memory.is_known(things, ZONES)
    assert not memory.is_known(things, ZONES[1:])
    changed = deployment()
    changed["metadata"]["resourceVersion"] = "8"
    assert not memory.is_known([changed], ZONES)
    memory.due(things, CROWDED, ZONES, NOW)
    assert not memory.is_known(things, ZONES)


def test_the_mark_stays_and_nothing_else_changes() -> None:
    wish, there = deployment(), marked(deployment(), "then")
    assert kept(wish, {API: there}) == there
    assert kept(wish, {API: deployment()}) == wish
    assert kept(wish, {}) == wish


@pytest.mark.parametrize("mark", ["soon", "2026-11-20T12:00:00"])
def test_a_mark_that_was_edited_is_no_obstacle(mark: str) -> None:
    memory = Uneven({API: NOW})
    assert API in memory.due([marked(deployment(), mark)], CROWDED, ZONES, NOW + LASTING)
