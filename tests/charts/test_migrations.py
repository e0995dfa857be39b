"""The migration Job: before everything else, on nothing but the database's Secret."""

from __future__ import annotations

from typing import Any

from tests.support.helm import SERVICES, Object, of_kind, render, rendered


def job(*values: Any) -> tuple[str, Object]:
    ((name, found),) = of_kind(render(SERVICES, *values), "Job").items()
    return name, found


def test_as_a_hook_it_needs_nothing_of_the_release() -> None:
    _, found = job("default")
    assert found["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    spec = found["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert "serviceAccountName" not in spec
    assert "envFrom" not in container
    (url,) = container["env"]
    assert url["name"] == "MEDIAPLATFORM_DATABASE_URL"
    assert url["valueFrom"]["secretKeyRef"] == {"name": "photos-db", "key": "url"}


def test_for_the_operator_it_is_a_plain_job_that_stays() -> None:
    _, found = job("external")
    assert "annotations" not in found["metadata"]
    assert "ttlSecondsAfterFinished" not in found["spec"]
    assert found["metadata"]["labels"]["app.kubernetes.io/component"] == "migrate"


def test_another_release_is_another_job_and_other_replicas_are_not() -> None:
    """A Job's pods cannot be changed, and one that was done is not run again."""
    name, _ = job("external")
    assert job("external", {"images": {"tag": "0.2.0"}})[0] != name
    assert job("external", {"secrets": {"checksum": {"migrate": "another"}}})[0] != name
    assert job("external", {"migration": {"post": True}})[0] != name
    assert job("external", {"api": {"replicas": {"min": 3}}})[0] == name


def test_only_halves_that_add_are_applied_unless_told_otherwise() -> None:
    assert _command(job("default")[1])[-1] == "pre"
    assert _command(job("default", {"migration": {"post": True}})[1])[-1] == "all"


def _command(found: Object) -> list[str]:
    (container,) = found["spec"]["template"]["spec"]["containers"]
    command: list[str] = container["command"]
    return command


def test_it_is_left_out_where_somebody_else_migrates() -> None:
    assert not of_kind(render(SERVICES, "default", {"migration": {"enabled": False}}), "Job")


def test_no_hooks_but_it_and_the_test() -> None:
    hooks = {
        item["metadata"]["name"].partition("-migrate")[0]: annotation
        for item in rendered(SERVICES, "full")
        if (annotation := item["metadata"].get("annotations", {}).get("helm.sh/hook"))
    }
    assert hooks == {"photos": "pre-install,pre-upgrade", "photos-test": "test"}
