"""What a process that opens an untrusted file may use, touch and know."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

NOBODY = 65534
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38


@dataclass(frozen=True)
class Limits:
    cpu_seconds: int = 30
    wall_seconds: float = 90.0
    memory_bytes: int = 1024**3  # address space, on top of what the process starts with
    file_bytes: int = 64 * 1024**2  # of each file it writes
    open_files: int = 32
    niceness: int = 5


def confine(limits: Limits, *, parent: int) -> None:
    """Give up, for good, all but the working folder and what is open already.

    Ends the process where its parent is gone. What a kernel or container does not offer (Landlock,
    another user) is left out; the rest is enforced.
    """
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    started_with = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    os.nice(limits.niceness)
    for what, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_AS, started_with + limits.memory_bytes),
    ):
        resource.setrlimit(what, (most, most))
    # The soft limit ends it with SIGXCPU, which tells it apart from being killed.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    if os.geteuid() == 0:
        with contextlib.suppress(PermissionError):
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
    die_with(parent)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    with contextlib.suppress(OSError):
        _landlock()


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, or has ended."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


_LIBC = ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, value: int) -> None:
    if _LIBC.prctl(option, ctypes.c_ulong(value), 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl {option}")


# Landlock (linux/landlock.h): from here on no file but those below the working folder, no TCP, no
# signal to any process outside. Numbers are the same on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ABI_QUERY = 1
_PATH_BENEATH = 1
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # how many bits each ABI version knows
_TCP_SINCE, _TCP_RIGHTS = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11  # abstract sockets, signals


class _Ruleset(ctypes.Structure):
    _fields_ = (("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64))


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def _landlock() -> None:
    version = _system_call(_CREATE_RULESET, None, ctypes.c_size_t(0), _ABI_QUERY)
    rights = (1 << _FILE_RIGHTS[min(version, max(_FILE_RIGHTS))]) - 1
    ruleset = _Ruleset(
        rights,
        _TCP_RIGHTS if version >= _TCP_SINCE else 0,
        _SCOPES if version >= _SCOPES_SINCE else 0,
    )
    size = ctypes.c_size_t(ctypes.sizeof(ruleset))
    rules = _system_call(_CREATE_RULESET, ctypes.byref(ruleset), size, 0)
    folder = os.open(".", os.O_PATH | os.O_DIRECTORY)
    beneath = _PathBeneath(rights, folder)
    _system_call(_ADD_RULE, rules, _PATH_BENEATH, ctypes.byref(beneath), 0)
    _system_call(_RESTRICT_SELF, rules, 0)
    os.close(folder)
    os.close(rules)


def _system_call(number: int, *arguments: object) -> int:
    result = int(_LIBC.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"system call {number}")
    return result
