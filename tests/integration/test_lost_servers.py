"""Servers that are gone without a word: every wait for them has an end."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from mediaplatform.errors import Unavailable
from mediaplatform.platform.adapters import aws as module
from mediaplatform.platform.adapters.aws import Aws
from mediaplatform.platform.adapters.queue import SqsQueue
from mediaplatform.platform.database import LOST_AFTER_S, Database

pytestmark = pytest.mark.anyio


async def test_the_kernel_gives_up_a_database_that_acknowledges_nothing(database: Database) -> None:
    async with database.connection() as connection:
        with socket.socket(fileno=os.dup(connection.pgconn.socket)) as tcp:
            limit = tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            first_look = tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
            looks = tcp.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    assert limit == LOST_AFTER_S * 1000
    assert looks
    assert first_look < LOST_AFTER_S


async def test_an_identity_of_irsa_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("a token of the cluster")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/ingest")
    monkeypatch.setattr(module, "IDENTITY_TIMEOUT_S", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{silent.getsockname()[1]}")
        aws = Aws("us-east-1", endpoint="http://127.0.0.1:1")
        with pytest.raises(Unavailable, match="does not answer: Read timeout"):
            await asyncio.wait_for(SqsQueue(aws, "http://127.0.0.1:1/ingest").receive(), 20)
        aws.close()
