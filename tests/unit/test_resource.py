"""The resource: defaults, and errors that name the field, what it got and what it wants."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.api_server import ApiServer

from mediaplatform.errors import InvalidInput
from mediaplatform_operator.resource import schema
from mediaplatform_operator.resource.load import load, parse
from mediaplatform_operator.resource.model import Queues, Spec
from mediaplatform_operator.resource.quantity import to_bytes
from mediaplatform_operator.resource.rules import RULES

ROOT = Path(__file__).parents[2]
SERVER = ApiServer(yaml.safe_load((ROOT / "crds/mediaplatforms.yaml").read_text()))

BAD: tuple[tuple[dict[str, Any], str], ...] = (
    ({}, "spec.host: is missing"),
    ({"host": "A b"}, "spec.host: got 'A b', wants text like"),
    ({"host": "a", "apI": {}}, "spec.apI: unknown field, did you mean api?"),
    ({"host": "a", "queues": {"visiblitySeconds": 60}}, "did you mean visibilitySeconds?"),
    ({"host": "a", "queues": {"visibilitySeconds": 1}}, "got 1, wants greater than or equal to 30"),
    ({"host": "a", "api": {"replicas": {"min": "3"}}}, "min: got '3', wants a whole number"),
    ({"host": "a", "api": {"replicas": {"min": 2.5}}}, "min: got 2.5, wants a whole number"),
    ({"host": "a", "queues": {"maxReceives": True}}, "got True, wants a whole number"),
    (
        {"host": "a", "storage": {"encryption": {"kmsKeyId": "photos"}}},
        "spec.storage.encryption.kmsKeyId: got 'photos', wants",
    ),
    ({"host": "a", "paused": "yes"}, "spec.paused: got 'yes', wants true or false"),
    ({"host": "a", "paused": 1}, "spec.paused: got 1, wants true or false"),
    ({"host": 5}, "spec.host: got 5, wants text"),
    ({"host": "a", "storage": "x"}, "spec.storage: got 'x', wants fields below it"),
    ({"host": "a", "storage": ["x"]}, "spec.storage: got ['x'], wants fields below it"),
    ({"host": "a", "queues": {"max_receives": 5}}, "spec.queues.max_receives: unknown field, did"),
    ({"host": "a", "redis": {"in_cluster": {}}}, "unknown field, did you mean inCluster?"),
    ({"host": "a", "mail": {}}, "spec.mail.secret: is missing"),
    ({"host": "a", "mail": {"secret": None}}, "spec.mail.secret: is missing"),
    ({"host": None}, "spec.host: is missing"),
    ({"host": "a", "more": None}, "spec.more: unknown field"),
    ({"host": "a", "aws": {"endpoint": "http://a\u00a0b"}}, "spec.aws.endpoint: got"),
    ({"host": "a", "limits": {"storagePerUser": "9999999Ti"}}, "storagePerUser: got '9999999Ti'"),
    ({"host": "a", "ingress": {"tls": {"secretName": "a" * 64}}}, "wants at most 63 characters"),
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
    assert SERVER.faults(resource(spec)), "by the CRD alone it would be taken"


def test_what_is_null_is_left_out_as_an_api_server_does() -> None:
    nulls = {"host": "a", "storage": None, "api": {"replicas": {"min": None, "max": 9}}}
    assert parse(resource(nulls)) == parse(resource({"host": "a", "api": {"replicas": {"max": 9}}}))


def test_a_whole_number_may_be_written_with_a_point() -> None:
    assert parse(resource({"host": "a", "queues": {"maxReceives": 3.0}})).spec.queues == Queues(
        maxReceives=3
    )


@pytest.mark.parametrize(
    "change", [{"apiVersion": "v1"}, {"api_version": "v1"}, {"kind": "Pod"}, {"spce": {}}]
)
def test_only_our_own_kind_is_read(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        parse(resource({"host": "a"}) | change)


def test_what_the_api_server_wrote_into_a_resource_is_left_aside() -> None:
    content = resource({"host": "a"})
    seen = content | {
        "metadata": {"name": "photos", "uid": "1", "managedFields": []},
        "status": {"backlog": 3},
    }
    assert parse(seen) == parse(content)


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
        if isinstance(node.get("default"), dict):
            # An API server tries the rules below on the default as it stands.
            inner = {
                key: item["default"]
                for key, item in node["properties"].items()
                if "default" in item
            }
            assert node["default"] == inner


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
