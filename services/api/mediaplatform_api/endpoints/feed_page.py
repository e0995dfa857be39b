"""`GET /api/feed`, the request that everybody sends most.

Plain ASGI, because Starlette's Request and Response cost more than a page that is already rendered.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from mediaplatform.errors import InvalidInput
from mediaplatform.feed.service import FeedService
from mediaplatform.platform.paging import PAGE_SIZE

CACHE_CONTROL = b"public, max-age=1"


class FeedPage:
    def __init__(self, feed: FeedService) -> None:
        self._feed = feed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        page = await self._feed.page(*_query(scope["query_string"]))
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


def _query(raw: bytes) -> tuple[str, int]:
    """Cursor and limit. Raises InvalidInput."""
    if not raw:
        return "", PAGE_SIZE
    query = dict(parse_qsl(raw.decode("latin-1")))
    limit = query.get("limit", str(PAGE_SIZE))
    if not (limit.isascii() and limit.isdigit() and len(limit) < 5):
        raise InvalidInput(f"limit must be a whole number, not {limit!r}", field="limit")
    return query.get("cursor", ""), int(limit)


def _knows(headers: list[tuple[bytes, bytes]], etag: bytes) -> bool:
    """Whether the client holds this very page (RFC 9110, section 13.1.2)."""
    for name, value in headers:
        if name == b"if-none-match":
            return value == b"*" or etag in (known.strip() for known in value.split(b","))
    return False
