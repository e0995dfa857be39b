"""Nodes: containers with containerd, kubelet and kube-proxy, each alone in its zone."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.cluster.control_plane import node_folder, routes
from tests.cluster.engine import Docker
from tests.cluster.kubectl import Kubectl
from tests.cluster.layout import HERE, NAME, NODES, POD_RANGE, PREFIX, STATE, Node
from tests.cluster.run import ClusterError, until

VOLUME = HERE / "addons/volume.yaml"
VOLUMES = 10  # `local` volumes on each node
READY_S = 120
IMPORT_S = 600
ARCHIVES = STATE / "archives"  # where images wait to be read by the nodes
MOUNTED = "/archives"


def start(docker: Docker, kubectl: Kubectl, image: str) -> None:
    """Three Ready nodes; one that was killed comes back with its pods. Raises ClusterError."""
    for node in NODES:
        if docker.exists("container", node.container):
            docker("start", node.container)
        else:
            _run(docker, node, image)
    ready = ("wait", "--for=condition=Ready", "--timeout", "5s", *(f"node/{n.name}" for n in NODES))
    until(lambda: kubectl.says_yes(*ready), seconds=READY_S, what="not three nodes are Ready")


def _run(docker: Docker, node: Node, image: str) -> None:
    ARCHIVES.mkdir(parents=True, exist_ok=True)
    others = tuple(other for other in NODES if other != node)
    docker(
        "run", "--detach", "--name", node.container, "--hostname", node.name,
        "--network", NAME, "--ip", node.address,
        # All that --privileged gives, less what a machine in a sandbox lacks itself.
        "--cap-add", "ALL", "--cap-drop", "SYS_RESOURCE", "--cgroupns", "host",
        "--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined",
        "--security-opt", "systempaths=unconfined",
        "--device", "/dev/kmsg", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw",
        "--volume", "/var/lib/containerd", "--volume", "/var/lib/kubelet",
        "--volume", "/var/lib/volumes", "--volume", f"{ARCHIVES}:{MOUNTED}:ro",
        "--volume", f"{node_folder(node)}:/etc/kubernetes:ro",
        "--env", f"NODE={node.name}", "--env", f"ZONE={node.zone}",
        "--env", f"ADDRESS={node.address}",
        "--env", f"PODS={node.pods}", "--env", f"ALL_PODS={POD_RANGE}",
         "--env", f"ROUTES={routes(others)}",
        "--env", f"VOLUMES={VOLUMES}", image,
    )  # fmt: skip


def load(docker: Docker, images: tuple[str, ...], nodes: tuple[Node, ...] = NODES) -> None:
    """Afterwards the nodes have these images. Raises ClusterError."""
    missing = {node: _missing(docker, node, images) for node in nodes}
    wanted = sorted(set().union(*missing.values()))
    if not wanted:
        return
    ARCHIVES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ARCHIVES) as folder:
        archive = Path(folder) / "images.tar"
        docker("save", "--output", archive, *wanted, timeout=IMPORT_S)
        inside = Path(MOUNTED) / archive.relative_to(ARCHIVES)
        with ThreadPoolExecutor() as pool:
            for node in nodes:
                pool.submit(docker, *_images(node), "import", inside, timeout=IMPORT_S)
    left = [name for node in nodes for name in _missing(docker, node, images)]
    if left:
        raise ClusterError(f"These images did not reach the nodes: {', '.join(left)}")


def forget(docker: Docker, repository: str, keep: tuple[str, ...]) -> None:
    """Older images of the repository are taken off every node, unless a container has them."""
    kept = {_qualified(image) for image in keep}
    for node in NODES:
        containers = docker(*_ctr(node), "containers", "list")
        old = [
            name
            for name in docker(*_images(node), "list", "--quiet").split()
            if name.startswith(f"{_qualified(repository)}:") and name not in kept
            and f"{name} " not in containers
        ]  # fmt: skip
        if old:
            docker(*_images(node), "remove", *old)


def name_again(docker: Docker, image: str, other: str) -> None:
    """The image under a second name, on every node."""
    for node in NODES:
        docker(*_images(node), "tag", "--force", _qualified(image), _qualified(other))


def volumes(docker: Docker, kubectl: Kubectl) -> None:
    """Every volume that is missing; one whose claim is gone can be claimed again."""
    for volume in kubectl.get("pv", "-l", f"{PREFIX}=volume")["items"]:
        if volume["status"]["phase"] in {"Released", "Failed"}:
            _empty(docker, kubectl, volume)
    template = VOLUME.read_text()
    made = (
        template.replace("@NODE@", node.name).replace("@NUMBER@", str(number))
        for node in NODES
        for number in range(1, VOLUMES + 1)
    )
    kubectl.apply("---\n".join(made))


def _missing(docker: Docker, node: Node, images: tuple[str, ...]) -> set[str]:
    present = docker(*_images(node), "list", "--quiet").split()
    return {image for image in images if _qualified(image) not in present}


def _images(node: Node) -> tuple[str, ...]:
    return (*_ctr(node), "images")


def _ctr(node: Node) -> tuple[str, ...]:
    return ("exec", node.container, "ctr", "--namespace", "k8s.io")


def _qualified(image: str) -> str:
    """The name as a kubelet asks for it."""
    return f"docker.io/{image}" if "/" in image else f"docker.io/library/{image}"


def _empty(docker: Docker, kubectl: Kubectl, volume: Any) -> None:
    name, path = volume["metadata"]["name"], volume["spec"]["local"]["path"]
    node = next(node for node in NODES if name.startswith(node.name))
    docker("exec", node.container, "find", path, "-mindepth", "1", "-delete")
    kubectl("delete", "pv", name)
