"""The OpenAPI document (3.1) of the table of operations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from mediaplatform_api.operations import Access, Model, Operation

REF = "#/components/schemas/{model}"


class Problem(Model):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    field: str | None = None
    errors: list[dict[str, str]] | None = None


def document(operations: Sequence[Operation], server: str) -> dict[str, Any]:
    models = {
        (model, mode)
        for operation in operations
        for model, mode in (
            (operation.body, "validation"),
            (operation.answer, "serialization"),
            (Problem, "serialization"),
        )
        if model is not None
    }
    ordered = sorted(models, key=lambda pair: (pair[0].__name__, pair[1]))
    _, schemas = models_json_schema(ordered, ref_template=REF)  # type: ignore[arg-type]
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _describe(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "MediaPlatform",
            "version": version("mediaplatform"),
            "description": "Share media. Errors are problem documents (RFC 9457) that say what "
            "to do; pages are keyset pages with an opaque cursor.",
        },
        "servers": [{"url": server}],
        "paths": paths,
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def _describe(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.path.split("/")[2]],
        "parameters": _parameters(operation),
        "responses": _responses(operation),
    }
    if operation.description:
        described["description"] = operation.description
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _json(operation.body)}
    if operation.access is Access.SIGNED_IN:
        described["security"] = [{"bearer": []}]
    elif operation.access is Access.KNOWN_IF_SIGNED_IN:
        described["security"] = [{}, {"bearer": []}]
    return described


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    uuid = {"type": "string", "format": "uuid"}
    found = [
        {"name": name, "in": "path", "required": True, "schema": uuid}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]
    if operation.query is not None:
        found += _query(operation.query)
    headers = dict(operation.headers)
    if operation.idempotent:
        headers["Idempotency-Key"] = "the same key again gives the first answer again"
    for name, text in headers.items():
        schema = {"type": "string", "maxLength": 200}
        found.append({"name": name, "in": "header", "description": text, "schema": schema})
    return found


def _query(model: type[BaseModel]) -> list[dict[str, Any]]:
    schema = model.model_json_schema(by_alias=True)
    required = schema.get("required", ())
    definitions = schema.get("$defs", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": described.pop("description", ""),
            "schema": _inline(described, definitions),
            **({"style": "form", "explode": False} if described.get("type") == "array" else {}),
        }
        for name, described in schema["properties"].items()
    ]


def _inline(schema: Any, definitions: Mapping[str, Any]) -> Any:
    """The schema with what it refers to in place: parameters have no definitions of their own."""
    if isinstance(schema, list):
        return [_inline(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return _inline(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {key: _inline(value, definitions) for key, value in schema.items()}


def _responses(operation: Operation) -> dict[str, Any]:
    success: dict[str, Any] = {"description": HTTPStatus(operation.status).phrase}
    if operation.answer is not None:
        success["content"] = _json(operation.answer)
    found = {str(operation.status): success}
    codes = {*operation.problems, 429, 503}
    if operation.body is not None or operation.query is not None:
        codes.add(422)
    if operation.access is not Access.ANYBODY:
        codes.add(401)
    if operation.idempotent:
        codes |= {409, 422}
    if "If-None-Match" in operation.headers:
        found["304"] = {"description": HTTPStatus(304).phrase}
    for code in sorted(codes):
        content = {"application/problem+json": {"schema": {"$ref": REF.format(model="Problem")}}}
        found[str(code)] = {"description": HTTPStatus(code).phrase, "content": content}
    return found


def _json(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": REF.format(model=model.__name__)}}}
