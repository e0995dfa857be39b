"""Which workers are the last to go."""

from __future__ import annotations

from typing import Any

import pytest

from mediaplatform_operator.cluster.objects import Object
from mediaplatform_operator.reconcile.busy import COST, cost, marks, may_shrink, workers

COMPONENT = "app.kubernetes.io/component"


def deployment(component: str, replicas: int) -> Object:
    return {"metadata": {"labels": {COMPONENT: component}}, "spec": {"replicas": replicas}}


def pod(name: str, component: str = "ingest", **more: Any) -> Object:
    meta = {"name": name, "namespace": "photos", "uid": f"u-{name}",
            "labels": {COMPONENT: component}, **more.get("metadata", {})}  # fmt: skip
    return {
        "metadata": meta,
        "status": {"phase": "Running", "podIP": name, **more.get("status", {})},
    }


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, 0), (9.9, 0), (10, 10), (19, 10), (20, 20), (39, 20), (40, 40), (80, 80), (3600, 2560)],
)
def test_the_cost_grows_in_steps_that_double(seconds: float, expected: int) -> None:
    assert cost(seconds) == expected


def test_only_what_has_more_than_its_least_may_shrink() -> None:
    found = [deployment("api", 6), deployment("ingest", 3), deployment("render", 1)]
    assert may_shrink(found, {"ingest": 2, "render": 1}) == {"ingest"}
    assert may_shrink(found, {"ingest": 3, "render": 1}) == frozenset()


def test_only_workers_that_run_and_stay_are_asked() -> None:
    found = [
        pod("a"), pod("b", "api"), pod("c", status={"phase": "Pending"}),
        pod("d", metadata={"deletionTimestamp": "now"}), pod("e", status={"podIP": None}),
    ]  # fmt: skip
    del found[-1]["status"]["podIP"]
    assert list(workers(found, frozenset({"ingest"}))) == ["a"]


def test_a_mark_is_written_only_when_it_changes() -> None:
    dear = {"annotations": {COST: "40"}}
    asked = {
        name: pod(name, metadata=meta)
        for name, meta in {
            "idle": {}, "new": {}, "same": dear, "later": dear, "done": dear, "silent": dear,
        }.items()
    }  # fmt: skip
    ages = {"idle": 3.0, "new": 12.0, "same": 79.0, "later": 81.0, "done": 0.0}
    found = {it["metadata"]["name"]: it["metadata"] for it in marks(asked, ages)}
    costs = {name: meta["annotations"][COST] for name, meta in found.items()}
    assert costs == {"new": "10", "later": "80", "done": "0"}
    assert found["new"]["uid"] == "u-new"
