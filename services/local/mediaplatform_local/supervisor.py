"""Keeps programs running: restarts what dies, less and less eagerly, and stops all in order."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mediaplatform_local.process import Process, Program

FIRST_S = 0.2
MOST_S = 15.0
HEALTHY_S = 4.0  # a program that ran this long had a good start
COMPLAIN_AT = 3  # deaths in a row


@dataclass
class _Kept:
    program: Program
    log: Path
    process: Process
    deaths: int = 0
    again_at: float | None = None


class Supervisor:
    """One thread calls everything; `say` is given a line for a person."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._kept: dict[str, _Kept] = {}

    def start(self, program: Program, log: Path) -> Process:
        kept = _Kept(program, log, Process(program, log))
        self._kept[program.name] = kept
        return kept.process

    @property
    def pids(self) -> dict[str, int]:
        """Of the newest run of each, whether it lives or waits to be started again."""
        return {name: kept.process.pid for name, kept in self._kept.items()}

    def process(self, name: str) -> Process:
        return self._kept[name].process

    def tick(self) -> list[str]:
        """Start again what died and has waited its time; the names of what was started."""
        return [name for name, kept in self._kept.items() if self._look_after(name, kept)]

    def stop(self, names: Iterable[str] | None = None, *, seconds: float) -> None:
        """Ask all of them at once, and kill what is still there when the time is over."""
        chosen = [self._kept.pop(name) for name in list(names or self._kept) if name in self._kept]
        for kept in chosen:
            kept.process.ask_to_stop()
        deadline = time.monotonic() + seconds
        for kept in chosen:
            kept.process.stop(max(0.1, deadline - time.monotonic()))

    def _look_after(self, name: str, kept: _Kept) -> bool:
        now = time.monotonic()
        if kept.again_at is None:
            code = kept.process.returncode
            if code is None:
                kept.process.bound_log()
                return False
            kept.deaths = 1 if now - kept.process.started > HEALTHY_S else kept.deaths + 1
            kept.again_at = now + delay(kept.deaths)
            self._tell(name, kept, code)
            return False
        if now < kept.again_at:
            return False
        kept.process = Process(kept.program, kept.log)
        kept.again_at = None
        return True

    def _tell(self, name: str, kept: _Kept, code: int) -> None:
        how = f"exit code {code}" if code >= 0 else f"signal {-code}"
        if kept.deaths < COMPLAIN_AT:
            self._say(f"{name} ended ({how}); starting it again")
        else:
            words = kept.process.last_words()
            self._say(f"{name} keeps dying ({how}, {kept.deaths} times): {words} [{kept.log}]")


def delay(deaths: int) -> float:
    """Seconds before the next start: 0.2, 0.4, 0.8 ..., up to 15, less up to a quarter."""
    longest = min(MOST_S, FIRST_S * float(1 << min(deaths - 1, 16)))
    return longest * random.uniform(0.75, 1)  # noqa: S311
