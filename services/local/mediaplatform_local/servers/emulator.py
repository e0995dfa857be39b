"""The S3 and SQS emulator, with signatures and IAM enforced, in an environment of its own.

It pins botocore, so it cannot share ours. Its root credentials are the AWS variables of its own
environment; users and their policies are made through its IAM.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path

from uv import find_uv_bin

from mediaplatform.errors import Unavailable
from mediaplatform_local.process import Process, Program
from mediaplatform_local.servers.ports import HOST, answers

INSTALL_S = 300
READY_S = 30
ROOT_KEY = "root"


@dataclass(frozen=True)
class Emulator:
    """Objects and queues below `folder`; S3 and SQS at `endpoint`."""

    folder: Path
    port: int
    root_secret: str

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def program(self) -> Program:
        environment = {
            "BIND_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "AUTH": "true",
            "AWS_ACCESS_KEY_ID": ROOT_KEY,
            "AWS_SECRET_ACCESS_KEY": self.root_secret,
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.folder / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.folder / "s3"),
            "LOG_LEVEL": "WARNING",
        }
        return Program("s3+sqs", (str(_environment() / "bin/ministack"),), environment)

    def prepare(self) -> None:
        """Install it into the user's cache unless it is there. Raises Unavailable."""
        for name in ("state", "s3"):
            (self.folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        target = _environment()
        if target.exists():
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        # Made aside and moved, so that a half-made environment is never used.
        aside = Path(tempfile.mkdtemp(prefix="emulator-", dir=target.parent))
        try:
            _install(aside)
            aside.rename(target)
        except OSError:
            if not target.exists():  # another process may have been first
                raise
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def start(self, log: Path) -> Process:
        return Process(self.program, log)

    def wait_ready(self, process: Process) -> None:
        process.wait_until(partial(answers, f"{self.endpoint}/_ministack/health"), READY_S)


def _requirements() -> Path:
    return Path(str(files("mediaplatform_local.servers") / "emulator-requirements.txt"))


def _environment() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = hashlib.sha256(_requirements().read_bytes()).hexdigest()[:12]
    return cache / "mediaplatform" / f"emulator-{version}-{digest}"


def _install(folder: Path) -> None:
    uv = find_uv_bin()
    steps = (
        (uv, "venv", "--quiet", "--relocatable", "--allow-existing", "--python", sys.executable,
         str(folder)),
        (uv, "pip", "sync", "--quiet", "--require-hashes", "--python", str(folder / "bin/python"),
         str(_requirements())),
    )  # fmt: skip
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, timeout=INSTALL_S, check=False)
        if done.returncode != 0:
            raise Unavailable(f"The S3+SQS emulator cannot be installed: {done.stderr.strip()}")
