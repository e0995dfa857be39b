"""Commands of other programs, each with a deadline; steps that say how long they took."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

LOOK_S, MOST_LOOK_S = 0.25, 1.0
T = TypeVar("T")


class ClusterError(Exception):
    """Something this machine lacks, or a step that failed; its message says what to do."""


def run(
    *command: str | Path,
    timeout: float = 60,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> str:
    """What the command printed. `timeout` in seconds. Raises ClusterError with its complaint."""
    done = attempt(*command, timeout=timeout, stdin=stdin, environment=environment, folder=folder)
    if done.returncode != 0:
        raise ClusterError(f"{_shown(command)}\n{done.stderr.strip()[-3000:]}")
    return done.stdout


def attempt(
    *command: str | Path,
    timeout: float = 60,
    stdin: str | None = None,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """The same for a command that may fail. Raises ClusterError if it is missing or too slow."""
    try:
        return subprocess.run(
            [str(word) for word in command],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            text=True,
            errors="replace",
            capture_output=True,
            timeout=timeout,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            check=False,
        )
    except FileNotFoundError as missing:
        raise ClusterError(f"{command[0]} is not installed") from missing
    except subprocess.TimeoutExpired as slow:
        raise ClusterError(f"{_shown(command)}: not done after {timeout:.0f} s") from slow


def until(check: Callable[[], T | None], *, seconds: float, what: Callable[[], str] | str) -> T:
    """What `check` finds, once it finds something. Raises ClusterError with what is the case."""
    began = time.monotonic()
    while True:
        found = check()
        if found:
            return found
        waited = time.monotonic() - began
        if waited > seconds:
            said = what if isinstance(what, str) else what()
            raise ClusterError(f"not in {seconds:.0f} s: {said}")
        # The longer it takes the less often: who looks takes the cores of those who work.
        time.sleep(min(max(LOOK_S, waited / 10), MOST_LOOK_S))


@contextmanager
def step(name: str) -> Iterator[None]:
    """Says the name, and afterwards the seconds."""
    started = time.monotonic()
    yield
    print(f"{time.monotonic() - started:6.1f} s  {name}", file=sys.stderr, flush=True)


def _shown(command: tuple[str | Path, ...]) -> str:
    return " ".join(str(word) for word in command)[:300]
