"""A resource from YAML, with errors that name the field, what it got and what it wants."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from mediaplatform.errors import InvalidInput
from mediaplatform_operator.resource.model import GROUP, KIND, VERSION, MediaPlatform
from mediaplatform_operator.resource.rules import broken

_WANTS = {"int_type": "a whole number", "bool_type": "true or false", "string_type": "text",
          "model_type": "fields below it"}  # fmt: skip


def load(path: Path) -> MediaPlatform:
    """The one resource in a file, checked. Raises InvalidInput."""
    return parse(read(path))


def read(path: Path) -> dict[str, Any]:
    """The one resource in a file, as it is written there. Raises InvalidInput."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as fault:
        raise InvalidInput(f"{path} cannot be read: {fault}") from fault
    try:
        documents = [item for item in yaml.safe_load_all(text) if item is not None]
    except yaml.YAMLError as fault:
        raise InvalidInput(f"{path} is not YAML: {fault}") from fault
    wanted = [item for item in documents if isinstance(item, dict) and item.get("kind") == KIND]
    if len(wanted) != 1:
        raise InvalidInput(f"{path} holds {len(wanted)} resources of kind {KIND}, wants one")
    found: dict[str, Any] = wanted[0]
    return found


def parse(content: Any) -> MediaPlatform:
    """A checked resource, its status left aside. Raises InvalidInput with a line for each fault."""
    if isinstance(content, dict):
        content = {"apiVersion": f"{GROUP}/{VERSION}", **content}
        content.pop("status", None)
    try:
        resource = MediaPlatform.model_validate(content)
    except ValidationError as fault:
        raise InvalidInput("\n".join(_sentence(dict(item)) for item in fault.errors())) from fault
    faults = broken(resource.spec)
    if faults:
        raise InvalidInput("\n".join(faults))
    return resource


def _sentence(error: dict[str, Any]) -> str:
    path = [str(part) for part in error["loc"]]
    where = ".".join(path) or "the resource"
    match error["type"]:
        case "missing":
            return f"{where}: is missing"
        case "extra_forbidden":
            return f"{where}: unknown field{_did_you_mean(path)}"
        case "string_pattern_mismatch":
            wants = f"text like {error['ctx']['pattern']}"
        case kind if kind in _WANTS:
            wants = _WANTS[kind]
        case _:
            wants = re.sub("^(Input should be|String should have) ", "", error["msg"])
    return f"{where}: got {error['input']!r}, wants {wants}"


def _did_you_mean(path: Sequence[str]) -> str:
    model: Any = MediaPlatform
    for name in path[:-1]:
        model = _model_of(model, name)
        if model is None:
            return ""
    known = [field.alias or key for key, field in model.model_fields.items()]
    close = difflib.get_close_matches(path[-1], known, n=1)
    return f", did you mean {close[0]}?" if close else f", wants one of {', '.join(known)}"


def _model_of(model: Any, name: str) -> Any:
    for key, field in model.model_fields.items():
        if name in (key, field.alias):
            candidates = [field.annotation, *getattr(field.annotation, "__args__", ())]
            return next(
                (item for item in candidates
                 if isinstance(item, type) and issubclass(item, BaseModel)), None,
            )  # fmt: skip
    return None
