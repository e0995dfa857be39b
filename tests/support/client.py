"""What a client says to the API, and what every problem that it gets keeps to."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import uuid4

import httpx2

PASSWORD = "correct horse battery"


async def register(client: httpx2.AsyncClient) -> dict[str, Any]:
    """The session of a new account; the client sends its token from then on."""
    email = f"{uuid4().hex}@example.com"
    body = {"email": email, "name": "Ada", "password": PASSWORD}
    answer = await client.post("/api/auth/register", json=body)
    assert answer.status_code == 201, answer.text
    session: dict[str, Any] = answer.json()
    client.headers["authorization"] = f"Bearer {session['accessToken']}"
    return session


def photo(content: bytes = b"photo") -> dict[str, Any]:
    return {
        "fileName": "dawn.jpg",
        "size": len(content),
        "contentType": "image/jpeg",
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def problem(answer: httpx2.Response, status: int) -> dict[str, Any]:
    """The problem document, which always says what and what to do."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body
