"""Who tries to connect to whom: pods of the product, and guests that belong to nobody."""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from tests.cluster.kubectl import Kubectl

GUEST_PORT = 8000
READY = ("--for=condition=Ready", "--timeout=60s")
CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3).close()
except TimeoutError:
    print("silent")
except ConnectionRefusedError:
    print("refused")
else:
    print("open")
"""


@dataclass(frozen=True)
class Pod:
    kubectl: Kubectl
    namespace: str
    name: str

    @property
    def address(self) -> str:
        found: str = self.kubectl.get("pod", "-n", self.namespace, self.name)["status"]["podIP"]
        return found

    def finds(self, host: str, port: int) -> str:
        """What a connection comes to: open, refused, or silent. Raises ClusterError for no name."""
        return self.kubectl(
            "exec", "-n", self.namespace, self.name, "--",
            "python", "-c", CONNECT, host, str(port),
        ).strip()  # fmt: skip


def found(tries: Iterable[tuple[Pod, str, int]]) -> set[str]:
    """What connections, each of a pod to a host and port, come to at once. Raises ClusterError."""
    with ThreadPoolExecutor() as pool:
        return set(pool.map(lambda one: one[0].finds(*one[1:]), tries))


def guest(kubectl: Kubectl, namespace: str) -> Pod:
    """A pod without labels that serves an empty folder. Raises ClusterError."""
    kubectl.apply(json.dumps(manifest(namespace)))
    kubectl("wait", "-n", namespace, "pod/guest", *READY, timeout=65)
    return Pod(kubectl, namespace, "guest")


def manifest(namespace: str, **more: Any) -> dict[str, Any]:
    """Of a guest, with more of its container."""
    container = {
        "name": "guest",
        "image": "mediaplatform-api:test",
        "imagePullPolicy": "Never",
        "command": ["python", "-m", "http.server", str(GUEST_PORT), "--directory", "/mnt"],
        "readinessProbe": {"tcpSocket": {"port": GUEST_PORT}, "periodSeconds": 1},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **more,
    }
    meta = {"name": "guest", "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": {"containers": [container]},
    }
