from __future__ import annotations

from typing import Any

import pytest

from mediaplatform_operator.cluster.objects import Object
from mediaplatform_operator.reconcile.services import migrated, replicas, services, starting


def deployment(name: str, *, wanted: int = 2, **status: int) -> Object:
    full = {"observedGeneration": 3, "replicas": wanted, "updatedReplicas": wanted,
            "availableReplicas": wanted, **status}  # fmt: skip
    labels = {"app.kubernetes.io/component": name}
    return {"kind": "Deployment", "metadata": {"generation": 3, "labels": labels},
            "spec": {"replicas": wanted}, "status": full}  # fmt: skip


def pod(name: str, *, waiting: str = "", unschedulable: str = "") -> Object:
    state: dict[str, Any] = {"waiting": {"reason": waiting, "message": "why"}} if waiting else {}
    conditions = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                   "message": unschedulable}] if unschedulable else []  # fmt: skip
    status = {"containerStatuses": [{"state": state}], "conditions": conditions}
    return {"metadata": {"name": name}, "status": status}


def test_all_whole_is_ready() -> None:
    found = services([deployment("api"), deployment("ingest")], {"api": 2, "ingest": 2}, ())
    assert found.status == "True"


@pytest.mark.parametrize(
    ("behind", "says"),
    [
        ({"availableReplicas": 1}, "api 1 of 2"),
        ({"availableReplicas": 1, "updatedReplicas": 1}, "api 1 of 2"),
        ({"observedGeneration": 2}, "api 0 of 2 updated"),
        ({"updatedReplicas": 1}, "api 1 of 2 updated"),
    ],
)
def test_what_is_behind_is_waited_for(behind: dict[str, int], says: str) -> None:
    found = services([deployment("api", **behind)], {"api": 2}, [pod("a", waiting="Creating")])
    assert (found.status, found.reason) == ("False", "Progressing")
    assert found.message == f"waits for {says}"


def test_with_none_wanted_a_change_is_waited_for_until_it_is_seen() -> None:
    none = deployment("ingest", wanted=0, observedGeneration=2)
    assert services([none], {"ingest": 0}, ()).message == "waits for ingest 0 of 0 updated"


def test_scaling_up_is_not_being_unready() -> None:
    growing = deployment("api", wanted=6, availableReplicas=2)
    assert services([growing], {"api": 2}, ()).status == "True"


def test_before_the_autoscaler_came_it_is_not_ready() -> None:
    """A new Deployment has one replica until its autoscaler gives it the fewest."""
    found = services([deployment("api", wanted=1)], {"api": 2}, ())
    assert (found.status, found.message) == ("False", "waits for api 1 of 2")


@pytest.mark.parametrize(
    ("stuck", "says"),
    [
        (pod("api-1", waiting="ImagePullBackOff"), "pod api-1: ImagePullBackOff why"),
        (pod("api-1", unschedulable="0/3 nodes"), "pod api-1: Unschedulable 0/3 nodes"),
    ],
)
def test_a_pod_that_is_stuck_is_named(stuck: Object, says: str) -> None:
    found = services([deployment("api", availableReplicas=0)], {"api": 2}, [stuck])
    assert (found.reason, found.message) == ("PodsFail", says)
    assert starting("CacheReady", "photos-redis", [stuck]).message == says
    assert starting("CacheReady", "photos-redis", [pod("x")]).reason == "Progressing"


@pytest.mark.parametrize(
    ("conditions", "status", "says"),
    [
        ([], "False", "runs"),
        ([{"type": "Complete", "status": "True"}], "True", "done"),
        ([{"type": "Failed", "status": "True", "message": "deadline"}], "False", "(deadline)"),
        ([{"type": "Failed", "status": "False"}], "False", "runs"),
    ],
)
def test_a_migration_is_what_its_job_says(conditions: list[Object], status: str, says: str) -> None:
    job = {"metadata": {"name": "m"}, "status": {"conditions": conditions}}
    found = migrated(job)
    assert found.status == status
    assert says in found.message


def test_replicas_are_available_of_wanted() -> None:
    found = replicas([deployment("ingest", availableReplicas=1), deployment("sweep")])
    assert found == {"ingest": "1/2"}
