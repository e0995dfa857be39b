from __future__ import annotations

import httpx2
import pytest

from mediaplatform.errors import Unavailable
from mediaplatform_local.client import Client


def test_an_answer_of_a_proxy_that_is_no_json_is_said_with_its_status() -> None:
    def proxy(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(502, text="Bad Gateway")

    with (
        Client("http://api.test", transport=lambda: httpx2.MockTransport(proxy)) as client,
        pytest.raises(Unavailable, match="GET /api/feed: 502"),
    ):
        client.feed()


def test_waiting_for_a_tier_ends_where_it_was_given_up() -> None:
    status = {"state": "ready", "tiers": 1, "reason": "gave_up"}

    def api(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=status)

    with Client("http://api.test", transport=lambda: httpx2.MockTransport(api)) as client:
        assert client.wait("x", seconds=0.1, tiers=2) == status
