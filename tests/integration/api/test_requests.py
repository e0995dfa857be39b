"""What every request gets: problems, limits, an id; health, the document and the page."""

from __future__ import annotations

import httpx2
import pytest
from tests.support.client import problem, register

from mediaplatform_api.app import OPERATIONS
from mediaplatform_api.services import Services

pytestmark = pytest.mark.anyio


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
