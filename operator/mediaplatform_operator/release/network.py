"""NetworkPolicies of what the operator makes itself, and its own place in those of the chart."""

from __future__ import annotations

from typing import Any

from mediaplatform_operator.cluster.objects import INSTANCE, Object
from mediaplatform_operator.configuration import Configuration
from mediaplatform_operator.resource.model import MediaPlatform

NAME = "app.kubernetes.io/name"
OPERATOR = "mediaplatform-operator"  # of the operator's pods, whatever its release is called


def enabled(configuration: Configuration) -> bool:
    """As the chart has it, for all resources."""
    return bool(configuration.values.get("networkPolicies", {}).get("enabled", True))


def policy(resource: MediaPlatform, server: Object, configuration: Configuration) -> Object:
    """Only the resource's own pods reach the server, and the operator, which checks it."""
    own = {
        "podSelector": {"matchLabels": {NAME: "mediaplatform", INSTANCE: resource.metadata.name}}
    }
    [container] = server["spec"]["template"]["spec"]["containers"]
    port = {"port": container["ports"][0]["containerPort"], "protocol": "TCP"}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": server["metadata"]["name"]},
        "spec": {
            "podSelector": server["spec"]["selector"],
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [port], "from": [own, _operator(configuration)]}],
        },
    }


def values(configuration: Configuration) -> dict[str, Any]:
    """Values of the chart: where scrapes are let in only from some, the operator is one of them."""
    some = configuration.values.get("networkPolicies", {}).get("metricsFrom")
    return {"networkPolicies": {"metricsFrom": [*some, _operator(configuration)]}} if some else {}


def _operator(configuration: Configuration) -> Object:
    there = {"kubernetes.io/metadata.name": configuration.namespace}
    return {
        "namespaceSelector": {"matchLabels": there},
        "podSelector": {"matchLabels": {NAME: OPERATOR}},
    }
