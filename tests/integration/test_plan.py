"""`mediaplatform plan` beside what the operator then does: Kubernetes in memory, all else real."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.support.operator import NAMESPACE, Operated, operated, resource, secret

from mediaplatform.errors import Conflict, InvalidInput, NotAllowed, NotFound
from mediaplatform_local.cluster import show
from mediaplatform_local.cluster.installed import installed
from mediaplatform_local.cluster.plan import Plan, Unconnected, plan
from mediaplatform_operator.cluster.fake import FakeCluster
from mediaplatform_operator.cluster.objects import PLATFORM, Kind, Object
from mediaplatform_operator.configuration import Configuration
from mediaplatform_operator.reconcile.parts import Parts
from mediaplatform_operator.wiring.model import Change

pytestmark = pytest.mark.anyio


def written(thing: Object, **spec: Any) -> Object:
    """As a person writes the file: without what the server adds."""
    meta = {name: thing["metadata"][name] for name in ("name", "namespace")}
    return {**thing, "metadata": meta, "spec": {**thing["spec"], **spec}}


def things(planned: Plan, uid: str) -> set[tuple[str, str, str]]:
    return {
        (str(step.action), step.kind, step.name.replace("<uid>", uid[:8]))
        for step in planned.steps
        if step.kind != "MediaPlatform"
    }


def told(changes: list[Change]) -> set[tuple[str, str, str]]:
    return {(change.kind, change.name, change.setting) for change in changes}


async def everything(platform: Operated) -> list[Change]:
    """What the operator does until the resource is ready."""
    done = list[Change]()
    for _ in range(10):
        report = await platform.run()
        done += report.done
        if report.is_ready():
            return done
        platform.control()
    raise AssertionError(report.conditions)


@pytest.fixture
def inside(parts: Parts) -> Operated:
    """With database and Redis in the cluster, which no test here can reach."""
    return operated(replace(parts, backends=Unconnected()), resource(host="photos.example.com"))


@pytest.mark.parametrize("evaluation", [False, True])
async def test_what_a_plan_creates_is_what_the_operator_makes(
    platform: Operated, inside: Operated, *, evaluation: bool
) -> None:
    platform = inside if evaluation else platform
    platform.cluster.writes.clear()
    planned = await plan(platform.parts, written(platform.thing))
    assert platform.cluster.writes == []
    assert {step.action for step in planned.steps} == {"create"}
    again = await plan(platform.parts, written(platform.thing))
    assert show.text(again) == show.text(planned), "nothing was made, and nothing is by chance"
    done = await everything(platform)
    uid = platform.thing["metadata"]["uid"]
    assert things(planned, uid) == {("create", item.kind, item.name) for item in done}


async def test_a_resource_as_it_is_has_no_changes(platform: Operated) -> None:
    platform.cluster.put(platform.thing)
    await platform.until_ready()
    planned = await plan(platform.parts, written(platform.thing))
    assert show.text(planned).splitlines()[-1].startswith("no changes")
    assert planned.steps == ()


async def test_a_change_is_planned_setting_by_setting(platform: Operated) -> None:
    platform.cluster.put(platform.thing)
    await platform.until_ready()
    platform.cluster.writes.clear()
    new = {"queues": {"visibilitySeconds": 77}, "observability": {"dashboards": False},
           "limits": {"requestsPerMinute": 77}}  # fmt: skip
    planned = await plan(platform.parts, written(platform.thing, **new))
    assert platform.cluster.writes == []
    text = show.text(planned)
    name = platform.thing["metadata"]["name"]
    for line in ("attributes.VisibilityTimeout: 120 -> 77", f"  ~ Deployment {name}-api",
                 f"  ~ queue {NAMESPACE}-{name}-ingest",
                 "spec.limits.requestsPerMinute: (none) -> 77",
                 "data.MEDIAPLATFORM_REQUESTS_PER_MINUTE: 600 -> 77"):  # fmt: skip
        assert line in text
    assert [step.kind for step in planned.steps if step.action == "delete"] == ["ConfigMap"]
    platform.change(**new)
    done = await everything(platform)
    others = [step for step in planned.steps if step.kind != "MediaPlatform"]
    assert told([item for step in others for item in step.changes]) == told(done)


async def test_no_secret_is_shown(platform: Operated) -> None:
    platform.cluster.put(platform.thing)
    await platform.until_ready()
    name = f"{platform.thing['metadata']['name']}-tokens"
    theirs = platform.find("Secret", name)
    platform.cluster.put({**theirs, "data": {"secret": "aGlkZGVuIGZyb20geW91", "more": "eA=="}})
    held = [value for thing in platform.cluster if thing["kind"] == "Secret"
            for value in thing["data"].values()]  # fmt: skip
    planned = await plan(platform.parts, written(platform.thing))
    assert f"~ Secret {name}" in show.text(planned)
    shown = show.text(planned) + json.dumps(show.document(planned))
    assert "(secret)" in shown
    assert len(held) > 8
    assert not [value for value in held if value in shown and len(value) > 4]


async def test_somebody_elses_object_ends_the_plan(platform: Operated) -> None:
    name = f"{platform.thing['metadata']['name']}-tokens"
    platform.cluster.put(secret(name, secret="theirs"))
    with pytest.raises(Conflict, match=f"Secret {name} exists and is not ours"):
        await plan(platform.parts, written(platform.thing))


async def test_what_the_server_would_refuse_ends_the_plan(platform: Operated) -> None:
    class Full(FakeCluster):
        async def apply(self, thing: Object, *, dry_run: bool = False, **how: str) -> Object:
            if thing["kind"] == "Deployment":
                raise InvalidInput(f"exceeded quota: {thing['metadata']['name']}")
            return await super().apply(thing, dry_run=dry_run, **how)

    full = Full()
    for thing in platform.cluster:
        full.put(thing)
    with pytest.raises(InvalidInput, match="exceeded quota"):
        await plan(replace(platform.parts, cluster=full), written(platform.thing))
    assert full.writes == []


async def test_who_may_not_see_the_operator_plans_by_its_defaults() -> None:
    class Closed(FakeCluster):
        async def list(self, kind: Kind, namespace: str | None, labels: str = "") -> list[Object]:
            if namespace is None:
                raise NotAllowed(f"you cannot list {kind.plural}")
            return await super().list(kind, namespace, labels)

    found = await installed(Closed(), "photos")
    assert found.configuration == Configuration()
    assert "cannot be read (you cannot list deployments)" in found.remarks[0]


async def test_without_the_crd_it_says_what_to_install(platform: Operated) -> None:
    class Bare(FakeCluster):
        async def knows(self, kind: Kind) -> bool:
            return kind != PLATFORM and await super().knows(kind)

    with pytest.raises(NotFound, match="install the chart mediaplatform-operator"):
        await plan(replace(platform.parts, cluster=Bare()), written(platform.thing))


async def test_paused_or_observed_the_operator_changes_nothing_and_that_is_said(
    platform: Operated,
) -> None:
    paused = await plan(platform.parts, written(platform.thing, paused=True))
    assert [step.kind for step in paused.steps] == ["MediaPlatform"]
    assert "spec.paused" in show.text(paused)
    observed = await plan(platform.parts, written(platform.thing, mode="Observe"))
    assert "only tells of these changes" in show.text(observed)


@pytest.fixture
def operators() -> FakeCluster:
    """Two operators, one of them for a namespace of its own."""
    cluster = FakeCluster()
    for name, namespaces in (("all", ""), ("one", "team")):
        env = {"NAMESPACES": namespaces, "IMAGES_TAG": name, "AWS_IDENTITIES": "Users",
               "VALUES_FILE": "/etc/mediaplatform/values.yaml"}  # fmt: skip
        container = {
            "name": "operator",
            "env": [
                {"name": f"MEDIAPLATFORM_OPERATOR_{key}", "value": value}
                for key, value in env.items()
            ]
            + [{"name": "MEDIAPLATFORM_OPERATOR_POD", "valueFrom": {}}],
            "volumeMounts": [{"name": "values", "mountPath": "/etc/mediaplatform"}],
        }
        volume = {"name": "values", "configMap": {"name": f"{name}-values"}}
        meta = {"name": name, "namespace": "operators",
                "labels": {"app.kubernetes.io/name": "mediaplatform-operator",
                           "app.kubernetes.io/version": "9"}}  # fmt: skip
        spec = {"template": {"spec": {"containers": [container], "volumes": [volume]}}}
        cluster.put({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": spec})
        cluster.put({"apiVersion": "v1", "kind": "ConfigMap",
                     "metadata": {"name": f"{name}-values", "namespace": "operators"},
                     "data": {"values.yaml": f"topology: {{mark: {name}}}"}})  # fmt: skip
    return cluster


async def test_the_settings_are_those_of_the_operator_of_the_namespace(
    operators: FakeCluster,
) -> None:
    found = await installed(operators, "photos")
    assert found.configuration.images_tag == "all"
    assert found.configuration.aws_identities == "Users"
    assert found.configuration.values == {"topology": {"mark": "all"}}
    assert [remark for remark in found.remarks if "of version 9" not in remark] == []
    both = await installed(operators, "team")
    assert "operators/all counts" in both.remarks[1]


async def test_without_an_operator_the_defaults_count_and_that_is_said() -> None:
    found = await installed(FakeCluster(), "photos")
    assert found.configuration == Configuration()
    assert "no operator looks after namespace photos" in found.remarks[0]
