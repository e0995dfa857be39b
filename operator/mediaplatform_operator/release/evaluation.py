"""PostgreSQL and Redis inside the cluster, for evaluation: one pod each, with a volume.

The commands name only programs that the official images hold, so that any image with
`postgres` or `valkey-server` on its PATH will do.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from mediaplatform_operator.cluster.objects import COMPONENT, INSTANCE, Object
from mediaplatform_operator.configuration import Configuration
from mediaplatform_operator.release import network
from mediaplatform_operator.release.network import NAME
from mediaplatform_operator.release.secrets import DATABASE, POSTGRES_PORT, REDIS_PORT
from mediaplatform_operator.resource.model import MediaPlatform

USER = 999  # of the official images of both
TEMPORARY = "/tmp"  # noqa: S108  (in a container of its own)


def manifests(resource: MediaPlatform, configuration: Configuration, checksum: str) -> list[Object]:
    """StatefulSets, Services and NetworkPolicies of what the resource wants in the cluster."""
    name, spec = resource.metadata.name, resource.spec
    found: list[Object] = []
    if spec.database.external is None:
        found += _server(
            resource, f"{name}-db", "db", image=configuration.postgres_image,
            port=POSTGRES_PORT, size="2Gi",
            script="start-postgres.sh", folder="/var/lib/postgresql/data", checksum=checksum,
            env={"PGDATA": "/var/lib/postgresql/data/pgdata"},
            probe=["sh", "-c", f"pg_isready -h 127.0.0.1 -U {DATABASE}"],
            resources={"requests": {"cpu": "100m", "memory": "128Mi"},
                       "limits": {"memory": "512Mi"}},
        )  # fmt: skip
    if spec.redis.external is None:
        found += _server(
            resource, f"{name}-redis", "redis", image=configuration.redis_image,
            port=REDIS_PORT, size="1Gi",
            script="start-redis.sh", folder="/data", checksum=checksum, env={},
            probe=["sh", "-c", 'REDISCLI_AUTH="$PASSWORD" valkey-cli ping | grep -q PONG'],
            resources={"requests": {"cpu": "50m", "memory": "32Mi"}, "limits": {"memory": "320Mi"}},
        )  # fmt: skip
    if network.enabled(configuration):
        servers = [thing for thing in found if thing["kind"] == "StatefulSet"]
        found += [network.policy(resource, server, configuration) for server in servers]
    return found


def _server(
    resource: MediaPlatform,
    name: str,
    component: str,
    *,
    image: str,
    port: int,
    size: str,
    script: str,
    folder: str,
    checksum: str,
    env: dict[str, str],
    probe: list[str],
    resources: dict[str, Any],
) -> list[Object]:
    selector = {
        NAME: "mediaplatform",
        INSTANCE: resource.metadata.name,
        COMPONENT: component,
    }
    password = {"secretKeyRef": {"name": name, "key": "password"}}
    container = {
        "name": component,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c", files(__package__).joinpath(script).read_text()],
        "env": [
            {"name": "PASSWORD", "valueFrom": password},
            *({"name": key, "value": value} for key, value in env.items()),
        ],
        "ports": [{"name": component, "containerPort": port, "protocol": "TCP"}],
        "readinessProbe": {"exec": {"command": probe}, "periodSeconds": 3, "timeoutSeconds": 3},
        "livenessProbe": {"tcpSocket": {"port": port}, "periodSeconds": 10, "failureThreshold": 6,
                          "timeoutSeconds": 3},
        "startupProbe": {"tcpSocket": {"port": port}, "periodSeconds": 1, "failureThreshold": 120,
                         "timeoutSeconds": 3},
        "resources": resources,
        "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                            "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "data", "mountPath": folder},
                         {"name": "tmp", "mountPath": TEMPORARY}],
    }  # fmt: skip
    pod = {
        "metadata": {"labels": selector, "annotations": {"mediaplatform.io/checksum": checksum}},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 30,
            "securityContext": {"runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER,
                                "fsGroup": USER, "fsGroupChangePolicy": "OnRootMismatch",
                                "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [container],
            "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
        },
    }  # fmt: skip
    keep = resource.spec.storage.deletion == "Retain"
    claim = {
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
    }
    stateful = {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": name},
        "spec": {
            "serviceName": name,
            "replicas": 1,
            # A pod that cannot start is replaced once its template is right; in order, it is not.
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": selector},
            "template": pod,
            "volumeClaimTemplates": [claim],
            "persistentVolumeClaimRetentionPolicy": {
                "whenDeleted": "Retain" if keep else "Delete",
                "whenScaled": "Retain",
            },
        },
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "selector": selector,
            "ports": [{"name": component, "port": port, "targetPort": port, "protocol": "TCP"}],
        },
    }
    return [service, stateful]
