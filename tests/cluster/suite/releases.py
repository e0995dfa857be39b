"""Two releases: the previous one from an older commit, the next one with another schema."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.cluster import cluster
from tests.cluster.bases import HELM, PYTHON
from tests.cluster.images import DOCKERFILES, Image
from tests.cluster.layout import PREFIX, ROOT
from tests.cluster.run import attempt, run

COMPONENTS = ("api", "worker")
PREVIOUS = Path(__file__).with_name("previous.txt")
MIGRATION = "9999_upgrade_test.pre"


@dataclass(frozen=True)
class Release:
    """A folder of its source and the registry of its images, which are in every node."""

    tree: Path
    registry: str

    @property
    def chart(self) -> str:
        return str(self.tree / "charts/mediaplatform")

    def image(self, component: str) -> str:
        return f"{self.registry}/mediaplatform-{component}"


def previous_release(folder: Path) -> Release:
    """Of the commit that PREVIOUS names. Raises ClusterError."""
    release = Release(_checkout(folder), f"{PREFIX}/previous")
    files = {path.name: path for path in release.tree.iterdir()}
    cluster.add(
        Image(
            release.image(name), release.tree / "Dockerfile", files,
            (PYTHON, HELM), ("--target", name),
        )
        for name in COMPONENTS
    )  # fmt: skip
    return release


def next_release() -> Release:
    """This tree, with one migration more. Raises ClusterError."""
    release = Release(ROOT, f"{PREFIX}/next")
    file = f"{MIGRATION}.sql"
    cluster.add(
        Image(
            release.image(name), DOCKERFILES / "next.Dockerfile", {file: DOCKERFILES / file},
            (f"mediaplatform-{name}:test",), ("--build-arg", f"COMPONENT={name}"),
        )
        for name in COMPONENTS
    )  # fmt: skip
    return release


def _checkout(folder: Path) -> Path:
    [commit] = (line for line in PREVIOUS.read_text().splitlines() if not line.startswith("#"))
    if attempt("git", "-C", ROOT, "cat-file", "-e", f"{commit}^{{commit}}").returncode:
        print(f"this clone has no {commit}: its own commit stands for the previous release")
        commit = "HEAD"
    archive, tree = folder / "previous.tar", folder / "previous"
    tree.mkdir()
    run("git", "-C", ROOT, "archive", "--output", archive, commit)
    run("tar", "-xf", archive, "-C", tree)
    return tree
