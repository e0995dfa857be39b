"""The state folder: everything that survives, and who is at work in it."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from mediaplatform.errors import ConfigurationError, Conflict

DEFAULT = Path(".mediaplatform")
_SECRETS = ("postgres", "valkey", "emulator", "token")


@dataclass(frozen=True)
class Running:
    """What an instance tells others about itself."""

    pid: int
    url: str
    endpoint: str  # S3 and SQS
    metrics: Mapping[str, int] = field(default_factory=dict)  # ports by component
    processes: Mapping[str, int] = field(default_factory=dict)  # pids by name
    database_url: str = ""
    ingest_queue_url: str = ""
    ingest_dead_url: str = ""


class State:
    """A folder of one instance; `locked` while it runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._lock: int | None = None

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def open(self) -> None:
        """Make the folder ours until `close`.

        Raises ConfigurationError where it cannot be written, Conflict where another has it.
        """
        try:
            if self.folder.exists() and not self.is_ours() and any(self.folder.iterdir()):
                raise ConfigurationError(
                    f"{self.folder} holds other files: choose another folder by --state"
                )
            self.logs.mkdir(parents=True, exist_ok=True)
            # Others must reach the database's folder, which has an owner of its own, and no more.
            self.folder.chmod(0o711)
            self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as fault:
            raise ConfigurationError(
                f"{self.folder} cannot be written ({fault.strerror}): choose another by --state"
            ) from fault
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            running = self.running()
            where = f" at {running.url}" if running else ""
            raise Conflict(
                f"{self.folder} is in use by another mediaplatform{where}: stop it, or choose "
                "another folder by --state"
            ) from None

    def is_ours(self) -> bool:
        """Whether an instance has been here: only then may it be deleted."""
        return (self.folder / "lock").exists() and self.logs.is_dir()

    def close(self) -> None:
        if self._lock is not None:
            (self.folder / "running.json").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def is_running(self) -> bool:
        """Whether an instance holds the folder now."""
        try:
            lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(lock)
        return False

    def secrets(self) -> dict[str, str]:
        """Passwords, the signing key and this platform's UID: made once."""
        path = self.folder / "secrets.json"
        if not path.exists():
            made = {name: secrets.token_urlsafe(32) for name in _SECRETS} | {"uid": str(uuid4())}
            _write(path, made)
        content: dict[str, str] = json.loads(path.read_text())
        return content

    def announce(self, running: Running) -> None:
        _write(self.folder / "running.json", asdict(running))

    def running(self) -> Running | None:
        """What the last instance said of itself; it may be gone without a word."""
        try:
            return Running(**json.loads((self.folder / "running.json").read_text()))
        except (OSError, ValueError, TypeError):
            return None


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Whole or not at all, and for nobody else's eyes."""
    aside = path.with_suffix(".new")
    aside.touch(mode=0o600)
    aside.write_text(json.dumps(content, indent=1))
    aside.replace(path)
