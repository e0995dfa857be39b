"""What runs on the cluster before the product: names, volumes, metrics, ingress, a cloud."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping

from tests.cluster import certificates
from tests.cluster.kubectl import Kubectl
from tests.cluster.layout import BALANCER, HERE, PREFIX, STATE

MANIFESTS = HERE / "addons"
READY_S = 240
CLOUD = "aws"
NAMESPACE = """
apiVersion: v1
kind: Namespace
metadata: {name: aws, labels: {pod-security.kubernetes.io/enforce: restricted}}
"""


def apply(kubectl: Kubectl, images: Mapping[str, str], manifests: tuple[str, ...]) -> None:
    """The manifests with these images, by their names without a tag. Raises ClusterError."""
    for name in manifests:
        text = (MANIFESTS / f"{name}.yaml").read_text()
        text = text.replace("172.29.77.20", BALANCER)
        kubectl.apply(re.sub(rf"({PREFIX}/[a-z-]+):test", lambda found: images[found[1]], text))


def cloud_secrets(kubectl: Kubectl) -> None:
    """New passwords of the emulator, PostgreSQL and Valkey; also in STATE for tests outside."""
    kubectl.apply(NAMESPACE)
    kubectl.apply_all([certificates.secret(CLOUD, "tls")])
    path = STATE / "cloud.json"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(json.dumps(_passwords(), indent=2))
    for name, values in json.loads(path.read_text()).items():
        kubectl.secret(CLOUD, name, **values)


def wait_ready(kubectl: Kubectl) -> None:
    """Every workload of ours, and the metrics. Raises ClusterError."""
    limit = f"{READY_S}s"
    for namespace in ("kube-system", "ingress", "monitoring", CLOUD):
        for workload in kubectl(
            "get", "deployments,daemonsets", "-n", namespace, "-o", "name"
        ).split():
            kubectl(
                "rollout",
                "status",
                "-n",
                namespace,
                workload,
                "--timeout",
                limit,
                timeout=READY_S + 5,
            )
    for group in ("external", "custom"):
        kubectl("wait", "--for=condition=Available", f"apiservice/v1beta1.{group}.metrics.k8s.io",
                "--timeout", limit, timeout=READY_S + 5)  # fmt: skip


def _passwords() -> dict[str, dict[str, str]]:
    return {
        "emulator": {"access-key-id": "root", "secret-access-key": secrets.token_urlsafe(24)},
        "postgres": {"username": "postgres", "password": secrets.token_urlsafe(24)},
        "valkey": {"password": secrets.token_urlsafe(24)},
    }
