"""The control plane: one container with etcd, API server, controllers and scheduler."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

from tests.cluster import binaries
from tests.cluster.engine import Docker
from tests.cluster.kubectl import Kubectl
from tests.cluster.layout import (
    API_PORT,
    CONTROL_PLANE,
    KUBECONFIG,
    NAME,
    NETWORK,
    NODES,
    PREFIX,
    SERVICE_RANGE,
    STATE,
    VERSION,
    Node,
)
from tests.cluster.run import ClusterError, run, until

CONTAINER = f"{NAME}-control-plane"
FOLDER = STATE / "control-plane"  # /etc/kubernetes in the container
AUDIT_LOG = STATE / "audit" / "audit.log"
READY_S = 120

CONFIGURATION = f"""
apiVersion: kubeadm.k8s.io/v1beta4
kind: InitConfiguration
localAPIEndpoint: {{advertiseAddress: {CONTROL_PLANE}, bindPort: 6443}}
nodeRegistration: {{name: control-plane, criSocket: unix:///run/containerd/containerd.sock}}
---
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
kubernetesVersion: {VERSION}
clusterName: {NAME}
certificatesDir: {FOLDER / "pki"}
networking: {{serviceSubnet: {SERVICE_RANGE}}}
apiServer: {{certSANs: [localhost, 127.0.0.1]}}
"""


def start(docker: Docker, image: str) -> Kubectl:
    """An API server that is ready. Raises ClusterError."""
    if not FOLDER.exists():
        _identities()
    if not docker.exists("network", NAME):
        docker("network", "create", "--subnet", NETWORK, NAME)
    if docker.exists("container", CONTAINER):
        docker("start", CONTAINER)
    else:
        _run(docker, image)
    kubectl = Kubectl(KUBECONFIG)
    until(kubectl.ready, seconds=READY_S, what=f"no API server (docker logs {CONTAINER})")
    return kubectl


def routes(to: tuple[Node, ...]) -> str:
    """How the nodes' pods are reached, as the images' supervise.sh reads it."""
    return " ".join(f"{node.pods},{node.address}" for node in to)


def require_free(port: int, variable: str) -> None:
    """Raises ClusterError that names the variable to set if something listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as busy:
            raise ClusterError(f"Port {port} is in use: set {variable} to another") from busy


def _run(docker: Docker, image: str) -> None:
    require_free(API_PORT, "MEDIAPLATFORM_CLUSTER_API_PORT")
    AUDIT_LOG.parent.mkdir(parents=True, exist_ok=True)
    docker(
        "run", "--detach", "--name", CONTAINER, "--hostname", "control-plane",
        "--network", NAME, "--ip", CONTROL_PLANE, "--publish", f"127.0.0.1:{API_PORT}:6443",
        "--cap-add", "NET_ADMIN", "--volume", "/var/lib/etcd",
        "--volume", f"{FOLDER}:/etc/kubernetes:ro",
        "--volume", f"{AUDIT_LOG.parent}:/var/log/kubernetes",
        "--env", f"ADDRESS={CONTROL_PLANE}", "--env", f"SERVICES={SERVICE_RANGE}",
        "--env", f"ROUTES={routes(NODES)}",
        "--entrypoint", "/node/control-plane.sh", image,
    )  # fmt: skip


def _identities() -> None:
    """Certificates, and a kubeconfig for everyone who talks to the API server."""
    kubeadm = link("kubeadm")
    link("kubectl")
    configuration = STATE / "kubeadm.yaml"
    configuration.write_text(CONFIGURATION)
    run(kubeadm, "init", "phase", "certs", "all", "--config", configuration)
    for target, user, *groups in _users():
        target.parent.mkdir(parents=True, exist_ok=True)
        words = [word for group in groups for word in ("--org", group)]
        made = run(
            kubeadm, "kubeconfig", "user", "--client-name", user, *words, "--config", configuration
        )
        target.write_text(made)
        target.chmod(0o600)
    _for_this_machine(KUBECONFIG)
    for node in NODES:
        certificate = (FOLDER / "pki/ca.crt").read_bytes()
        (node_folder(node) / "ca.crt").write_bytes(certificate)


def _users() -> Iterator[tuple[Path, str] | tuple[Path, str, str]]:
    yield FOLDER / "controller-manager.conf", "system:kube-controller-manager"
    yield FOLDER / "scheduler.conf", "system:kube-scheduler"
    for node in NODES:
        yield node_folder(node) / f"{node.name}.conf", f"system:node:{node.name}", "system:nodes"
        yield node_folder(node) / "kube-proxy.conf", "system:kube-proxy"
        yield node_folder(node) / "policies.conf", f"{PREFIX}:policies"
    yield KUBECONFIG, NAME, "system:masters"


def node_folder(node: Node) -> Path:
    """What a node may read: /etc/kubernetes in its container."""
    return STATE / "nodes" / node.name


def link(component: str) -> Path:
    """The Kubernetes binary under the name of one component."""
    path = STATE / "bin" / component
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        path.symlink_to(binaries.build("kubernetes"))
    return path


def _for_this_machine(kubeconfig: Path) -> None:
    text = kubeconfig.read_text()
    text = text.replace(f"https://{CONTROL_PLANE}:6443", f"https://127.0.0.1:{API_PORT}")
    kubeconfig.write_text(text.replace(f"{NAME}@{NAME}", NAME))
