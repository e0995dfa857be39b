"""What the operator itself needs to know, from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import yaml

from mediaplatform.errors import ConfigurationError

PREFIX = "MEDIAPLATFORM_OPERATOR_"
CHART = Path(__file__).parents[2] / "charts" / "mediaplatform"


@dataclass(frozen=True)
class Configuration:
    """One field per variable: `namespaces` is MEDIAPLATFORM_OPERATOR_NAMESPACES."""

    namespace: str = "default"  # the operator's own, where its Lease is
    pod: str = "operator"
    namespaces: tuple[str, ...] = ()  # to watch; all if empty
    chart: Path = CHART
    values: Mapping[str, Any] = field(default_factory=dict)  # of the chart, under every resource's
    images_registry: str = ""
    images_tag: str = ""
    images_pull_policy: str = "IfNotPresent"
    postgres_image: str = "postgres:17"
    redis_image: str = "valkey/valkey:8.1"
    aws_endpoint: str | None = None  # for resources that name none: an emulator, a VPC endpoint
    aws_public_endpoint: str | None = None
    aws_identities: Literal["External", "Users"] = "External"
    ingress_class: str | None = None  # for resources that name none
    interval_seconds: int = 30  # between two looks at what is as it should be
    observe_seconds: int = 300  # the same, where nothing may be changed
    log_level: str = "info"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Configuration:
        """Raises ConfigurationError that names the variable."""

        def text(name: str, default: str = "") -> str:
            return environment.get(PREFIX + name) or default

        def seconds(name: str, default: int) -> int:
            raw = text(name, str(default))
            if not raw.isdecimal() or int(raw) < 1:
                raise ConfigurationError(f"{PREFIX}{name} must be seconds, 1 or more, not {raw!r}")
            return int(raw)

        identities = text("AWS_IDENTITIES", cls.aws_identities)
        if identities not in ("External", "Users"):
            raise ConfigurationError(
                f"{PREFIX}AWS_IDENTITIES must be External or Users, not {identities!r}"
            )
        listed = text("NAMESPACES").split(",")
        return cls(
            namespace=text("NAMESPACE", cls.namespace),
            pod=text("POD", cls.pod),
            namespaces=tuple(sorted({name.strip() for name in listed if name.strip()})),
            chart=Path(text("CHART", str(CHART))),
            values=_values(text("VALUES_FILE")),
            images_registry=text("IMAGES_REGISTRY"),
            images_tag=text("IMAGES_TAG"),
            images_pull_policy=text("IMAGES_PULL_POLICY", cls.images_pull_policy),
            postgres_image=text("POSTGRES_IMAGE", cls.postgres_image),
            redis_image=text("REDIS_IMAGE", cls.redis_image),
            aws_endpoint=text("AWS_ENDPOINT") or None,
            aws_public_endpoint=text("AWS_PUBLIC_ENDPOINT") or None,
            aws_identities="Users" if identities == "Users" else "External",
            ingress_class=text("INGRESS_CLASS") or None,
            interval_seconds=seconds("INTERVAL_SECONDS", cls.interval_seconds),
            observe_seconds=seconds("OBSERVE_SECONDS", cls.observe_seconds),
            log_level=text("LOG_LEVEL", cls.log_level),
        )


def _values(file: str) -> Mapping[str, Any]:
    """Raises ConfigurationError where it is no YAML of a mapping."""
    if not file:
        return {}
    try:
        found = yaml.safe_load(Path(file).read_text()) or {}
    except (OSError, yaml.YAMLError) as fault:
        raise ConfigurationError(f"{PREFIX}VALUES_FILE {file} cannot be read: {fault}") from fault
    if not isinstance(found, dict):
        raise ConfigurationError(f"{PREFIX}VALUES_FILE {file} must hold the chart's values")
    return found
