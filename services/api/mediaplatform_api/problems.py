"""What went wrong, as a problem document (RFC 9457) that says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import orjson
import structlog
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from mediaplatform.errors import (
    Conflict,
    InvalidInput,
    MediaPlatformError,
    NotAllowed,
    NotFound,
    QuotaExceeded,
    StaleRevision,
    TooManyRequests,
    Unavailable,
)

MEDIA_TYPE = "application/problem+json"
STATUS: Mapping[type[MediaPlatformError], tuple[int, str]] = {
    InvalidInput: (422, "Invalid input"),
    NotAllowed: (401, "Not allowed"),
    NotFound: (404, "Not found"),
    StaleRevision: (412, "Changed meanwhile"),
    Conflict: (409, "Conflict"),
    QuotaExceeded: (413, "Quota exceeded"),
    TooManyRequests: (429, "Too many requests"),
    Unavailable: (503, "Unavailable"),
}
_log = structlog.get_logger()


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    body = {
        "type": f"urn:mediaplatform:problem:{title.lower().replace(' ', '-')}",
        "title": title,
        "status": status,
        "detail": detail,
        **{key: value for key, value in more.items() if value is not None},
    }
    return Response(orjson.dumps(body), status, dict(headers or {}), MEDIA_TYPE)


async def on_error(_: Request, error: Exception) -> Response:
    """One of our own errors, as far as a client has anything to do with it."""
    for kind in type(error).__mro__:
        if kind in STATUS and isinstance(error, MediaPlatformError):
            status, title = STATUS[kind]
            return problem(
                status,
                title,
                error.message,
                headers=_headers(error),
                field=getattr(error, "field", None),
            )
    return await on_fault(_, error)


async def on_invalid(_: Request, error: Exception) -> Response:
    """What pydantic found: every field with what it got and what it wants."""
    found = cast("ValidationError", error)
    faults = [
        {
            "field": ".".join(map(str, fault["loc"])),
            "message": fault["msg"],
            "got": repr(fault["input"])[:200],
        }
        for fault in found.errors(include_url=False, include_context=False)
    ]
    first = faults[0]
    detail = f"{first['field'] or 'body'}: {first['message']}, got {first['got']}"
    return problem(422, "Invalid input", detail, field=first["field"], errors=faults)


async def on_http(_: Request, error: Exception) -> Response:
    refused = cast("HTTPException", error)
    details = {
        404: "There is nothing at this address. /api/docs lists what there is.",
        405: "This address does not take this method. /api/docs lists what it takes.",
    }
    title = {404: "Not found", 405: "Method not allowed"}.get(refused.status_code, "Error")
    detail = details.get(refused.status_code, refused.detail)
    return problem(refused.status_code, title, detail, headers=refused.headers)


async def on_fault(_: Request, error: Exception) -> Response:
    _log.error("fault", exc_info=error)
    return problem(500, "Fault", "Something went wrong here. Try again; it has been logged.")


def _headers(error: MediaPlatformError) -> dict[str, str]:
    if isinstance(error, TooManyRequests):
        return {"retry-after": str(error.retry_after)}
    if isinstance(error, Unavailable):
        return {"retry-after": "2"}
    return {"www-authenticate": "Bearer"} if isinstance(error, NotAllowed) else {}
