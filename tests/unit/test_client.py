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
