"""Where everything is: folders, addresses, names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mediaplatform"
STATE = CACHE / "cluster"  # secrets of one cluster: `down` removes it
KUBECONFIG = STATE / "kubeconfig"
CONTEXT = "mediaplatform-test"

VERSION = "v1.36.4"
DOMAIN = "mediaplatform.test"
PREFIX = "mediaplatform-test"  # of every container, network and image of the cluster

NETWORK = "172.29.77.0/24"
CONTROL_PLANE = "172.29.77.10"
BALANCER = "172.29.77.20"
POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
DNS = "10.96.0.10"
HTTPS_NODE_PORT = 30443

API_PORT = int(os.environ.get("MEDIAPLATFORM_CLUSTER_API_PORT", "16443"))
HTTPS_PORT = int(os.environ.get("MEDIAPLATFORM_CLUSTER_HTTPS_PORT", "8443"))


@dataclass(frozen=True)
class Node:
    """One node, alone in its zone."""

    name: str
    zone: str
    address: str
    pods: str

    @property
    def container(self) -> str:
        return f"{PREFIX}-{self.name}"


NODES = tuple(
    Node(f"node-{letter}", f"zone-{letter}", f"172.29.77.{10 + number}", f"10.244.{number}.0/24")
    for number, letter in enumerate("abc", 1)
)
