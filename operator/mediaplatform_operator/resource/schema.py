"""`crds/mediaplatforms.yaml` from the typed resource; `make crd` writes it.

A structural schema: no references, no alternatives, every field with a type.
https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from __future__ import annotations

import sys
from typing import Any

import yaml

from mediaplatform_operator.resource.model import GROUP, KIND, VERSION, Metadata, Spec
from mediaplatform_operator.resource.rules import RULES, TRANSITIONS

KEPT = ("type", "description", "default", "enum", "pattern", "minimum", "maximum", "minLength",
        "maxLength")  # fmt: skip
TEXT = {"type": "string"}
NUMBER = {"type": "integer", "format": "int64"}
COLUMNS = (
    ("Ready", "string", ".status.conditions[?(@.type=='Ready')].status"),
    ("Host", "string", ".spec.host"),
    ("API", "string", ".status.replicas.api"),
    ("Ingest", "string", ".status.replicas.ingest"),
    ("Render", "string", ".status.replicas.render"),
    ("Backlog", "integer", ".status.backlog"),
    ("Age", "date", ".metadata.creationTimestamp"),
)


def crd() -> dict[str, Any]:
    """The CustomResourceDefinition, ready to be applied."""
    names = {"kind": KIND, "listKind": f"{KIND}List", "plural": "mediaplatforms",
             "singular": "mediaplatform", "shortNames": ["mp"]}  # fmt: skip
    version = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [
            {"name": name, "type": kind, "jsonPath": path} for name, kind, path in COLUMNS
        ],
        "schema": {"openAPIV3Schema": _object(
            {"apiVersion": TEXT, "kind": TEXT, "metadata": metadata_schema(),
             "spec": spec_schema(), "status": status_schema()}, ["spec"],
        )},
    }  # fmt: skip
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"mediaplatforms.{GROUP}"},
        "spec": {"group": GROUP, "names": names, "scope": "Namespaced", "versions": [version]},
    }


def metadata_schema() -> dict[str, Any]:
    """The name alone: an API server lets a CRD restrict nothing else of the metadata."""
    name = Metadata.model_json_schema()["properties"]["name"]
    return _object({"name": _structural(name, {})})


def spec_schema() -> dict[str, Any]:
    raw = Spec.model_json_schema(by_alias=True)
    schema = _structural(raw, raw.get("$defs", {}))
    for rule in RULES:
        path = ".".join(part for part in ("spec", rule.path, rule.field) if part)
        _add(schema, rule.path, {"rule": rule.cel, "message": f"{path} wants {rule.wants}"})
    for path, cel, message in TRANSITIONS:
        _add(schema, path, {"rule": cel, "message": f"spec.{path}.{message}"})
    return schema


def status_schema() -> dict[str, Any]:
    condition = _object(
        {"type": TEXT, "status": {**TEXT, "enum": ["True", "False", "Unknown"]}, "reason": TEXT,
         "message": TEXT, "observedGeneration": NUMBER,
         "lastTransitionTime": {**TEXT, "format": "date-time"}},
        ["type", "status", "reason", "message", "lastTransitionTime"],
    )  # fmt: skip
    change = _object(dict.fromkeys(("resource", "setting", "why", "before", "after"), TEXT))
    money = dict.fromkeys(("low", "expected", "high", "currency"), TEXT)
    return _object({
        "observedGeneration": NUMBER,
        "conditions": {"type": "array", "items": condition, "x-kubernetes-list-type": "map",
                       "x-kubernetes-list-map-keys": ["type"]},
        "inventory": {"type": "array", "items": _object({"kind": TEXT, "name": TEXT, "id": TEXT})},
        "endpoints": _object({"page": TEXT, "api": TEXT}),
        "replicas": _object(dict.fromkeys(("api", "ingest", "render"), TEXT)),
        "backlog": NUMBER,
        "plan": {"type": "array", "items": change},
        "applied": TEXT,
        "cost": _object(money),
    })  # fmt: skip


def _structural(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """The same without references, and with `anyOf [X, null]` as an X that may be left out."""
    if "$ref" in node:
        return _structural(
            {**definitions[node["$ref"].rpartition("/")[2]], **_own(node)}, definitions
        )
    if "anyOf" in node:
        [only] = [item for item in node["anyOf"] if item != {"type": "null"}]
        kept = {key: value for key, value in _own(node).items() if key != "default"}
        return _structural({**only, **kept}, definitions)
    if "const" in node:
        return {"type": "string", "enum": [node["const"]]}
    schema = {key: node[key] for key in KEPT if key in node and node[key] is not None}
    if node.get("type") == "object":
        if "default" in schema:  # whole: the API server tries its rules on the default as it stands
            schema["default"] = _without_nulls(schema["default"])
        schema["properties"] = {
            name: _structural(value, definitions)
            for name, value in node.get("properties", {}).items()
        }
        if node.get("required"):
            schema["required"] = node["required"]
    return schema


def _without_nulls(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _without_nulls(item) for name, item in value.items() if item is not None}


def _own(node: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in ("$ref", "anyOf", "title")}


def _object(properties: dict[str, Any], required: list[str] | None = None) -> dict[str, Any]:
    return {"type": "object", "properties": properties} | (
        {"required": required} if required else {}
    )


def _add(schema: dict[str, Any], path: str, rule: dict[str, str]) -> None:
    for name in filter(None, path.split(".")):
        schema = schema["properties"][name]
    schema.setdefault("x-kubernetes-validations", []).append(rule)


class _Plain(yaml.SafeDumper):
    """Without anchors, which kubectl reads and people do not."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def main() -> None:
    sys.stdout.write("# Generated by `make crd` from operator/mediaplatform_operator/resource.\n")
    yaml.dump(crd(), sys.stdout, Dumper=_Plain, sort_keys=False, width=100)


if __name__ == "__main__":
    main()
