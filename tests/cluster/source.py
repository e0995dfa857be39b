"""Three zones from source: for machines without a registry, and without `--privileged`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from tests.cluster import addons, binaries, catalogue, control_plane, images, nodes
from tests.cluster.bases import DEBIAN, Bases
from tests.cluster.engine import Docker
from tests.cluster.kubectl import Kubectl
from tests.cluster.layout import NAME, NODES, PREFIX
from tests.cluster.run import step

NETWORK = NAME
MANIFESTS = ("access", "storage", "dns")  # what kind brings along itself


def runs(docker: Docker) -> bool:
    """Whether the cluster that is up was made from source."""
    return docker.exists("container", NODES[0].container)


def start(docker: Docker) -> Kubectl:
    """A cluster that is ready. Raises ClusterError."""
    with step("image of the nodes"):
        Bases(docker).get(DEBIAN)
        image = images.build(docker, catalogue.node(_pause(docker)))
    for container in (control_plane.CONTAINER, *(node.container for node in NODES)):
        if docker.exists("container", container) and not _made_from(docker, container, image):
            print(f"{container} is older than its source: only make cluster-down renews it")
    with step("control plane"):
        kubectl = control_plane.start(docker, image)
    with step("nodes"):
        nodes.start(docker, kubectl, image)
    return kubectl


def addresses(docker: Docker) -> dict[str, str]:
    """Where each node is on the network."""
    return {node.name: node.address for node in NODES}


def load(docker: Docker, wanted: tuple[str, ...]) -> None:
    """Afterwards the nodes have these images. Raises ClusterError."""
    nodes.load(docker, wanted)


def name_again(docker: Docker, image: str, other: str) -> None:
    """The image under a second name, on every node; older ones of that name are gone."""
    nodes.name_again(docker, image, other)
    nodes.forget(docker, image.partition(":")[0], (image, other))


def prepare(docker: Docker, kubectl: Kubectl, made: dict[str, str]) -> None:
    """Names and volumes. Raises ClusterError."""
    addons.apply(kubectl, made, MANIFESTS)
    nodes.volumes(docker, kubectl)


def stop(docker: Docker) -> None:
    """Nothing of it is left."""
    containers = (*(node.container for node in NODES), control_plane.CONTAINER)
    left = [container for container in containers if docker.exists("container", container)]
    if left:
        docker("rm", "--force", "--volumes", *left)
    if docker.exists("network", NETWORK):
        docker("network", "rm", NETWORK)
    _remove_cgroups()


def _made_from(docker: Docker, container: str, image: str) -> bool:
    return docker("inspect", "--format", "{{.Config.Image}}", container).strip() == image


def _pause(docker: Docker) -> Path:
    """The image of a pod's first process, as an archive that nodes bring along."""
    archive = binaries.build("pause").with_suffix(".tar")
    if not archive.exists():
        docker("tag", images.build(docker, catalogue.pause()), f"{PREFIX}/pause:local")
        docker("save", "--output", archive, f"{PREFIX}/pause:local")
    return archive


def _remove_cgroups() -> None:
    """Those of the pods: nodes share the machine's, and take none along when they go."""
    for top in (*Path("/sys/fs/cgroup").glob("*/k8s.io"), Path("/sys/fs/cgroup/k8s.io")):
        for folder in sorted((f for f in top.rglob("*") if f.is_dir()), reverse=True):
            with suppress(OSError):  # of another cluster, and in use
                folder.rmdir()
        with suppress(OSError):
            top.rmdir()
