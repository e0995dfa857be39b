"""`mediaplatform up` as a process of its own, as a person starts it."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from mediaplatform_local.client import Client
from mediaplatform_local.servers.ports import free_port, is_taken
from mediaplatform_local.state import Running, State

READY_S = 60
STOP_S = 15
COMMAND = (sys.executable, "-m", "mediaplatform_local.cli")
# Generous where a test is one client that does the work of many.
RESOURCE = """
kind: MediaPlatform
metadata: {name: photos}
spec:
  host: 127.0.0.1
  queues: {visibilitySeconds: 30}
  limits: {requestsPerMinute: 100000}
"""


def two_free_ports() -> int:
    """The first of two neighbours."""
    while is_taken((port := free_port()) + 1):
        pass
    return port


def mediaplatform(*words: str | Path, **how: Any) -> subprocess.CompletedProcess[str]:
    """One command, to its end."""
    return subprocess.run(
        [*COMMAND, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **how,
    )


@dataclass
class Up:
    """A running platform."""

    process: subprocess.Popen[str]
    state: State
    said: Path  # to whoever started it
    url: str
    seconds: float  # from its start to its ready line

    @property
    def running(self) -> Running:
        running = self.state.running()
        assert running is not None
        return running

    def client(self) -> Client:
        return Client(self.url)

    def pid(self, name: str) -> int:
        """Of the newest start of a process, even if it has just died."""
        return self.running.processes[name]

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: signal.Signals = signal.SIGINT) -> float:
        """The seconds that it took to end."""
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(STOP_S)
        return time.monotonic() - began

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(STOP_S)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.running.database_url, connect_timeout=5) as connection:
            return connection.execute(query).fetchall()


@contextmanager
def up(state: Path, *, port: int | None = None, resource: str = RESOURCE) -> Iterator[Up]:
    """A platform that is ready; stopped at the end, if it still runs."""
    state.parent.mkdir(parents=True, exist_ok=True)
    file, said = state.with_suffix(".yaml"), state.with_suffix(".log")
    file.write_text(resource)
    number = port or two_free_ports()
    began = time.monotonic()
    words = ["up", str(file), "--state", str(state), "--port", str(number)]
    with said.open("a") as log:
        process = subprocess.Popen(
            [*COMMAND, *words], stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1
        )
    try:
        line = _first_line(process)
        if not line.startswith("ready "):
            raise RuntimeError(f"not ready: {said.read_text()}")
        yield Up(process, State(state), said, line.split()[1], time.monotonic() - began)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
        if process.stdout:
            process.stdout.close()


def until(check: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Wait for a condition. Raises TimeoutError that says which."""
    deadline = time.monotonic() + seconds
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)


def _first_line(process: subprocess.Popen[str]) -> str:
    """What it printed first, or nothing when it ended or took too long."""
    lines: queue.Queue[str] = queue.Queue()
    stream = process.stdout
    assert stream is not None
    threading.Thread(target=lambda: lines.put(stream.readline()), daemon=True).start()
    try:
        return lines.get(timeout=READY_S).strip()
    except queue.Empty:
        return ""


def alive(pids: list[int]) -> list[int]:
    """Those that still run (and are not merely unburied)."""
    return [
        pid
        for pid in pids
        if psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    ]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, **more}


def log_lines(path: Path) -> list[dict[str, Any]]:
    """The JSON lines of a service's log."""
    return [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]
