"""A folder for temporary files that outlives no process, even one that is killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "mediaplatform-"


class Scratch:
    """A folder of this process below `parent`, locked for as long as the process lives."""

    def __init__(self, parent: Path) -> None:
        self._parent = parent
        self._lock: int | None = None
        self.folder = parent

    def open(self) -> None:
        """Make the folder, and remove those whose process is gone."""
        self._parent.mkdir(parents=True, exist_ok=True)
        for left in self._parent.glob(f"{PREFIX}*"):
            lock = _lock(left)
            if lock is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)
        while self._lock is None:
            self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._parent))
            self._lock = _lock(self.folder)

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _lock(folder: Path) -> int | None:
    """None where another process has it, or has removed it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(descriptor).st_nlink and folder.exists():
            return descriptor
    except BlockingIOError:
        pass
    os.close(descriptor)
    return None
