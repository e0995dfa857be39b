"""Kubernetes objects as plain JSON: what kinds there are, what identifies and what owns one."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

Object = dict[str, Any]
INSTANCE = "app.kubernetes.io/instance"  # the label that names the resource
COMPONENT = "app.kubernetes.io/component"


@dataclass(frozen=True)
class Kind:
    api_version: str
    name: str
    plural: str

    def path(self, namespace: str | None, name: str = "") -> str:
        base = "/api/v1" if self.api_version == "v1" else f"/apis/{self.api_version}"
        within = f"/namespaces/{namespace}" if namespace else ""
        return f"{base}{within}/{self.plural}" + (f"/{name}" if name else "")


SECRET = Kind("v1", "Secret", "secrets")
CONFIG_MAP = Kind("v1", "ConfigMap", "configmaps")
DEPLOYMENT = Kind("apps/v1", "Deployment", "deployments")
STATEFUL_SET = Kind("apps/v1", "StatefulSet", "statefulsets")
JOB = Kind("batch/v1", "Job", "jobs")
POD = Kind("v1", "Pod", "pods")
NODE = Kind("v1", "Node", "nodes")
EVENT = Kind("v1", "Event", "events")
PLATFORM = Kind("mediaplatform.io/v1alpha1", "MediaPlatform", "mediaplatforms")
# What a resource may own, in the order in which it is applied.
OWNED = (
    Kind("v1", "ServiceAccount", "serviceaccounts"),
    SECRET,
    CONFIG_MAP,
    Kind("v1", "Service", "services"),
    STATEFUL_SET,
    Kind("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies"),
    Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets"),
    JOB,
    DEPLOYMENT,
    Kind("batch/v1", "CronJob", "cronjobs"),
    Kind("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers"),
    Kind("networking.k8s.io/v1", "Ingress", "ingresses"),
    Kind("monitoring.coreos.com/v1", "ServiceMonitor", "servicemonitors"),
    Kind("monitoring.coreos.com/v1", "PodMonitor", "podmonitors"),
    Kind("monitoring.coreos.com/v1", "PrometheusRule", "prometheusrules"),
    Kind("keda.sh/v1alpha1", "ScaledObject", "scaledobjects"),
    Kind("keda.sh/v1alpha1", "TriggerAuthentication", "triggerauthentications"),
)
KINDS = {(kind.api_version, kind.name): kind for kind in (*OWNED, PLATFORM, EVENT, POD, NODE)}


@dataclass(frozen=True, order=True)
class Key:
    """What tells one object of a namespace from the others."""

    kind: str
    name: str

    @classmethod
    def of(cls, thing: Object) -> Key:
        return cls(thing["kind"], thing["metadata"]["name"])

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def kind_of(thing: Object) -> Kind:
    """Raises KeyError for a kind that the operator has nothing to do with."""
    return KINDS[thing["apiVersion"], thing["kind"]]


def is_seen(thing: Object) -> bool:
    """Whether its status is of the newest generation."""
    seen: int = thing.get("status", {}).get("observedGeneration", 0)
    return seen >= int(thing["metadata"]["generation"])


def is_owned(thing: Object, uid: str) -> bool:
    return any(owner["uid"] == uid for owner in thing["metadata"].get("ownerReferences", ()))


def owned_by(thing: Object, owner: Object) -> Object:
    """The same, to be collected with its owner."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }
    return {**thing, "metadata": {**thing["metadata"], "ownerReferences": [reference]}}


# Written by the API server and its controllers, and nobody's wish.
_SERVER_FIELDS = ("resourceVersion", "generation", "managedFields", "uid", "creationTimestamp",
                  "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds")  # fmt: skip
_SERVER_ANNOTATIONS = ("deployment.kubernetes.io/revision",)


def content(thing: Object) -> Object:
    """What people and operators write of an object, without what the server adds."""
    meta = {name: value for name, value in thing["metadata"].items() if name not in _SERVER_FIELDS}
    annotations = meta.pop("annotations", {})
    ours = {name: text for name, text in annotations.items() if name not in _SERVER_ANNOTATIONS}
    if ours:
        meta["annotations"] = ours
    kept = {name: value for name, value in thing.items() if name != "status"}
    return {**kept, "metadata": meta}


def digest(value: Any) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def secret_data(thing: Object | None) -> dict[str, str]:
    """The texts that a Secret holds; none where there is no Secret."""
    data = (thing or {}).get("data") or {}
    return {name: base64.b64decode(value).decode() for name, value in data.items()}


def encoded(values: Mapping[str, str]) -> dict[str, str]:
    return {name: base64.b64encode(value.encode()).decode() for name, value in values.items()}
