"""`GET /api/feed`, the request that everybody sends most.

Plain ASGI, because Starlette's Request and Response cost more than a page that is already rendered.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from mediaplatform.feed.service import FeedService
from mediaplatform_api.operations import PageIn

CACHE_CONTROL = b"public, max-age=1"
FIRST = PageIn()


class FeedPage:
    def __init__(self, feed: FeedService) -> None:
        self._feed = feed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        query = _query(scope["query_string"])
        page = await self._feed.page(query.cursor, query.limit)
        etag = page.etag.encode()
        headers = [(b"etag", etag), (b"cache-control", CACHE_CONTROL)]
        if _knows(scope["headers"], etag):
            status, body = 304, b""
        else:
            status, body = 200, page.body
            headers += [
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(body)),
            ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _query(raw: bytes) -> PageIn:
    return (
        PageIn.model_validate(dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True)))
        if raw
        else FIRST
    )


def _knows(headers: list[tuple[bytes, bytes]], etag: bytes) -> bool:
    """Whether the client holds this very page (RFC 9110, section 13.1.2)."""
    for name, value in headers:
        if name == b"if-none-match":
            return value == b"*" or etag in (known.strip() for known in value.split(b","))
    return False
