"""PostgreSQL, Valkey and the emulator as `mediaplatform up` runs them."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
import redis

from mediaplatform.errors import Unavailable
from mediaplatform_local.process import Process, Program
from mediaplatform_local.servers.ports import answers, free_port, is_taken
from mediaplatform_local.servers.postgres import Postgres
from mediaplatform_local.servers.valkey import Valkey


def test_postgres_keeps_its_data_over_a_kill(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres", free_port(), "secret")
    server.prepare()
    first = server.start(tmp_path / "log")
    server.wait_ready(first)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    first._child.kill()
    first._child.wait(10)
    server.prepare()
    second = server.start(tmp_path / "log")
    try:
        server.wait_ready(second)
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
    finally:
        second.stop()
    assert second.returncode == 0


def test_postgres_refuses_a_wrong_password(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres", free_port(), "secret")
    server.prepare()
    process = server.start(tmp_path / "log")
    try:
        server.wait_ready(process)
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(server.url.replace("secret", "guess"))
    finally:
        process.stop()


def test_a_half_made_cluster_is_made_again(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres", free_port(), "secret")
    server.folder.mkdir()
    (server.folder / "PG_VERSION").write_text("18")
    server.prepare()
    assert (server.folder / "global/pg_control").exists()


def test_valkey_wants_its_password(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "valkey", free_port(), "secret")
    server.prepare()
    process = server.start(tmp_path / "log")
    try:
        server.wait_ready(process)
        assert (tmp_path / "valkey/valkey.conf").stat().st_mode & 0o777 == 0o600
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=server.port).ping()
    finally:
        process.stop()


def test_a_program_that_dies_at_once_says_why(tmp_path: Path) -> None:
    process = Process(
        Program("broken", ("sh", "-c", "echo no such luck; exit 3")), tmp_path / "log"
    )
    with pytest.raises(Unavailable, match="no such luck"):
        process.wait_until(lambda: False, 5)


def test_a_program_that_ignores_the_stop_signal_is_killed_with_its_children(tmp_path: Path) -> None:
    script = f"trap '' TERM; sleep 60 & echo $! > {tmp_path}/child; while :; do sleep 0.05; done"
    process = Process(Program("stubborn", ("sh", "-c", script), grace=0.2), tmp_path / "log")
    process.wait_until((tmp_path / "child").exists, 5)
    process.stop()
    child = int((tmp_path / "child").read_text())
    assert process.returncode is not None
    assert not Path(f"/proc/{child}").exists() or "Z" in Path(f"/proc/{child}/stat").read_text()


def test_a_port_is_taken_while_something_listens(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "valkey", free_port(), "secret")
    assert not is_taken(server.port)
    server.prepare()
    process = server.start(tmp_path / "log")
    try:
        server.wait_ready(process)
        assert is_taken(server.port)
        assert answers(server.port)
    finally:
        process.stop()
