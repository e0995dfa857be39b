"""What a process needs to know before it starts, from its environment.

Names begin with MEDIAPLATFORM_; AWS credentials come from boto3's default chain and are no
business of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from mediaplatform.errors import ConfigurationError

PREFIX = "MEDIAPLATFORM_"


@dataclass(frozen=True)
class Settings:
    """One field per variable: `database_url` is MEDIAPLATFORM_DATABASE_URL."""

    public_url: str  # where browsers find page and API, without a slash at its end
    database_url: str
    redis_url: str
    region: str
    uploads_bucket: str
    media_bucket: str
    ingest_queue_url: str
    render_queue_url: str
    token_secret: str = ""  # only the API has it
    aws_endpoint: str | None = None  # S3 and SQS as this process reaches them; AWS's own if unset
    aws_public_endpoint: str | None = None  # S3 as browsers reach it
    upload_bytes: int = 5 * 1024**3
    storage_per_user: int = 50 * 1024**3
    requests_per_minute: int = 600
    visibility_seconds: int = 120
    max_receives: int = 5
    abandoned_upload_days: int = 1
    trash_days: int = 30
    unused_days: int = 0
    bind_host: str = "127.0.0.1"
    port: int = 8080
    metrics_port: int = 9090
    worker_slots: int = 2
    drain_seconds: int = 25  # to finish what is at hand when told to stop
    sweep_seconds: int = 30  # between two rounds of the sweeper
    scratch_folder: str | None = None  # the system's own temporary folder if unset
    log_level: str = "info"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Raises ConfigurationError that names every variable that is missing or wrong."""
        values: dict[str, Any] = {}
        faults: list[str] = []
        for field in fields(cls):
            name = PREFIX + field.name.upper()
            raw = environment.get(name)
            if raw is None or raw == "":
                if field.name in _REQUIRED:
                    faults.append(f"{name} is not set")
                continue
            try:
                values[field.name] = _PARSERS[str(field.type)](raw)
            except ValueError:
                faults.append(f"{name} must be a whole number, not {raw!r}")
        if faults:
            raise ConfigurationError("; ".join(faults))
        return cls(**values)

    def to_environment(self) -> dict[str, str]:
        """The variables that give these settings."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            PREFIX + name.upper(): str(value) for name, value in values.items() if value is not None
        }


_PARSERS: Mapping[str, Callable[[str], Any]] = {"str": str, "str | None": str, "int": int}
_REQUIRED = frozenset(
    {
        "public_url",
        "database_url",
        "redis_url",
        "region",
        "uploads_bucket",
        "media_bucket",
        "ingest_queue_url",
        "render_queue_url",
    }
)
