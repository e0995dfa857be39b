"""PostgreSQL and Valkey as `mediaplatform up` runs them, gone when the block ends."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from mediaplatform_local.servers.ports import free_port
from mediaplatform_local.servers.postgres import Postgres
from mediaplatform_local.servers.valkey import Valkey

# What is lost with the power is lost with the block anyway.
FAST = ("fsync=off", "full_page_writes=off", "max_wal_size=4GB", "shared_buffers=256MB")


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database; everything is lost afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres(Path(folder) / "data", free_port(), "secret", FAST)
        yield from _running(server, Path(folder))


@contextmanager
def valkey() -> Iterator[str]:
    """The URL of an empty cache."""
    with tempfile.TemporaryDirectory() as folder:
        yield from _running(Valkey(Path(folder), free_port(), "secret"), Path(folder))


def create_database(url: str, name: str) -> str:
    """The URL of a new, empty database on the same server."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    return f"{url.rpartition('/')[0]}/{name}"


def _running(server: Postgres | Valkey, folder: Path) -> Iterator[str]:
    server.prepare()
    process = server.start(folder / "log")
    try:
        server.wait_ready(process)
        yield server.url
    finally:
        process.stop()
