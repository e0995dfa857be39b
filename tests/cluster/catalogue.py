"""The images of the cluster: its machines, what runs on it, and the product."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.cluster import binaries
from tests.cluster.bases import DEBIAN, HELM, PYTHON
from tests.cluster.images import DOCKERFILES, Image
from tests.cluster.layout import PREFIX, ROOT

PROGRAMS = ("coredns", "prometheus-adapter", "traefik")
DEBIAN_PROGRAMS = ("balancer", "prometheus")
COMPONENTS = ("operator", "api", "worker")
PRODUCT_FILES = (
    "charts/mediaplatform",
    "operator/mediaplatform_operator",
    "pyproject.toml",
    "requirements",
    "scripts/slim-kubernetes",
    "scripts/slim-libraries",
    "services/api",
    "services/core",
    "services/worker",
)
SERVERS = ROOT / "services/local/mediaplatform_local/servers"


def pause() -> Image:
    files = {"pause": binaries.build("pause")}
    return Image(f"{PREFIX}/pause", DOCKERFILES / "pause.Dockerfile", files)


def node(pause_archive: Path) -> Image:
    """Every node, and the control plane."""
    files = {
        "etcd": binaries.build("etcd"),
        "kubernetes": binaries.build("kubernetes"),
        "node": DOCKERFILES / "node",
        "pause.tar": pause_archive,
        "policies": binaries.build("policies"),
    }
    return Image(f"{PREFIX}/node", DOCKERFILES / "node.Dockerfile", files, (DEBIAN,))


def addons() -> Iterator[Image]:
    for name in PROGRAMS:
        yield Image(
            f"{PREFIX}/{name}",
            DOCKERFILES / "program.Dockerfile",
            {"program": binaries.build(name)},
        )
    for name in DEBIAN_PROGRAMS:
        yield Image(f"{PREFIX}/{name}", DOCKERFILES / f"{name}.Dockerfile", bases=(DEBIAN,))
    requirements = {
        "uv.txt": ROOT / "requirements/uv.txt",
        "emulator.txt": SERVERS / "emulator-requirements.txt",
    }
    yield Image(f"{PREFIX}/emulator", DOCKERFILES / "emulator.Dockerfile", requirements, (PYTHON,))


def product() -> Iterator[Image]:
    """What the repository's own Dockerfile makes."""
    for component in COMPONENTS:
        yield Image(
            f"mediaplatform-{component}",
            ROOT / "Dockerfile",
            {name: ROOT / name for name in PRODUCT_FILES},
            (PYTHON, HELM),
            ("--target", component),
        )
