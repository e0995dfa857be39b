"""The feed and its likes, as clients get them."""

from __future__ import annotations

from uuid import UUID

import httpx2
import pytest
from tests.support.client import problem, register
from tests.support.seed import add_media, add_user

from mediaplatform.platform.database import Database
from mediaplatform_api.endpoints.feed import FeedOut
from mediaplatform_api.services import Services

pytestmark = pytest.mark.anyio


async def test_a_page_of_the_feed_is_what_the_document_says(
    client: httpx2.AsyncClient, database: Database
) -> None:
    owner = await add_user(database)
    for _ in range(3):
        await add_media(database, owner)

    answer = await client.get("/api/feed", params={"limit": 2})
    page = FeedOut.model_validate_json(answer.content)
    assert len(page.items) == 2
    rest = await client.get("/api/feed", params={"cursor": page.next_cursor})
    assert len(rest.json()["items"]) == 1
    assert rest.json()["nextCursor"] is None
    assert "public" in answer.headers["cache-control"]
    assert "set-cookie" not in answer.headers


async def test_a_page_that_the_client_holds_is_not_sent_again(
    client: httpx2.AsyncClient, services: Services, database: Database
) -> None:
    owner = await add_user(database)
    await add_media(database, owner)
    etag = (await client.get("/api/feed")).headers["etag"]

    for held in (etag, f'"other", {etag}', "*"):
        answer = await client.get("/api/feed", headers={"if-none-match": held})
        assert (answer.status_code, answer.content) == (304, b"")
    added = await add_media(database, owner)
    await services.feed.invalidate(added)
    newer = await client.get("/api/feed", headers={"if-none-match": etag})
    assert newer.status_code == 200
    assert newer.json()["items"][0]["id"] == str(added)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("cursor=x", "cursor"),
        ("cursor=" + "A" * 31, "cursor"),
        ("cursor=%00", "cursor"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=%C2%B2", "limit"),
        ("limit=-1", "limit"),
    ],
)
@pytest.mark.parametrize("path", ["/api/feed", "/api/media"])
async def test_a_wrong_page_names_its_field(
    client: httpx2.AsyncClient, path: str, query: str, field: str
) -> None:
    await register(client)

    assert problem(await client.get(f"{path}?{query}"), 422)["field"] == field


async def test_likes_are_given_taken_back_and_asked_apart(
    client: httpx2.AsyncClient, database: Database
) -> None:
    owner = await add_user(database)
    media_id, other = await add_media(database, owner), await add_media(database, owner)
    await register(client)
    path = f"/api/media/{media_id}/like"

    for _ in range(2):
        assert (await client.put(path)).json() == {"liked": True, "likesCount": 1}
    asked = await client.get("/api/feed/likes", params={"ids": f"{media_id},{other}"})
    assert sorted(asked.json()["items"], key=lambda item: item["likesCount"]) == [
        {"id": str(other), "liked": False, "likesCount": 0},
        {"id": str(media_id), "liked": True, "likesCount": 1},
    ]
    for _ in range(2):
        assert (await client.delete(path)).json() == {"liked": False, "likesCount": 0}


async def test_publishing_and_hiding_show_in_the_feed_at_once(
    client: httpx2.AsyncClient, database: Database
) -> None:
    user = UUID((await register(client))["user"]["id"])
    path = f"/api/media/{await add_media(database, user, visibility='private')}"

    async def shown() -> int:
        return len((await client.get("/api/feed")).json()["items"])

    assert await shown() == 0
    await client.patch(path, json={"visibility": "public"})
    assert await shown() == 1
    await client.delete(path)
    assert await shown() == 0
    await client.post(f"{path}/restore")
    assert await shown() == 1
    await client.patch(path, json={"visibility": "unlisted"})
    assert await shown() == 0
