"""Docker: the one that is here, else a daemon of our own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.cluster.layout import CACHE
from tests.cluster.run import ClusterError, attempt, run, until

OWN = CACHE / "docker"  # images stay here between clusters
RUNTIME = Path("/run/mediaplatform-docker")
SOCKET = RUNTIME / "docker.sock"
PID_FILE = RUNTIME / "docker.pid"
FIREWALL = RUNTIME / "iptables"  # the rules before dockerd added its own
NO_RULES = """*filter
:INPUT ACCEPT
:FORWARD ACCEPT
:OUTPUT ACCEPT
COMMIT
*nat
COMMIT
"""


@dataclass(frozen=True)
class Docker:
    """A client of one daemon."""

    program: str
    host: str | None = None  # the client's own default if unset

    def __call__(self, *words: str | Path, timeout: float = 120, stdin: str | None = None) -> str:
        return run(self.program, *words, timeout=timeout, stdin=stdin, environment=self.environment)

    def says_yes(self, *words: str | Path, timeout: float = 60) -> bool:
        return (
            attempt(self.program, *words, timeout=timeout, environment=self.environment).returncode
            == 0
        )

    @cached_property
    def environment(self) -> dict[str, str]:
        chosen = {"DOCKER_BUILDKIT": "1" if self._builds_with_buildkit else "0"}
        return chosen | ({"DOCKER_HOST": self.host} if self.host else {})

    @cached_property
    def _builds_with_buildkit(self) -> bool:
        """Clients since 23 need a plugin for it, older ones have it built in."""
        version = run(self.program, "--version").split()[2]
        return int(version.split(".")[0]) < 23 or _has_buildx(self.program)

    def exists(self, kind: str, name: str) -> bool:
        return self.says_yes(kind, "inspect", name)

    def running(self, container: str) -> bool:
        seen = attempt(
            self.program, "inspect", "-f", "{{.State.Running}}", container,
            environment=self.environment,
        )  # fmt: skip
        return seen.stdout.strip() == "true"


def start() -> Docker:
    """A working Docker. Raises ClusterError that says what to install."""
    return find() or _start_own()


def find() -> Docker | None:
    """The Docker that answers: this machine's, or ours if it runs."""
    program = _client()
    if program is None:
        return None
    for docker in (Docker(program), Docker(program, f"unix://{SOCKET}")):
        if docker.says_yes("version", timeout=20):
            return docker
    return None


def stop_own() -> None:
    """The daemon that start() had to start, and what it left in the network; its images stay."""
    if not PID_FILE.exists():
        return
    pid = int(PID_FILE.read_text())
    if _is_dockerd(pid):
        os.kill(pid, signal.SIGTERM)
        until(lambda: not _is_dockerd(pid), seconds=60, what="dockerd does not stop")
        run("sh", "-c", "! command -v ip || ip link delete docker0")
        run("iptables-restore", stdin=NO_RULES + FIREWALL.read_text())
    shutil.rmtree(RUNTIME, ignore_errors=True)


def _client() -> str | None:
    """One that can use BuildKit, if there is one."""
    found = [
        name for name in (shutil.which("docker"), "/usr/bin/docker") if name and Path(name).exists()
    ]
    return next((name for name in found if _has_buildx(name)), found[-1] if found else None)


def _has_buildx(program: str) -> bool:
    return attempt(program, "buildx", "version").returncode == 0


def _start_own() -> Docker:
    if os.geteuid() != 0:
        raise ClusterError("Docker does not answer: start it, or run this as root")
    install("docker.io", unless="dockerd")
    OWN.mkdir(parents=True, exist_ok=True)
    RUNTIME.mkdir(parents=True, exist_ok=True, mode=0o700)
    FIREWALL.write_text(run("iptables-save"))
    with (RUNTIME / "log").open("ab") as log:
        subprocess.Popen(
            ["dockerd", "--host", f"unix://{SOCKET}", "--pidfile", PID_FILE, "--data-root", OWN,
             "--exec-root", RUNTIME / "exec", "--exec-opt", "native.cgroupdriver=cgroupfs"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    program = _client()
    if program is None:
        raise ClusterError("docker.io brought no docker client")
    docker = Docker(program, f"unix://{SOCKET}")
    until(
        lambda: docker.says_yes("version"), seconds=60,
        what=f"dockerd does not answer (its log: {RUNTIME / 'log'})",
    )  # fmt: skip
    return docker


def install(package: str, *, unless: str) -> None:
    """A Debian package, unless its program is here. Raises ClusterError."""
    if shutil.which(unless):
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        raise ClusterError(f"{unless} is missing: install {package}")
    run("apt-get", "-qq", "update", timeout=300)
    run("apt-get", "-qq", "install", "-y", "--no-install-recommends", package,
        timeout=600, environment={"DEBIAN_FRONTEND": "noninteractive"})  # fmt: skip


def _is_dockerd(pid: int) -> bool:
    try:
        return "dockerd" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False
