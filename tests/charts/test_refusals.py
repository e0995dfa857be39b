"""Values that cannot work are refused, and the refusal names them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.support.helm import CHARTS, OPERATOR, SERVICES, Refused, render

REQUIRED = [
    "host",
    "wiring.uploadsBucket",
    "wiring.mediaBucket",
    "wiring.ingestQueueUrl",
    "wiring.renderQueueUrl",
    "secrets.database",
    "secrets.redis",
    "secrets.tokens",
]
WRONG: list[tuple[str, dict[str, Any], str]] = [
    (SERVICES, {"hots": "a"}, "hots"),
    (SERVICES, {"settings": {"trashDay": 3}}, "trashDay"),
    (SERVICES, {"settings": {"trashDays": 0}}, "trashDays"),
    (SERVICES, {"settings": {"uploadBytes": "5Gi"}}, "uploadBytes"),
    (SERVICES, {"host": "Photos.example.com"}, "host"),
    (SERVICES, {"publicUrl": "https://photos.example.com/"}, "publicUrl"),
    (SERVICES, {"autoscaling": {"provider": "cpu"}}, "provider"),
    (SERVICES, {"images": {"tag": "v1+dirty"}}, "tag"),
    (SERVICES, {"serviceAccounts": {"annotations": {"operator": {}}}}, "operator"),
    (SERVICES, {"awsPublicEndpoint": "https://s3"}, "awsPublicEndpoint wants awsEndpoint"),
    (OPERATOR, {"watch": {"namespace": "a"}}, "namespace"),
    (OPERATOR, {"watch": {"namespaces": ["a", "a"]}}, "namespaces"),
    (OPERATOR, {"aws": {"identities": "Keys"}}, "identities"),
    (OPERATOR, {"aws": {"publicEndpoint": "https://s3"}}, "aws.publicEndpoint wants aws.endpoint"),
    (
        OPERATOR,
        {"watch": {"namespaces": ["a"]}, "secretNamespaces": ["b"]},
        "secretNamespaces is for all namespaces",
    ),
    (OPERATOR, {"serviceAccount": {"create": False}}, "serviceAccount.name is required"),
]


@pytest.mark.parametrize("path", REQUIRED)
def test_what_is_missing_is_named(path: str) -> None:
    *parents, last = path.split(".")
    value: dict[str, Any] = {last: ""}
    for parent in parents:
        value = {parent: value}
    with pytest.raises(Refused, match=rf"{path} is required: \w+ .+\."):
        render(SERVICES, "default", value)


@pytest.mark.parametrize(("chart", "value", "named"), WRONG)
def test_what_is_wrong_is_named(chart: str, value: dict[str, Any], named: str) -> None:
    with pytest.raises(Refused, match=named):
        render(chart, "default", value)


def test_a_name_that_makes_names_of_jobs_too_long_is_refused() -> None:
    (job,) = (item for item in render(SERVICES, "default", release="a" * 40)
              if item["kind"] == "Job")  # fmt: skip
    assert len(job["metadata"]["name"]) <= 63
    with pytest.raises(Refused, match="more than 40 characters"):
        render(SERVICES, "default", release="a" * 41)


@pytest.mark.parametrize("chart", [SERVICES, OPERATOR])
def test_the_schema_knows_every_value_and_no_other(chart: str) -> None:
    schema = json.loads((CHARTS / chart / "values.schema.json").read_text())
    values = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
    assert _schema_paths(schema, schema) - {"global"} == _value_paths(values, schema, schema)


def _schema_paths(schema: Any, whole: Any, path: str = "") -> set[str]:
    """Of what a closed object holds; open ones, such as labels, count as one value."""
    schema = _resolved(schema, whole)
    if "properties" not in schema:
        return {path}
    assert schema["additionalProperties"] is False, path
    return {
        found
        for name, part in schema["properties"].items()
        for found in _schema_paths(part, whole, f"{path}.{name}".lstrip("."))
    }


def _value_paths(value: Any, schema: Any, whole: Any, path: str = "") -> set[str]:
    schema = _resolved(schema, whole)
    if "properties" not in schema:
        return {path}
    if not value:  # maps by component, empty by default
        return _schema_paths(schema, whole, path)
    return {
        found
        for name, part in value.items()
        for found in _value_paths(
            part, schema["properties"][name], whole, f"{path}.{name}".lstrip(".")
        )
    }


def _resolved(schema: Any, whole: Any) -> Any:
    reference = schema.get("$ref")
    return whole["definitions"][reference.rpartition("/")[2]] if reference else schema
