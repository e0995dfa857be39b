"""skaffold.yaml is one by skaffold's own schema, and fits Dockerfile, charts and operator."""

from __future__ import annotations

import copy
import json
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from mediaplatform_operator.configuration import Configuration
from mediaplatform_operator.reconcile.aws import predicted
from mediaplatform_operator.reconcile.parts import effective
from mediaplatform_operator.release.values import values
from mediaplatform_operator.resource.load import parse
from mediaplatform_operator.wiring.names import Names
from tests.support.helm import ROOT, Object, of_kind, pods, render, tool

ACCOUNT = "000000000000"  # the emulator's
TEMPLATE = re.compile(r"^{{\.IMAGE_(REPO|TAG)_(\w+)}}$")


@cache
def modules() -> dict[str, Object]:
    found = yaml.safe_load_all((ROOT / "skaffold.yaml").read_text())
    return {module["metadata"]["name"]: module for module in found}


def release(module: str) -> Object:
    [found] = modules()[module]["deploy"]["helm"]["releases"]
    return dict(found)


def given(module: str) -> Object:
    """The values that helm gets: `overrides`, and the images as skaffold has named them."""
    found: Object = copy.deepcopy(release(module)["overrides"])
    for path, template in release(module)["setValueTemplates"].items():
        match = TEMPLATE.match(template)
        assert match, template
        image = match[2].replace("_", "-")
        assert image in images(module)
        _put(found, path.split("."), image if match[1] == "REPO" else f"tag-of-{image}")
    return found


def images(module: str) -> dict[str, str]:
    """Image to target of the Dockerfile."""
    artifacts = modules()[module]["build"]["artifacts"]
    return {item["image"]: item["docker"]["target"] for item in artifacts}


def rendered(module: str) -> tuple[Object, ...]:
    chart = ROOT / release(module)["chartPath"]
    return render(chart, given(module), release=release(module)["name"])


@pytest.mark.parametrize("module", ["operator", "services"])
def test_skaffolds_own_schema_takes_it(module: str) -> None:
    file = Path(tool("skaffold-schema"))
    check = jsonschema_rs.validator_for(json.loads(file.read_text()))
    assert modules()[module]["apiVersion"] == f"skaffold/{file.name.split('-')[0]}"
    assert [str(fault) for fault in check.iter_errors(modules()[module])] == []
    wrong = modules()[module] | {"deploy": {"helm": {"release": []}}}
    assert list(check.iter_errors(wrong))


@pytest.mark.parametrize("module", ["operator", "services"])
def test_each_image_is_a_target_and_runs_under_the_tag_that_skaffold_gave_it(module: str) -> None:
    stages = re.findall(r"^FROM \S+ AS (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert set(images(module).values()) <= set(stages)
    running = {
        container["image"] for _, spec in pods(rendered(module)) for container in spec["containers"]
    }
    assert running == {f"{image}:tag-of-{image}" for image in images(module)}


def test_the_services_get_what_the_operator_would_give_them() -> None:
    thing = yaml.safe_load((ROOT / "examples/inner-loop.yaml").read_text())
    environment = {
        item["name"]: item.get("value", "")
        for _, spec in pods(rendered("operator"))
        for container in spec["containers"]
        for item in container["env"]
    }
    operator = Configuration.from_environment(
        environment | {"MEDIAPLATFORM_OPERATOR_VALUES_FILE": os.devnull}
    )
    resource = effective(parse(thing), operator)
    names = Names.of(resource, uid="", account=ACCOUNT)
    wanted = values(resource, predicted(resource, names), operator, {})
    ours = release("services")["overrides"]
    for name in ("host", "awsEndpoint", "awsPublicEndpoint", "wiring"):
        assert ours[name] == wanted[name]
    assert ours["secrets"] == {k: v for k, v in wanted["secrets"].items() if k != "checksum"}
    meta = thing["metadata"]
    assert (meta["name"], meta["namespace"]) == ("photos", release("services")["namespace"])
    assert release("operator")["overrides"]["watch"]["namespaces"] == [meta["namespace"]]


def test_hooks_and_ports_lead_to_what_is_there() -> None:
    hooks = modules()["operator"]["deploy"]["helm"]["hooks"]
    for hook in (*hooks["before"], *hooks["after"]):
        script, argument = hook["host"]["command"]
        assert os.access(ROOT / script, os.X_OK)
        assert f"  {argument})" in (ROOT / script).read_text()
    [port] = modules()["services"]["portForward"]
    service = of_kind(rendered("services"), "Service")[port["resourceName"]]
    assert port["port"] in [item["port"] for item in service["spec"]["ports"]]


def test_the_values_of_the_readme_suit_the_same_cluster() -> None:
    file = ROOT / "tests/cluster/operator-values.yaml"
    assert str(file.relative_to(ROOT)) in (ROOT / "README.md").read_text()
    chosen = yaml.safe_load(file.read_text())
    assert of_kind(render("mediaplatform-operator", chosen), "Deployment")
    ours = release("operator")["overrides"]
    assert (chosen["aws"], chosen["watch"]) == (ours["aws"], ours["watch"])
    alone = render("mediaplatform", "default", chosen["services"]["values"])
    [ingress] = of_kind(alone, "Ingress").values()
    assert [item["secretName"] for item in ingress["spec"]["tls"]] == ["tls"]


def _put(values: dict[str, Any], path: list[str], value: str) -> None:
    for name in path[:-1]:
        values = values.setdefault(name, {})
    values[path[-1]] = value
