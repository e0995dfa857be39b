"""Items: changed, listed, deleted, and who may do so."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from tests.support.client import problem, register
from tests.support.seed import add_media, add_user

from mediaplatform.platform.database import Database
from mediaplatform_api.app import OPERATIONS

pytestmark = pytest.mark.anyio


async def test_a_change_is_refused_once_somebody_else_made_one(
    client: httpx2.AsyncClient, database: Database
) -> None:
    user = (await register(client))["user"]["id"]
    path = f"/api/media/{await add_media(database, UUID(user))}"
    read = await client.get(path)
    headers = {"if-match": read.headers["etag"]}
    changed = await client.patch(path, json={"title": "Dusk"}, headers=headers)

    assert changed.json()["title"] == "Dusk"
    assert changed.headers["etag"] != read.headers["etag"]
    problem(await client.patch(path, json={"title": "Noon"}, headers=headers), 412)
    problem(await client.patch(path, json={}), 422)
    assert problem(await client.patch(path, json={"tittle": "x"}), 422)["field"] == "tittle"


async def test_a_library_is_paged_searched_and_has_a_trash(
    client: httpx2.AsyncClient, database: Database
) -> None:
    user = UUID((await register(client))["user"]["id"])
    added = [str(await add_media(database, user, title=f"Photo {n}")) for n in "xyz"]

    async def listed(**query: str) -> list[str]:
        answer = await client.get("/api/media", params=query)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await listed() == added[::-1]
    assert await listed(q="photo y") == [added[1]]
    assert await listed(kind="VIDEO") == []
    assert (await client.delete(f"/api/media/{added[0]}")).status_code == 204
    assert await listed() == added[:0:-1]
    assert await listed(state="trashed") == [added[0]]
    assert (await client.post(f"/api/media/{added[0]}/restore")).json()["state"] == "ready"
    first = (await client.get("/api/media", params={"limit": 2})).json()
    assert await listed(cursor=first["nextCursor"]) == [added[0]]


async def test_deleting_for_good_goes_through_the_trash(
    client: httpx2.AsyncClient, database: Database
) -> None:
    user = UUID((await register(client))["user"]["id"])
    path = f"/api/media/{await add_media(database, user)}"
    problem(await client.delete(path, params={"permanent": "true"}), 409)
    await client.delete(path)
    assert (await client.delete(path, params={"permanent": "true"})).status_code == 204

    problem(await client.get(path), 404)


ITEM_OPERATIONS = [operation for operation in OPERATIONS if "{id}" in operation.path]


BODIES: dict[str, dict[str, Any]] = {"PATCH": {"title": "Mine"}}


@pytest.mark.parametrize("operation", ITEM_OPERATIONS, ids=lambda operation: operation.name)
@pytest.mark.parametrize("signed_in", [True, False])
async def test_a_stranger_finds_nothing_at_any_address_of_a_private_item(
    client: httpx2.AsyncClient, database: Database, operation: Any, *, signed_in: bool
) -> None:
    owner = await add_user(database)
    if signed_in:
        await register(client)
    private = await add_media(database, owner, visibility="private")

    answers = [
        await client.request(
            operation.method,
            operation.path.replace("{id}", str(media_id)),
            json=BODIES.get(operation.method),
        )
        for media_id in (private, uuid4())
    ]
    expected = 404 if signed_in or operation.access.value != "signed in" else 401
    assert problem(answers[0], expected) == problem(answers[1], expected)


@pytest.mark.parametrize("operation", ITEM_OPERATIONS, ids=lambda operation: operation.name)
async def test_what_is_no_id_belongs_to_nothing(client: httpx2.AsyncClient, operation: Any) -> None:
    await register(client)
    path = operation.path.replace("{id}", "not-an-id")

    problem(await client.request(operation.method, path, json=BODIES.get(operation.method)), 404)


async def test_a_public_item_is_read_by_strangers_and_changed_by_its_owner_alone(
    client: httpx2.AsyncClient, database: Database
) -> None:
    owner = await add_user(database)
    path = f"/api/media/{await add_media(database, owner)}"
    await register(client)

    assert (await client.get(path)).json()["position"] is None
    problem(await client.patch(path, json={"title": "Mine"}), 404)
    problem(await client.delete(path), 404)
    problem(await client.get(f"{path}/download"), 404)
    answer = await client.get(f"{path}/download", params={"rendition": "jpeg-512"})
    assert answer.status_code == 302
