"""The same three zones by kind, where Docker may run it: nobody then waits for a build from source.

Not tried on the machines where this was written: they have no registry, and no `--privileged`.
"""

from __future__ import annotations

import shutil

from tests.cluster import binaries
from tests.cluster.bases import DEBIAN, Bases
from tests.cluster.control_plane import AUDIT_LOG
from tests.cluster.engine import Docker
from tests.cluster.kubectl import Kubectl
from tests.cluster.layout import HERE, KUBECONFIG, NAME
from tests.cluster.run import run

NETWORK = "kind"
WORKERS = tuple(f"{NAME}-{name}" for name in ("worker", "worker2", "worker3"))
CREATE_S = 900


def usable(docker: Docker, bases: Bases) -> bool:
    """Whether this machine can run it: it needs a registry, and containers with every privilege."""
    if not bases.reachable or not shutil.which("kubectl"):
        return False
    bases.get(DEBIAN)
    return docker.says_yes("run", "--rm", "--privileged", DEBIAN, "true")


def runs(docker: Docker) -> bool:
    """Whether the cluster that is up was made by kind."""
    return docker.exists("container", WORKERS[0])


def start(docker: Docker) -> Kubectl:
    """A cluster that is ready. Raises ClusterError."""
    if not runs(docker):
        folder = AUDIT_LOG.parent
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "images/node/audit.yaml", folder / "policy.yaml")
        configuration = (HERE / "kind.yaml").read_text().replace("@AUDIT@", str(folder))
        _kind(docker, "create", "cluster", "--config", "-", "--kubeconfig", str(KUBECONFIG),
              "--wait", "120s", stdin=configuration)  # fmt: skip
    return Kubectl(KUBECONFIG, shutil.which("kubectl") or "kubectl")


def addresses(docker: Docker) -> dict[str, str]:
    """Where each worker is on the network of kind."""
    shape = f"{{{{.NetworkSettings.Networks.{NETWORK}.IPAddress}}}}"
    return {name: docker("inspect", "--format", shape, name).strip() for name in WORKERS}


def load(docker: Docker, images: tuple[str, ...]) -> None:
    """Afterwards the nodes have these images. Raises ClusterError."""
    _kind(docker, "load", "docker-image", *images)


def name_again(docker: Docker, image: str, other: str) -> None:
    """The image under a second name, on every node."""
    load(docker, (other,))


def prepare(docker: Docker, kubectl: Kubectl, made: dict[str, str]) -> None:
    """kind has names and volumes of its own."""


def stop(docker: Docker) -> None:
    """No node of kind is left."""
    if runs(docker):
        _kind(docker, "delete", "cluster", "--kubeconfig", str(KUBECONFIG))


def _kind(docker: Docker, *words: str, stdin: str | None = None) -> None:
    run(binaries.build("kind"), *words, "--name", NAME,
        timeout=CREATE_S, stdin=stdin, environment=docker.environment)  # fmt: skip
