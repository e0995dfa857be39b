"""Uploads: asked for, confirmed, followed, repeated and refused."""

from __future__ import annotations

import asyncio
from uuid import UUID

import httpx2
import pytest
from starlette.responses import Response
from tests.support.client import photo, problem, register
from tests.support.seed import add_media, add_user

from mediaplatform.errors import Conflict
from mediaplatform.platform.database import Database
from mediaplatform.platform.fakes.objects import MemoryBucket
from mediaplatform_api.services import Services

pytestmark = pytest.mark.anyio


async def test_an_upload_is_asked_for_put_confirmed_and_followed(
    client: httpx2.AsyncClient, uploads: MemoryBucket
) -> None:
    await register(client)
    asked = await client.post("/api/media/upload-url", json=photo())
    assert asked.status_code == 201
    media, upload = asked.json()["media"], asked.json()["upload"]
    assert upload["method"] == "PUT"
    path = f"/api/media/{media['id']}"
    problem(await client.post(f"{path}/confirm"), 409)
    key = upload["url"].removeprefix("memory://uploads/").partition("?")[0]
    await uploads.upload(key, b"photo", content_type="image/jpeg")

    assert (await client.post(f"{path}/confirm")).json()["state"] == "uploaded"
    assert (await client.get(f"{path}/status")).json()["state"] == "uploaded"
    again = await client.post("/api/media/upload-url", json=photo())
    assert again.json()["upload"] is None
    assert again.json()["media"]["id"] == media["id"]


async def test_waiting_for_a_status_ends_with_the_change(
    client: httpx2.AsyncClient, database: Database
) -> None:
    user = (await register(client))["user"]["id"]
    media_id = await add_media(database, UUID(user), state="processing")
    path = f"/api/media/{media_id}/status"

    known = await client.get(path, params={"wait": 0.2, "known": "processing"})
    assert known.json()["state"] == "processing"
    other = await client.get(path, params={"wait": 20, "known": "uploaded"})
    assert other.json()["state"] == "processing"


async def test_a_repeated_create_gets_the_first_answer(client: httpx2.AsyncClient) -> None:
    await register(client)
    headers = {"idempotency-key": "first"}
    first = await client.post("/api/media/upload-url", json=photo(), headers=headers)
    again = await client.post("/api/media/upload-url", json=photo(), headers=headers)
    other = await client.post("/api/media/upload-url", json=photo(b"other"), headers=headers)

    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    problem(other, 422)


async def test_the_same_create_sent_twice_at_once_is_done_once(
    services: Services, database: Database
) -> None:
    user = await add_user(database)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def answer() -> Response:
        begun.set()
        await go_on.wait()
        return Response(b"made", 201)

    first = asyncio.create_task(services.idempotency.once(user, "key", b"body", answer))
    await begun.wait()
    with pytest.raises(Conflict, match="still at work"):
        await services.idempotency.once(user, "key", b"body", answer)
    go_on.set()

    assert (await first).body == b"made"
    assert (await services.idempotency.once(user, "key", b"body", answer)).body == b"made"


async def test_a_refused_create_may_be_repeated_with_its_key(client: httpx2.AsyncClient) -> None:
    await register(client)
    headers = {"idempotency-key": "first"}
    too_large = {**photo(), "size": 5_001}
    refused = await client.post("/api/media/upload-url", json=too_large, headers=headers)
    assert problem(refused, 422)["field"] == "size"

    answer = await client.post("/api/media/upload-url", json=photo(), headers=headers)
    assert answer.status_code == 201


async def test_a_full_quota_is_a_problem_that_says_what_is_left(
    client: httpx2.AsyncClient,
) -> None:
    await register(client)
    for number in range(2):
        body = {**photo(b"%d" % number), "size": 4_000}
        assert (await client.post("/api/media/upload-url", json=body)).status_code == 201

    body = {**photo(b"more"), "size": 4_000}
    detail = problem(await client.post("/api/media/upload-url", json=body), 413)["detail"]
    assert "2000 are left" in detail
