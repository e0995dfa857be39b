"""Rules between fields: one table, for this program and, as CEL, for the API server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mediaplatform_operator.resource.model import Spec
from mediaplatform_operator.resource.quantity import to_bytes


@dataclass(frozen=True)
class Rule:
    path: str  # below spec; '' is the spec itself
    field: str  # the one to blame, below path
    wants: str
    cel: str
    holds: Callable[[Any], bool]


def _replicas(path: str) -> Rule:
    return Rule(
        path, "min", "at most max", "self.min <= self.max", lambda self: self.min <= self.max
    )


def _one_place(path: str) -> Rule:
    return Rule(
        path, "inCluster", "not both external and inCluster",
        "!(has(self.external) && has(self.inCluster))",
        lambda self: self.external is None or self.in_cluster is None,
    )  # fmt: skip


RULES: tuple[Rule, ...] = (
    _replicas("api.replicas"),
    _replicas("workers.ingest.replicas"),
    _replicas("workers.render.replicas"),
    _one_place("redis"),
    _one_place("database"),
    Rule(
        "auth", "local", "true, or an oidc provider: nobody could sign in",
        "self.local || has(self.oidc)", lambda self: self.local or self.oidc is not None,
    ),
    Rule(
        "aws", "publicEndpoint", "an endpoint too",
        "!has(self.publicEndpoint) || has(self.endpoint)",
        lambda self: self.public_endpoint is None or self.endpoint is not None,
    ),
    Rule(
        "limits", "uploadBytes", "at most storagePerUser",
        "quantity(self.uploadBytes).compareTo(quantity(self.storagePerUser)) <= 0",
        lambda self: to_bytes(self.upload_bytes) <= to_bytes(self.storage_per_user),
    ),
    Rule(
        "", "workers.render.replicas.min", "at least 1, or autoscaling.provider keda",
        "self.workers.render.replicas.min > 0 || self.autoscaling.provider == 'keda'",
        lambda self: self.workers.render.replicas.min > 0 or self.autoscaling.provider == "keda",
    ),
)  # fmt: skip

# Changes that would lose data: CEL alone can see the old value.
TRANSITIONS: tuple[tuple[str, str, str], ...] = (
    (
        "storage",
        "has(self.name) == has(oldSelf.name) && (!has(self.name) || self.name == oldSelf.name)",
        "name cannot be changed: create another resource and copy the objects",
    ),
    ("aws", "self.region == oldSelf.region", "region cannot be changed: buckets cannot move"),
)


def broken(spec: Spec) -> list[str]:
    """A sentence for each rule that does not hold: the field, what it got, what it wants."""
    found = []
    for rule in RULES:
        if not rule.holds(_at(spec, rule.path)):
            path = ".".join(part for part in ("spec", rule.path, rule.field) if part)
            got = _at(spec, path.removeprefix("spec."))
            shown = got.model_dump(by_alias=True) if hasattr(got, "model_dump") else got
            found.append(f"{path}: got {shown!r}, wants {rule.wants}")
    return found


def _at(spec: Spec, path: str) -> Any:
    value: Any = spec
    for name in filter(None, path.split(".")):
        fields = type(value).model_fields
        value = getattr(
            value, next(key for key, field in fields.items() if name in (key, field.alias))
        )
    return value
