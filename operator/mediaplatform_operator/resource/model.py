"""The typed resource. `spec: {host: ...}` is enough; everything else has a default."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from mediaplatform_operator.resource.quantity import PATTERN, to_bytes

GROUP = "mediaplatform.io"
VERSION = "v1alpha1"
KIND = "MediaPlatform"
_HOME = "arn:aws:kms:[-a-z0-9]+:[0-9]{12}:"
_KEY_ID = "(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
KEY = f"^(({_HOME}key/)?{_KEY_ID}|({_HOME})?alias/[-a-zA-Z0-9/_]+)$"
NAME_LENGTH = 40  # of a resource: names of its Deployments, Jobs and pods begin with it


def _without_point(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


# Patterns name their characters: \s and \d are not the same in Go, Rust and Python.
Name = Annotated[str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", max_length=63)]
Bytes = Annotated[str, Field(pattern=PATTERN)]
Url = Annotated[str, Field(pattern=r"^https?://[!-~]+$")]
Whole = Annotated[int, BeforeValidator(_without_point)]  # JSON knows no difference of 3 and 3.0


class Part(BaseModel):
    """A piece of the spec, read as an API server reads it.

    Frozen, in camelCase, closed to unknown fields; types are not converted, and null leaves out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nulls(cls, content: Any) -> Any:
        if not isinstance(content, dict):
            return content
        known = {field.alias for field in cls.model_fields.values()}
        return {
            name: value for name, value in content.items() if value is not None or name not in known
        }


class Aws(Part):
    region: str = Field("us-east-1", pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")
    endpoint: Url | None = Field(None, description="S3 and SQS as the pods reach them.")
    public_endpoint: Url | None = Field(None, description="S3 as browsers reach it.")


class Encryption(Part):
    kms_key_id: str | None = Field(
        None, pattern=KEY, description="Customer-managed, by id, ARN or alias; S3's own if unset."
    )


class Lifecycle(Part):
    abandoned_upload_days: Whole = Field(1, ge=1, le=7, description="Uploads nobody confirmed.")
    trash_days: Whole = Field(30, ge=1, le=365)
    noncurrent_days: Whole = Field(30, ge=1, le=3650, description="Older versions of objects.")
    unused_days: Whole = Field(0, ge=0, le=3650, description="0 keeps what nobody uses.")


class Storage(Part):
    name: Name | None = Field(
        None, max_length=50, description="Of the buckets, before -uploads and -media."
    )
    adoption: Literal["Never", "IfTagged", "Always"] = Field(
        "IfTagged", description="Whether buckets that exist already may be taken over."
    )
    deletion: Literal["Retain", "Delete", "DeleteWithData"] = Field(
        "Retain", description="What becomes of the buckets when the resource is deleted."
    )
    encryption: Encryption = Encryption()
    lifecycle: Lifecycle = Lifecycle()


class Queues(Part):
    visibility_seconds: Whole = Field(120, ge=30, le=43200)
    max_receives: Whole = Field(5, ge=1, le=100, description="Then the message is dead-lettered.")


class External(Part):
    secret: Name = Field(description="A Secret in the same namespace.")


class InCluster(Part):
    """For evaluation."""


class Redis(Part):
    external: External | None = None
    in_cluster: InCluster | None = None


class Database(Part):
    external: External | None = None
    in_cluster: InCluster | None = None


class Oidc(Part):
    issuer: Url
    audience: str = Field(min_length=1)


class Auth(Part):
    local: bool = Field(True, description="Accounts with passwords.")
    oidc: Oidc | None = None


class Mail(Part):
    secret: Name


class ApiReplicas(Part):
    min: Whole = Field(2, ge=1, le=100)
    max: Whole = Field(6, ge=1, le=100)


class RenderReplicas(Part):
    min: Whole = Field(1, ge=0, le=100)
    max: Whole = Field(6, ge=1, le=100)


class Api(Part):
    replicas: ApiReplicas = ApiReplicas()
    in_flight_per_replica: Whole = Field(20, ge=1, le=1000)


class Ingest(Part):
    replicas: ApiReplicas = ApiReplicas()
    messages_per_replica: Whole = Field(10, ge=1, le=1000)


class Render(Part):
    replicas: RenderReplicas = RenderReplicas()
    messages_per_replica: Whole = Field(2, ge=1, le=1000)


class Workers(Part):
    ingest: Ingest = Ingest()
    render: Render = Render()


class Autoscaling(Part):
    provider: Literal["prometheus-adapter", "keda"] = "prometheus-adapter"


class Tls(Part):
    secret_name: Name


class Ingress(Part):
    class_name: str | None = None
    tls: Tls | None = None


class Observability(Part):
    service_monitors: bool = False
    dashboards: bool = True
    alerts: bool = True


class Limits(Part):
    upload_bytes: Bytes = "5Gi"
    storage_per_user: Bytes = "50Gi"
    requests_per_minute: Whole = Field(600, ge=1, le=1_000_000)

    @property
    def upload(self) -> int:
        return to_bytes(self.upload_bytes)

    @property
    def storage(self) -> int:
        return to_bytes(self.storage_per_user)


class Spec(Part):
    host: str = Field(
        pattern=r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253,
        description="The name by which browsers find page and API.",
    )  # fmt: skip
    aws: Aws = Aws()
    storage: Storage = Storage()
    queues: Queues = Queues()
    redis: Redis = Redis()
    database: Database = Database()
    auth: Auth = Auth()
    mail: Mail | None = None
    api: Api = Api()
    workers: Workers = Workers()
    autoscaling: Autoscaling = Autoscaling()
    ingress: Ingress = Ingress()
    observability: Observability = Observability()
    limits: Limits = Limits()
    deploy: Literal["Operator", "External"] = Field(
        "Operator", description="External: the operator wires, someone else installs the chart."
    )
    mode: Literal["Enforce", "Observe"] = Field(
        "Enforce", description="Observe: say what would change, change nothing."
    )
    paused: bool = False


class Metadata(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    name: Annotated[Name, Field(max_length=NAME_LENGTH)]
    namespace: Name = "default"


class MediaPlatform(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel)

    api_version: Literal["mediaplatform.io/v1alpha1"]
    kind: Literal["MediaPlatform"]
    metadata: Metadata
    spec: Spec
