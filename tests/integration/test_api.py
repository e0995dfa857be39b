"""The API's own promises: problems, sessions, limits, who sees what."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest
from starlette.responses import Response
from tests.support.seed import add_media, add_user

from mediaplatform.errors import Conflict
from mediaplatform.platform.database import Database
from mediaplatform.platform.fakes.clock import FakeClock
from mediaplatform.platform.fakes.objects import MemoryBucket
from mediaplatform_api.app import OPERATIONS
from mediaplatform_api.endpoints.feed import FeedOut
from mediaplatform_api.services import Services

pytestmark = pytest.mark.anyio

PASSWORD = "correct horse battery"
COOKIE = "mediaplatform_refresh"


async def register(client: httpx2.AsyncClient, name: str = "Ada") -> dict[str, Any]:
    """The session of a new account; the client sends its token from then on."""
    email = f"{uuid4().hex}@example.com"
    body = {"email": email, "name": name, "password": PASSWORD}
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


async def test_an_account_is_used_from_registration_to_signing_out(
    client: httpx2.AsyncClient,
) -> None:
    session = await register(client)
    assert (await client.get("/api/auth/me")).json() == session["user"]
    refreshed = await client.post("/api/auth/refresh")
    assert refreshed.status_code == 200
    assert (await client.post("/api/auth/logout")).status_code == 204

    problem(await client.get("/api/auth/me"), 401)
    problem(await client.post("/api/auth/refresh"), 401)


async def test_the_refresh_cookie_is_out_of_reach_of_scripts_and_other_sites(
    client: httpx2.AsyncClient,
) -> None:
    body = {"email": "ada@example.com", "name": "Ada", "password": PASSWORD}
    answer = await client.post("/api/auth/register", json=body)

    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/api/auth" in cookie


async def test_an_old_refresh_token_ends_the_session(
    client: httpx2.AsyncClient, clock: FakeClock
) -> None:
    await register(client)
    old = client.cookies[COOKIE]
    await client.post("/api/auth/refresh")
    newest = client.cookies[COOKIE]
    clock.advance(timedelta(minutes=1))
    client.cookies.clear()
    problem(await client.post("/api/auth/refresh", headers={"cookie": f"{COOKIE}={old}"}), 401)

    problem(await client.post("/api/auth/refresh", headers={"cookie": f"{COOKIE}={newest}"}), 401)
    problem(await client.get("/api/auth/me"), 401)


async def test_two_tabs_may_refresh_at_the_same_moment(client: httpx2.AsyncClient) -> None:
    await register(client)
    cookie = {"cookie": f"{COOKIE}={client.cookies[COOKIE]}"}
    client.cookies.clear()

    answers = [await client.post("/api/auth/refresh", headers=cookie) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert (await client.get("/api/auth/me")).status_code == 200


async def test_signing_out_everywhere_ends_every_session(client: httpx2.AsyncClient) -> None:
    session = await register(client)
    body = {"email": session["user"]["email"], "password": PASSWORD}
    other = (await client.post("/api/auth/login", json=body)).json()["accessToken"]
    assert (await client.post("/api/auth/logout-everywhere")).status_code == 204

    headers = {"authorization": f"Bearer {other}"}
    problem(await client.get("/api/auth/me", headers=headers), 401)


async def test_an_unknown_account_and_a_wrong_password_get_one_answer(
    client: httpx2.AsyncClient,
) -> None:
    session = await register(client)
    wrong = {"email": session["user"]["email"], "password": "something else"}
    unknown = {"email": "nobody@example.com", "password": "something else"}

    answers = [
        problem(await client.post("/api/auth/login", json=body), 401) for body in (wrong, unknown)
    ]
    assert answers[0] == answers[1]


async def test_guessing_a_password_ends_after_ten_attempts(client: httpx2.AsyncClient) -> None:
    body = {"email": "nobody@example.com", "password": "something else"}
    for _ in range(10):
        problem(await client.post("/api/auth/login", json=body), 401)

    refused = await client.post("/api/auth/login", json=body)
    problem(refused, 429)
    assert int(refused.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"password": "short"}, "password"),
        ({"password": "password123"}, "password"),
        ({"email": "ada"}, "email"),
        ({"name": " "}, "name"),
        ({"name": None}, "name"),
        ({"age": 7}, "age"),
    ],
)
async def test_a_wrong_registration_names_its_field(
    client: httpx2.AsyncClient, changed: dict[str, Any], field: str
) -> None:
    body = {"email": "ada@example.com", "name": "Ada", "password": PASSWORD, **changed}

    assert problem(await client.post("/api/auth/register", json=body), 422)["field"] == field


async def test_an_email_is_registered_once(client: httpx2.AsyncClient) -> None:
    body = {"email": "ada@example.com", "name": "Ada", "password": PASSWORD}
    await client.post("/api/auth/register", json=body)

    again = {**body, "email": "ADA@example.com"}
    problem(await client.post("/api/auth/register", json=again), 409)


@pytest.mark.parametrize("token", ["", "x", "Bearer", "Bearer x", "Bearer a.b.c", "Basic eDp5"])
async def test_whatever_is_no_token_of_ours_is_refused(
    client: httpx2.AsyncClient, token: str
) -> None:
    refused = await client.get("/api/auth/me", headers={"authorization": token})

    problem(refused, 401)
    assert refused.headers["www-authenticate"] == "Bearer"


async def test_an_access_token_expires(client: httpx2.AsyncClient, clock: FakeClock) -> None:
    await register(client)
    clock.advance(timedelta(minutes=10))

    assert "expired" in problem(await client.get("/api/auth/me"), 401)["detail"]


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


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nothing", 404),
        ("GET", "/nothing.html", 404),
        ("GET", "/../errors.py", 404),
        ("DELETE", "/api/feed", 405),
        ("POST", "/api/feed/likes", 405),
    ],
)
async def test_an_address_that_is_not_there_is_a_problem_too(
    client: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    problem(await client.request(method, path), status)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null"])
async def test_a_body_that_is_no_json_object_is_refused(
    client: httpx2.AsyncClient, body: bytes
) -> None:
    problem(await client.post("/api/auth/login", content=body), 422)


async def test_a_body_has_an_end(client: httpx2.AsyncClient) -> None:
    body = b'{"email": "' + b"a" * 300_000 + b'"}'

    assert "at most" in problem(await client.post("/api/auth/login", content=body), 422)["detail"]


async def test_a_client_that_asks_too_often_is_told_when_to_go_on(
    services: Services, client: httpx2.AsyncClient
) -> None:
    limit = services.settings.requests_per_minute
    answers = [await client.get("/api/feed") for _ in range(limit + 1)]
    windows = {int(answer.headers.get("ratelimit-remaining", -1)) for answer in answers}

    refused = [answer for answer in answers if answer.status_code == 429]
    # The minute may have turned in between, and then nobody was refused.
    assert refused or limit - 1 in windows
    for answer in refused:
        problem(answer, 429)
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert answer.headers["ratelimit-remaining"] == "0"


async def test_a_user_is_not_slowed_by_others_at_the_same_address(
    services: Services, client: httpx2.AsyncClient
) -> None:
    session = await register(client)
    for _ in range(services.settings.requests_per_minute + 1):
        stranger = await client.get("/api/feed", headers={"authorization": "Bearer forged"})
    mine = {"authorization": f"Bearer {session['accessToken']}"}
    answer = await client.get("/api/auth/me", headers=mine)

    assert answer.status_code == 200
    assert int(answer.headers["ratelimit-remaining"]) > int(stranger.headers["ratelimit-remaining"])


async def test_an_answer_carries_the_id_of_its_request(client: httpx2.AsyncClient) -> None:
    given = await client.get("/api/feed", headers={"x-request-id": "my-own-request"})
    made = await client.get("/api/feed", headers={"x-request-id": "no good\x01"})

    assert given.headers["x-request-id"] == "my-own-request"
    assert len(made.headers["x-request-id"]) == 32


async def test_health_tells_what_is_up(client: httpx2.AsyncClient) -> None:
    body = (await client.get("/health")).json()

    assert body["status"] == "ok"
    assert body["checks"] == {"database": "ok", "cache": "ok"}
    assert body["uptime"] >= 0
    assert (await client.get("/health/live")).status_code == 200
    assert (await client.get("/health/ready")).status_code == 200


async def test_the_document_describes_every_operation(client: httpx2.AsyncClient) -> None:
    document = (await client.get("/api/openapi.json")).json()

    described = {
        (method.upper(), path) for path, item in document["paths"].items() for method in item
    }
    assert described == {(operation.method, operation.path) for operation in OPERATIONS}


async def test_the_page_may_load_from_itself_and_from_storage_alone(
    client: httpx2.AsyncClient,
) -> None:
    page = await client.get("/")

    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "https://media.s3.us-east-1.amazonaws.com" in policy
    assert (await client.get("/app.js")).headers["x-content-type-options"] == "nosniff"
