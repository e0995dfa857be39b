"""Every pod of both charts: what it may do, what it gets, when it counts as alive."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.helm import OPERATOR, SERVICES, Object, pods, rendered, variants

Pod = tuple[Object, Object]


def _all() -> Iterator[object]:
    for chart in (SERVICES, OPERATOR):
        for variant in variants(chart):
            for meta, spec in pods(rendered(chart, variant)):
                yield pytest.param((meta, spec), id=f"{chart}-{variant}-{meta['name']}")


@pytest.fixture(params=_all())
def pod(request: pytest.FixtureRequest) -> Pod:
    found: Pod = request.param
    return found


def test_it_passes_the_restricted_profile(pod: Pod) -> None:
    _, spec = pod
    context = spec["securityContext"]
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] == 10001
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & spec.keys()
    for container in spec["containers"]:
        own = container["securityContext"]
        assert own["allowPrivilegeEscalation"] is False
        assert own["capabilities"] == {"drop": ["ALL"]}
        assert not {"privileged", "procMount", "runAsUser"} & own.keys()
    for volume in spec.get("volumes", ()):
        assert volume.keys() - {"name"} <= {"emptyDir", "configMap"}


def test_it_writes_only_to_folders_of_limited_size(pod: Pod) -> None:
    _, spec = pod
    volumes = {volume["name"]: volume for volume in spec.get("volumes", ())}
    for container in spec["containers"]:
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        for mount in container.get("volumeMounts", ()):
            volume = volumes[mount["name"]]
            assert mount.get("readOnly") or volume["emptyDir"]["sizeLimit"]


def test_it_asks_for_what_it_needs_and_no_more_memory_than_it_may_have(pod: Pod) -> None:
    _, spec = pod
    for container in spec["containers"]:
        resources = container["resources"]
        assert resources["requests"].keys() == {"cpu", "memory"}
        asked, limit = resources["requests"]["memory"], resources["limits"]["memory"]
        assert _bytes(asked) <= _bytes(limit)


def test_only_the_operator_has_a_token_of_the_cluster(pod: Pod) -> None:
    meta, spec = pod
    operator = meta["labels"]["app.kubernetes.io/name"] == OPERATOR
    assert spec["automountServiceAccountToken"] is operator


def test_services_of_its_namespace_do_not_become_its_environment(pod: Pod) -> None:
    """A Service named `mediaplatform` would set MEDIAPLATFORM_PORT to an address."""
    assert pod[1]["enableServiceLinks"] is False


def test_its_image_has_a_version(pod: Pod) -> None:
    for container in pod[1]["containers"]:
        _, at, digest = container["image"].partition("@")
        tag = container["image"].partition(":")[2]
        assert digest.startswith("sha256:") if at else tag not in {"", "latest"}


def test_what_runs_for_long_is_probed_and_tells_metrics(pod: Pod) -> None:
    _, spec = pod
    if spec.get("restartPolicy", "Always") == "Always":
        (container,) = spec["containers"]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports["metrics"] == 9090
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = container[probe]["httpGet"]
            assert asked["path"].startswith("/health")
            assert asked["port"] in ports


def _bytes(quantity: str) -> int:
    units = {"Mi": 1024**2, "Gi": 1024**3}
    return int(quantity[:-2]) * units[quantity[-2:]]
