"""Every error gets an answer, unless half of one is out."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mediaplatform.errors import TooManyRequests
from mediaplatform_api import problems
from mediaplatform_api.middleware import REQUESTS, Around

pytestmark = pytest.mark.anyio


def failing(error: Exception, *, halfway: bool = False) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if halfway:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        raise error

    return Around(app, problems.explain)


async def answer(app: ASGIApp) -> list[Message]:
    """What was sent, even where the app raised in the end."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}
    try:
        await app(scope, receive, send)
    except ZeroDivisionError:
        sent.append({"type": "raised"})
    return sent


def counted(status: int) -> float:
    value: float = REQUESTS.labels("GET", "none", status)._value.get()
    return value


async def test_a_fault_is_told_as_a_problem_without_its_details() -> None:
    before = counted(500)
    start, body = await answer(failing(ZeroDivisionError("secret")))
    assert start["status"] == 500
    assert {b"x-request-id", b"x-content-type-options"} <= {name for name, _ in start["headers"]}
    assert b"Something went wrong here" in body["body"]
    assert b"secret" not in body["body"]
    assert counted(500) == before + 1


async def test_an_error_of_ours_keeps_its_headers() -> None:
    start, _ = await answer(failing(TooManyRequests(retry_after=7)))
    assert (start["status"], dict(start["headers"])[b"retry-after"]) == (429, b"7")


async def test_an_error_after_half_an_answer_is_left_to_the_server() -> None:
    sent = await answer(failing(ZeroDivisionError(), halfway=True))
    assert [message["type"] for message in sent] == ["http.response.start", "raised"]
