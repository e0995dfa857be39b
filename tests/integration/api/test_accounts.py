"""Accounts and sessions: registration, sign-in, tokens, and their ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from tests.support.client import PASSWORD, problem, register

from mediaplatform.platform.fakes.clock import FakeClock

pytestmark = pytest.mark.anyio


COOKIE = "mediaplatform_refresh"


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
