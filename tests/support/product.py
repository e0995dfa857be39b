"""The whole product, as `mediaplatform up` starts it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mediaplatform_local.servers.ports import free_port, is_taken

START_SECONDS = 120
STOP_SECONDS = 20
RESOURCE = """
apiVersion: mediaplatform.io/v1alpha1
kind: MediaPlatform
metadata: {name: photos, namespace: photos}
spec:
  host: localhost
  limits: {requestsPerMinute: 100000}
"""


@contextmanager
def product(folder: Path) -> Iterator[str]:
    """Its URL, with all its data in the folder; everything is stopped at the end."""
    resource, log = folder / "mediaplatform.yaml", folder / "log"
    resource.write_text(RESOURCE)
    port = _free_pair()
    command = [sys.executable, "-m", "mediaplatform_local.cli", "up", str(resource)]
    command += ["--port", str(port), "--state", str(folder / "state")]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + START_SECONDS
        while "ready http" not in log.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text())
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_SECONDS)


def _free_pair() -> int:
    """A port for the page, with one for S3 behind it."""
    while True:
        port = free_port()
        if port < 65_535 and not is_taken(port + 1):
            return port
