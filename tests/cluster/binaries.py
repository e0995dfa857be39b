"""Programs that come as Go source: each folder of `binaries/` pins one with all it stands on.

A program is built once; what it was built from names its folder in the user's cache.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from pathlib import Path

from tests.cluster.layout import CACHE, HERE, VERSION
from tests.cluster.run import ClusterError, run, step

SOURCES = HERE / "binaries"
BUILD_S = 3600
FLAGS = ("-trimpath", "-mod=readonly", "-buildvcs=false")
LINK = {"kubernetes": f"-s -w -X k8s.io/component-base/version.gitVersion={VERSION}"}
SETTINGS = {"CGO_ENABLED": "0", "GOWORK": "off", "GOTOOLCHAIN": "local"}


def build(name: str) -> Path:
    """The program, from the cache or from source. Raises ClusterError."""
    program = target(name)
    if program.exists():
        return program
    with step(f"build {name} from source"):
        _compile(name, program)
    return program


def target(name: str) -> Path:
    """Where the program is once it is built."""
    digest = hashlib.sha256(" ".join((*FLAGS, _link(name))).encode())
    source = SOURCES / name
    for path in sorted((source / "go.mod", source / "go.sum", *source.glob("*.go"))):
        digest.update(path.read_bytes() if path.exists() else b"")
    return CACHE / "go" / f"{name}-{digest.hexdigest()[:12]}" / name


def _compile(name: str, program: Path) -> None:
    if not shutil.which("go"):
        raise ClusterError("Go is missing: install 1.26 or later, it builds the cluster's programs")
    program.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=program.parent) as folder:
        made = Path(folder) / name
        run("go", "build", *FLAGS, "-ldflags", _link(name), "-o", made, _package(name),
            timeout=BUILD_S, environment=SETTINGS, folder=SOURCES / name)  # fmt: skip
        made.rename(program)


def _package(name: str) -> str:
    """The folder's own, or the tool that its go.mod names."""
    tool = re.search(r"^tool (\S+)", (SOURCES / name / "go.mod").read_text(), re.MULTILINE)
    return tool[1] if tool else "."


def _link(name: str) -> str:
    return LINK.get(name, "-s -w")
