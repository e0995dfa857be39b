"""The operator's chart: the CRD it brings, and how little it may do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from mediaplatform_operator.configuration import PREFIX, Configuration
from tests.support.helm import (
    CHARTS,
    OPERATOR,
    ROOT,
    SERVICES,
    Object,
    of_kind,
    render,
    rendered,
    variants,
)  # fmt: skip

DEFAULT, NAMESPACED, WITH_SECRETS = "default", "namespaces", "secrets"
PLURALS = {"NetworkPolicy": "networkpolicies", "Ingress": "ingresses"}
FULL = {"get", "list", "watch", "create", "patch", "delete"}


def rules(variant: str, *kinds: str) -> Iterator[tuple[Object, Object]]:
    """Each rule with the role that it stands in."""
    for item in rendered(OPERATOR, variant):
        if item["kind"] in kinds:
            for rule in item["rules"]:
                yield item, rule


def test_the_definition_is_the_one_of_this_release_and_stays() -> None:
    canonical = yaml.safe_load((ROOT / "crds/mediaplatforms.yaml").read_text())
    (found,) = of_kind(rendered(OPERATOR, DEFAULT), "CustomResourceDefinition").values()
    kept = {"annotations": {"helm.sh/resource-policy": "keep"}}
    assert found == {**canonical, "metadata": {**canonical["metadata"], **kept}}, "run `make crd`"
    without = render(OPERATOR, DEFAULT, {"crd": {"install": False}})
    assert not of_kind(without, "CustomResourceDefinition")


def test_no_secret_is_in_reach_of_the_whole_cluster() -> None:
    for variant in variants(OPERATOR):
        bound = {
            item["roleRef"]["name"] for item in rendered(OPERATOR, variant)
            if item["kind"] == "ClusterRoleBinding"
        }  # fmt: skip
        for role, rule in rules(variant, "ClusterRole"):
            if role["metadata"]["name"] in bound:
                assert not {"secrets", "*"} & set(rule["resources"])


def test_no_rule_has_a_wildcard_or_a_right_over_rights() -> None:
    for variant in variants(OPERATOR):
        for _, rule in rules(variant, "Role", "ClusterRole"):
            everything = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert not everything & {"*", "escalate", "bind", "impersonate"}
            assert "rbac.authorization.k8s.io" not in rule["apiGroups"]


def test_for_listed_namespaces_it_has_no_right_elsewhere() -> None:
    objects = rendered(OPERATOR, NAMESPACED)
    kinds = {item["kind"] for item in objects}
    assert not {"ClusterRole", "ClusterRoleBinding"} & kinds
    where = {item["metadata"]["namespace"] for item, _ in rules(NAMESPACED, "Role")}
    assert where == {"photos", "videos", "team"}  # the last one is its own, for the Lease
    own = [rule for role, rule in rules(NAMESPACED, "Role")
           if role["metadata"]["namespace"] == "team"]  # fmt: skip
    assert [rule["resources"] for rule in own] == [["leases"]]


def test_nodes_are_listed_where_zones_are_looked_after() -> None:
    asked = render(OPERATOR, NAMESPACED, {"rbac": {"nodes": True}})
    for objects in (rendered(OPERATOR, DEFAULT), asked):
        found = of_kind(objects, "ClusterRole")["photos-nodes"]
        assert found["rules"] == [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}]
        assert "photos-nodes" in of_kind(objects, "ClusterRoleBinding")


def test_secrets_of_a_namespace_are_granted_by_a_binding_in_it() -> None:
    bindings = [
        item for item in rendered(OPERATOR, WITH_SECRETS)
        if item["kind"] == "RoleBinding" and item["roleRef"]["name"] == "photos-secrets"
    ]  # fmt: skip
    assert [item["metadata"]["namespace"] for item in bindings] == ["photos"]
    assert bindings[0]["roleRef"]["kind"] == "ClusterRole"


@pytest.mark.parametrize("variant", [DEFAULT, NAMESPACED])
def test_it_may_keep_everything_that_the_services_are_made_of(variant: str) -> None:
    granted = {
        (group, resource)
        for _, rule in rules(variant, "Role", "ClusterRole")
        if set(rule["verbs"]) >= FULL
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    for services in variants(SERVICES):
        for item in rendered(SERVICES, services):
            kind = item["kind"]
            group = item["apiVersion"].rpartition("/")[0]
            hook = item["metadata"].get("annotations", {}).get("helm.sh/hook")
            if hook != "test":
                assert (group, PLURALS.get(kind, f"{kind.lower()}s")) in granted


def test_every_right_is_bound_to_its_account() -> None:
    for variant in variants(OPERATOR):
        for item in rendered(OPERATOR, variant):
            if item["kind"].endswith("Binding"):
                (subject,) = item["subjects"]
                assert subject == {"kind": "ServiceAccount", "name": "photos", "namespace": "team"}


def configuration(objects: tuple[Object, ...], folder: Path) -> Configuration:
    """As the pod reads it, with its ConfigMap mounted at `folder`."""
    spec = of_kind(objects, "Deployment")["photos"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    environment = {item["name"]: item.get("value", "given") for item in container["env"]}
    names = {name for name in environment if name.startswith(PREFIX)}
    wanted = {PREFIX + field.name.upper() for field in fields(Configuration)}
    assert names == wanted - {f"{PREFIX}CHART", f"{PREFIX}VALUES"} | {f"{PREFIX}VALUES_FILE"}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    where, _, file = environment[f"{PREFIX}VALUES_FILE"].rpartition("/")
    assert where == mounts["values"]
    (folder / file).write_text(of_kind(objects, "ConfigMap")["photos-values"]["data"][file])
    environment[f"{PREFIX}VALUES_FILE"] = str(folder / file)
    return Configuration.from_environment(environment)


def test_the_operator_starts_with_its_environment_and_its_own_defaults(tmp_path: Path) -> None:
    found = configuration(rendered(OPERATOR, DEFAULT), tmp_path)
    version = yaml.safe_load((CHARTS / OPERATOR / "Chart.yaml").read_text())["appVersion"]
    plain = Configuration(namespace="given", pod="given", images_tag=version)
    assert found == plain


def test_what_is_set_reaches_the_operator(tmp_path: Path) -> None:
    found = configuration(rendered(OPERATOR, NAMESPACED), tmp_path)
    assert found.namespaces == ("photos", "videos")
    assert found.values == {
        "autoscaling": {"prometheusAddress": "http://prometheus.monitoring:9090"}
    }
    assert found.images_registry == "registry.example.com/media"
    assert found.aws_identities == "Users"
    assert found.aws_endpoint == "http://aws.emulator:4566"
    assert found.aws_public_endpoint == "https://s3.photos.test"
    assert found.ingress_class == "traefik"


def test_services_get_images_of_their_own_where_told(tmp_path: Path) -> None:
    services = {"registry": "mirror", "tag": "1.2.3", "pullPolicy": "Always"}
    found = configuration(render(OPERATOR, DEFAULT, {"services": services}), tmp_path)
    assert (found.images_registry, found.images_tag) == ("mirror", "1.2.3")
    assert found.images_pull_policy == "Always"


@pytest.mark.parametrize("chart", [SERVICES, OPERATOR])
def test_the_charts_have_the_version_of_the_project(chart: str) -> None:
    found = yaml.safe_load((CHARTS / chart / "Chart.yaml").read_text())
    project = (ROOT / "pyproject.toml").read_text()
    assert f'version = "{found["appVersion"]}"' in project
