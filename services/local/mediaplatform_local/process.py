"""A program that runs as a child of ours, and never longer than we do."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mediaplatform.errors import Unavailable

POLL_S = 0.02
KILL_S = 5.0
LINE = 200  # characters of a log line that a person is shown
LOG_BYTES = 20 * 1024 * 1024  # then a log is put aside; one older log is kept


@dataclass(frozen=True)
class Program:
    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None  # for what refuses to run as root
    stop_signal: signal.Signals = signal.SIGTERM
    grace: float = 8.0  # seconds from the stop signal to the kill


class Process:
    """One run of a program, in a process group of its own, its output in a log file."""

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self.log = log
        self.started = time.monotonic()
        self.bound_log()
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                [*_leash(program), *program.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_environment(program),
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs."""
        return self._child.poll()

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Raises Unavailable, with the end of the log, when it dies or is not ready in time."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.returncode is not None:
                raise Unavailable(f"{self.program.name} ended at its start: {self.last_words()}")
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"{self.program.name} is not ready after {seconds:.0f} s: {self.last_words()}"
                )
            time.sleep(POLL_S)

    def wait_for_end(self, seconds: float) -> None:
        """Raises Unavailable unless it ends well and in time."""
        try:
            code = self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            raise Unavailable(f"{self.program.name} took over {seconds:.0f} s") from None
        if code != 0:
            raise Unavailable(f"{self.program.name} failed: {self.last_words()}")

    def ask_to_stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._child.send_signal(self.program.stop_signal)

    def stop(self, seconds: float | None = None) -> None:
        """Ask, wait so long or for its own grace, then kill the whole group."""
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(self.program.grace if seconds is None else seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._child.wait(KILL_S)

    def bound_log(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            # Copied, since its program writes (always at the end) to the file that it was given.
            shutil.copyfile(self.log, self.log.with_suffix(".log.1"))
            os.truncate(self.log, 0)

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return " | ".join(line[:LINE] for line in lines[-3:]) or "it said nothing"


def _environment(program: Program) -> dict[str, str]:
    """Only what the program needs: none of our own secrets or settings leak into it."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "COVERAGE_PROCESS_CONFIG")
    return {name: os.environ[name] for name in kept if name in os.environ} | {
        "PYTHONUNBUFFERED": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        **program.environment,
    }


def _leash(program: Program) -> tuple[str, ...]:
    """Linux: SIGTERM when we are killed, and another user without losing access to its files."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        return ()
    words = [setpriv, f"--pdeathsig={program.stop_signal.name[3:]}"]
    if program.user is not None:
        account = pwd.getpwnam(program.user)
        words += [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
        # A clone below /root is closed to others; reading it is all that the program is lent.
        words += ["--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"]
        # access(2), by which initdb looks for its program, forgets the loan without this.
        words += ["--securebits=+no_setuid_fixup"]
    return (*words, "--")
