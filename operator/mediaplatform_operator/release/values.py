"""From a resource and its wiring to the values of the services chart: a pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from mediaplatform_operator.cluster.objects import Object
from mediaplatform_operator.configuration import Configuration
from mediaplatform_operator.release import network
from mediaplatform_operator.release.secrets import database_secret, redis_secret
from mediaplatform_operator.resource.model import MediaPlatform

USERS = ("api", "ingest", "render", "sweep")  # components with AWS credentials of their own


@dataclass(frozen=True)
class Wiring:
    """What AWS answered: where uploads, media and messages go."""

    uploads_bucket: str
    media_bucket: str
    ingest_queue_url: str
    render_queue_url: str


def values(
    resource: MediaPlatform,
    wiring: Wiring,
    configuration: Configuration,
    checksums: Mapping[str, str],
) -> dict[str, Any]:
    """`checksums` holds a text per component that changes with its credentials."""
    name, spec = resource.metadata.name, resource.spec
    own = {
        "host": spec.host,
        "region": spec.aws.region,
        "awsEndpoint": spec.aws.endpoint or "",
        "awsPublicEndpoint": spec.aws.public_endpoint or "",
        "wiring": {
            "uploadsBucket": wiring.uploads_bucket,
            "mediaBucket": wiring.media_bucket,
            "ingestQueueUrl": wiring.ingest_queue_url,
            "renderQueueUrl": wiring.render_queue_url,
        },
        "secrets": {
            "database": database_secret(resource),
            "redis": redis_secret(resource),
            "tokens": f"{name}-tokens",
            "aws": f"{name}-aws" if configuration.aws_identities == "Users" else "",
            "checksum": dict(checksums),
        },
        "images": {
            "registry": configuration.images_registry,
            "tag": configuration.images_tag,
            "pullPolicy": configuration.images_pull_policy,
        },
        "settings": _settings(resource),
        "api": {
            "replicas": spec.api.replicas.model_dump(),
            "inFlightPerReplica": spec.api.in_flight_per_replica,
        },
        "workers": {
            "ingest": {
                "replicas": spec.workers.ingest.replicas.model_dump(),
                "messagesPerReplica": spec.workers.ingest.messages_per_replica,
            },
            "render": {
                "replicas": spec.workers.render.replicas.model_dump(),
                "messagesPerReplica": spec.workers.render.messages_per_replica,
            },
        },
        "autoscaling": {"provider": spec.autoscaling.provider},
        "ingress": _ingress(resource),
        "observability": {
            "serviceMonitors": spec.observability.service_monitors,
            "alerts": spec.observability.service_monitors and spec.observability.alerts,
            "dashboards": spec.observability.dashboards,
        },
    }
    alone = spec.deploy == "External"  # else it is the operator that waits for the migration
    own |= {"migration": {"asHook": alone}}
    own |= {} if alone else {"managedBy": "mediaplatform-operator"}
    own |= network.values(configuration)
    return merged(configuration.values, own)


def _ingress(resource: MediaPlatform) -> dict[str, Any]:
    """Only what the resource says: the rest is as the operator's values have it."""
    ingress = resource.spec.ingress
    chosen: dict[str, Any] = {"className": ingress.class_name} if ingress.class_name else {}
    return chosen | ({"tls": {"secretName": ingress.tls.secret_name}} if ingress.tls else {})


def _settings(resource: MediaPlatform) -> dict[str, Any]:
    spec = resource.spec
    return {
        "uploadBytes": spec.limits.upload,
        "storagePerUser": spec.limits.storage,
        "requestsPerMinute": spec.limits.requests_per_minute,
        "visibilitySeconds": spec.queues.visibility_seconds,
        "maxReceives": spec.queues.max_receives,
        "abandonedUploadDays": spec.storage.lifecycle.abandoned_upload_days,
        "trashDays": spec.storage.lifecycle.trash_days,
        "unusedDays": spec.storage.lifecycle.unused_days,
    }


def external(resource: MediaPlatform, chosen: Mapping[str, Any]) -> Object:
    """The ConfigMap from which somebody else installs the chart."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"{resource.metadata.name}-values"},
        "data": {"values.yaml": yaml.safe_dump(dict(chosen))},
    }


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Both, with what is above where they differ."""
    found = dict(below)
    for key, value in above.items():
        there = found.get(key)
        both = isinstance(there, Mapping) and isinstance(value, Mapping)
        found[key] = merged(there, value) if both else value  # type: ignore[arg-type]
    return found
