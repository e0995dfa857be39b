"""Replicas, and who decides on them; budgets, zones and rolling updates."""

from __future__ import annotations

import pytest

from tests.support.helm import SERVICES, Object, Refused, of_kind, render, rendered, variants

EVERY = pytest.mark.parametrize("variant", variants(SERVICES))


@EVERY
def test_replicas_are_set_exactly_where_nothing_scales(variant: str) -> None:
    objects = rendered(SERVICES, variant)
    scaled = {item["spec"]["scaleTargetRef"]["name"] for item in _scalers(objects)}
    for name, deployment in of_kind(objects, "Deployment").items():
        assert ("replicas" in deployment["spec"]) != (name in scaled)


@EVERY
def test_what_scales_names_a_deployment_and_its_bounds(variant: str) -> None:
    objects = rendered(SERVICES, variant)
    deployments = of_kind(objects, "Deployment")
    for item in _scalers(objects):
        spec = item["spec"]
        assert spec["scaleTargetRef"]["name"] in deployments
        least = spec.get("minReplicas", spec.get("minReplicaCount"))
        most = spec.get("maxReplicas", spec.get("maxReplicaCount"))
        assert 0 <= least <= most


def _scalers(objects: tuple[Object, ...]) -> list[Object]:
    return [*of_kind(objects, "HorizontalPodAutoscaler").values(),
            *of_kind(objects, "ScaledObject").values()]  # fmt: skip


def test_the_api_follows_requests_and_workers_follow_their_queue() -> None:
    scalers = of_kind(rendered(SERVICES, "full"), "HorizontalPodAutoscaler")
    (api,) = scalers["photos-api"]["spec"]["metrics"]
    assert api["pods"] == {
        "metric": {"name": "mediaplatform_http_requests_in_flight"},
        "target": {"type": "AverageValue", "averageValue": "20"},
    }
    (render,) = scalers["photos-render"]["spec"]["metrics"]
    labels = {"resource": "photos", "queue": "render"}
    assert render["external"] == {
        "metric": {"name": "mediaplatform_queue_messages", "selector": {"matchLabels": labels}},
        "target": {"type": "AverageValue", "averageValue": "2"},
    }


def test_without_prometheus_keda_keeps_what_runs() -> None:
    for item in of_kind(rendered(SERVICES, "keda"), "ScaledObject").values():
        fallback = item["spec"]["fallback"]
        assert fallback["behavior"] == "currentReplicasIfHigher"
        assert fallback["replicas"] >= 1
        (trigger,) = item["spec"]["triggers"]
        assert trigger["metadata"]["ignoreNullValues"] == "false"


@EVERY
def test_a_budget_covers_the_pods_of_one_deployment(variant: str) -> None:
    objects = rendered(SERVICES, variant)
    deployments = of_kind(objects, "Deployment")
    budgets = of_kind(objects, "PodDisruptionBudget")
    assert budgets.keys() == deployments.keys() - {"photos-sweep"}
    for name, budget in budgets.items():
        selector = budget["spec"]["selector"]["matchLabels"]
        hit = {key for key, item in deployments.items() if _matches(selector, item)}
        assert hit == {name}
        assert budget["spec"]["maxUnavailable"] == 1


def _matches(selector: Object, deployment: Object) -> bool:
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    return bool(selector.items() <= labels.items())


@EVERY
def test_selectors_are_what_never_changes_and_hit_their_own_pods(variant: str) -> None:
    for item in of_kind(rendered(SERVICES, variant), "Deployment").values():
        selector = item["spec"]["selector"]["matchLabels"]
        names = {key.rpartition("/")[2] for key in selector}
        assert names == {"name", "instance", "component"}
        assert _matches(selector, item)


@EVERY
def test_nodes_of_a_lost_zone_hold_back_no_pod(variant: str) -> None:
    """Their taint takes them out of the count only with Honor, which is not the default."""
    for item in of_kind(rendered(SERVICES, variant), "Deployment").values():
        spec = item["spec"]["template"]["spec"]
        keys = set()
        for spread in spec["topologySpreadConstraints"]:
            keys.add(spread["topologyKey"])
            assert spread["nodeTaintsPolicy"] == "Honor"
            assert spread["matchLabelKeys"] == ["pod-template-hash"]
            assert "minDomains" not in spread
        assert keys == {"topology.kubernetes.io/zone", "kubernetes.io/hostname"}
        # A toleration of NoSchedule would count the lost nodes in again.
        ours = [one for one in spec["tolerations"] if one["key"].startswith("node.kubernetes.io")]
        assert {one["effect"] for one in ours} == {"NoExecute"}


@EVERY
def test_a_rolling_update_starts_a_pod_before_it_stops_one(variant: str) -> None:
    for item in of_kind(rendered(SERVICES, variant), "Deployment").values():
        rolling = {"maxUnavailable": 0, "maxSurge": 1}
        assert item["spec"]["strategy"]["rollingUpdate"] == rolling


def test_only_keda_starts_from_none() -> None:
    none = {"workers": {"render": {"replicas": {"min": 0}}}}
    with pytest.raises(Refused, match="min must be at least 1, or autoscaling"):
        render(SERVICES, "default", none)
    scaled = of_kind(render(SERVICES, "keda", none), "ScaledObject")
    assert scaled["photos-render"]["spec"]["minReplicaCount"] == 0


def test_keda_wants_to_know_where_prometheus_is() -> None:
    with pytest.raises(Refused, match="prometheusAddress is required"):
        render(SERVICES, "default", {"autoscaling": {"provider": "keda"}})


def test_the_least_is_at_most_the_most() -> None:
    with pytest.raises(Refused, match=r"api\.replicas\.min must be at most api\.replicas\.max"):
        render(SERVICES, "default", {"api": {"replicas": {"min": 3, "max": 2}}})
