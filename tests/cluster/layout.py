"""Where everything is: folders, addresses, names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mediaplatform"

# A second cluster beside the first, if it is not 0: with its own state, network and ports.
NUMBER = int(os.environ.get("MEDIAPLATFORM_CLUSTER_NUMBER", "0"))
PREFIX = "mediaplatform-test"  # of images, and of names in the cluster
NAME = f"{PREFIX}-{NUMBER}" if NUMBER else PREFIX  # of its network, and of its containers
# Secrets of one cluster: `down` removes it.
STATE = CACHE / (f"cluster-{NUMBER}" if NUMBER else "cluster")
KUBECONFIG = STATE / "kubeconfig"
PRODUCT = STATE / "product"  # names of the product's images that the nodes hold

VERSION = "v1.36.4"
DOMAIN = "mediaplatform.test"

SUBNET = f"172.29.{77 + NUMBER}"
NETWORK = f"{SUBNET}.0/24"
CONTROL_PLANE = f"{SUBNET}.10"
BALANCER = f"{SUBNET}.20"
POD_RANGE = "10.244.0.0/16"
SERVICE_RANGE = "10.96.0.0/16"
DNS = "10.96.0.10"
HTTPS_NODE_PORT = 30443

API_PORT = int(os.environ.get("MEDIAPLATFORM_CLUSTER_API_PORT", str(16443 + NUMBER)))
HTTPS_PORT = int(os.environ.get("MEDIAPLATFORM_CLUSTER_HTTPS_PORT", str(8443 + NUMBER)))


@dataclass(frozen=True)
class Node:
    """One node, alone in its zone."""

    name: str
    zone: str
    address: str
    pods: str

    @property
    def container(self) -> str:
        return f"{NAME}-{self.name}"


NODES = tuple(
    Node(f"node-{letter}", f"zone-{letter}", f"{SUBNET}.{10 + number}", f"10.244.{number}.0/24")
    for number, letter in enumerate("abc", 1)
)
