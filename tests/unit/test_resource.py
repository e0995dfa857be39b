"""The resource: defaults, and errors that name the field, what it got and what it wants."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import yaml

from mediaplatform.errors import InvalidInput
from mediaplatform_operator.resource import schema
from mediaplatform_operator.resource.load import load, parse
from mediaplatform_operator.resource.model import Spec
from mediaplatform_operator.resource.quantity import to_bytes
from mediaplatform_operator.resource.rules import RULES

ROOT = Path(__file__).parents[2]

BAD: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "spec.host: is missing"),
    ({"host": "A b"}, "spec.host: got 'A b', wants text like"),
    ({"host": "a", "apI": {}}, "spec.apI: unknown field, did you mean api?"),
    ({"host": "a", "queues": {"visiblitySeconds": 60}}, "did you mean visibilitySeconds?"),
    ({"host": "a", "queues": {"visibilitySeconds": 1}}, "got 1, wants greater than or equal to 30"),
    ({"host": "a", "storage": {"deletion": "x"}}, "wants 'Retain', 'Delete' or 'DeleteWithData'"),
    ({"host": "a", "api": {"replicas": {"min": 7}}}, "spec.api.replicas.min: got 7, wants at most"),
    ({"host": "a", "redis": {"external": {"secret": "a"}, "inCluster": {}}}, "not both"),
    ({"host": "a", "database": {"external": {"secret": "a"}, "inCluster": {}}}, "not both"),
    ({"host": "a", "limits": {"uploadBytes": "5Gb"}}, "spec.limits.uploadBytes: got '5Gb'"),
    ({"host": "a", "limits": {"storagePerUser": "1Gi"}}, "at most storagePerUser"),
    ({"host": "a", "auth": {"local": False}}, "nobody could sign in"),
    ({"host": "a", "aws": {"publicEndpoint": "http://a"}}, "wants an endpoint too"),
    ({"host": "a", "workers": {"render": {"replicas": {"min": 0}}}}, "autoscaling.provider keda"),
)


def resource(spec: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "MediaPlatform", "metadata": {"name": "photos"}, "spec": spec}


@pytest.mark.parametrize("name", ["local.yaml", "production.yaml"])
def test_the_examples_load(name: str) -> None:
    assert load(ROOT / "examples" / name).metadata.name == "photos"


def test_a_host_is_enough() -> None:
    spec = parse(resource({"host": "photos.example.com"})).spec
    assert (spec.api.replicas.min, spec.api.replicas.max) == (2, 6)
    assert spec.storage.deletion == "Retain"
    assert spec.limits.upload == 5 * 1024**3


@pytest.mark.parametrize(("spec", "sentence"), BAD)
def test_a_mistake_names_the_field_and_the_remedy(spec: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(resource(spec))
    assert sentence in caught.value.message


def test_every_mistake_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(resource({"host": "A", "queues": {"maxReceives": 0}}))
    assert len(caught.value.message.splitlines()) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "is not YAML"),
        ("kind: Pod", "holds 0 resources of kind MediaPlatform, wants one"),
        ("kind: MediaPlatform\n---\nkind: MediaPlatform", "holds 2 resources"),
    ],
)
def test_a_file_that_is_no_resource_says_so(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=sentence):
        load(path)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("quantity", "size"), [("7", 7), ("2k", 2000), ("3Ki", 3072), ("5Gi", 5 * 2**30)]
)
def test_quantities_are_kubernetes_own(quantity: str, size: int) -> None:
    assert to_bytes(quantity) == size


def test_the_crd_in_the_repository_is_the_one_of_the_types() -> None:
    written = io.StringIO()
    with redirect_stdout(written):
        schema.main()
    assert (ROOT / "crds/mediaplatforms.yaml").read_text() == written.getvalue(), "run `make crd`"


def nodes(node: dict[str, Any]) -> list[dict[str, Any]]:
    """A schema node and all below it."""
    below = [*node.get("properties", {}).values(), *([node["items"]] if "items" in node else [])]
    return [node] + [found for item in below for found in nodes(item)]


def test_the_schema_is_structural() -> None:
    crd = yaml.safe_load((ROOT / "crds/mediaplatforms.yaml").read_text())
    [version] = crd["spec"]["versions"]
    for node in nodes(version["schema"]["openAPIV3Schema"]):
        assert "type" in node
        assert not {"$ref", "anyOf", "oneOf", "allOf", "title", "additionalProperties"} & set(node)
        default = node.get("default")
        assert default is None or default == {} or not isinstance(default, dict)


def test_every_rule_is_in_the_schema_where_it_applies() -> None:
    spec = schema.spec_schema()
    for rule in RULES:
        node = spec
        for name in filter(None, rule.path.split(".")):
            node = node["properties"][name]
        assert rule.cel in [item["rule"] for item in node["x-kubernetes-validations"]]


def test_every_default_of_the_types_is_one_of_the_schema() -> None:
    def filled(node: dict[str, Any]) -> Any:
        if node["type"] != "object":
            return node.get("default")
        below = {name: filled(item) for name, item in node["properties"].items()}
        return {name: value for name, value in below.items() if value not in (None, {})}

    def plain(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        below = {name: plain(item) for name, item in value.items()}
        return {name: item for name, item in below.items() if item not in (None, {})}

    wanted = plain(Spec(host="a").model_dump(by_alias=True))
    optional = filled(schema.spec_schema())
    assert {"host": "a"} | {key: optional[key] for key in wanted if key != "host"} == wanted


def test_the_folder_operator_never_shadows_the_standard_library() -> None:
    assert not (ROOT / "operator/__init__.py").exists()
