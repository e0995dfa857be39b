"""From a fresh clone to the ready line: cold, with every cache empty, and again, warm."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.result import Result
from tests.support.up import two_free_ports

ROOT = Path(__file__).parents[2]
READY_S = 300
STOP_S = 15
# What points into the caches or the environments of whoever runs this.
OURS = ("VIRTUAL_ENV", "UV_CACHE_DIR", "XDG_CACHE_HOME", "PYTHONPATH")


def run() -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True, timeout=60)
        home = Path(folder) / "home"
        home.mkdir()
        cold = _seconds(clone, home)
        warm = sorted(_seconds(clone, home) for _ in range(3))
    return [
        Result("fresh clone, make run, cold caches", cold, "s", at_most=120),
        Result("make run, warm", warm[1], "s", at_most=6, detail=f"slowest {warm[2]:.1f}"),
    ]


def _seconds(clone: Path, home: Path) -> float:
    """From `make run` to its ready line; stopped by Ctrl-C afterwards."""
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    environment = kept | {"HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
    began = time.monotonic()
    process = subprocess.Popen(
        ["make", "run", f"ARGS=--port {two_free_ports()}"],
        cwd=clone,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("ready "):
                return time.monotonic() - began
            if time.monotonic() - began > READY_S:
                break
        raise RuntimeError("make run did not become ready")
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(STOP_S)
        if process.stdout:
            process.stdout.close()
