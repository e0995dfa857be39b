"""Processes that an instance left behind when it was killed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

import psutil

VARIABLES = ("MEDIAPLATFORM_SCRATCH_FOLDER", "STATE_DIR")
WAIT_S = 8.0  # what a leash does not tell to stop when its parent dies is told here


def clear(processes: Mapping[str, int], *, folder: str) -> None:
    """Wait for those that still belong to the folder, then kill them.

    A pid may be somebody else's by now: only what names the folder, or runs our modules, is ours.
    """
    found = [process for pid in processes.values() if (process := _ours(pid, folder))]
    if shutil.which("setpriv") is None:
        for process in found:
            process.terminate()
    _, alive = psutil.wait_procs(found, timeout=WAIT_S)
    for process in alive:
        process.kill()
    psutil.wait_procs(alive, timeout=WAIT_S)


def _ours(pid: int, folder: str) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        words = process.cmdline()
        variables = process.environ()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    marks = [
        *words,
        variables.get("MEDIAPLATFORM_SCRATCH_FOLDER", ""),
        variables.get("STATE_DIR", ""),
    ]
    return process if any(folder in mark for mark in marks) else None
