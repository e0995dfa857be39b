"""What went wrong, as a problem document (RFC 9457) that says what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import structlog
from pydantic import ValidationError
from starlette.exceptions import HTTPException
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
STATUS: Mapping[type, tuple[int, str]] = {
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


def explain(error: Exception) -> Response:
    """The answer for whatever a request ran into."""
    match error:
        case MediaPlatformError():
            return _own(error)
        case ValidationError():
            return _invalid(error)
        case HTTPException():
            return _http(error)
        case _:
            return _fault(error)


def _own(error: MediaPlatformError) -> Response:
    """One of our own errors, as far as a client has anything to do with it."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            status, title = STATUS[kind]
            field = getattr(error, "field", None)
            return problem(status, title, error.message, headers=_headers(error), field=field)
    return _fault(error)


def _invalid(error: ValidationError) -> Response:
    """What pydantic found: every field with what it got and what it wants."""
    faults = [
        {
            "field": ".".join(map(str, fault["loc"])),
            "message": fault["msg"],
            "got": repr(fault["input"])[:200],
        }
        for fault in error.errors(include_url=False, include_context=False)
    ]
    first = faults[0]
    detail = f"{first['field'] or 'body'}: {first['message']}, got {first['got']}"
    return problem(422, "Invalid input", detail, field=first["field"], errors=faults)


def _http(error: HTTPException) -> Response:
    details = {
        404: "There is nothing at this address. /api/docs lists what there is.",
        405: "This address does not take this method. /api/docs lists what it takes.",
    }
    title = {404: "Not found", 405: "Method not allowed"}.get(error.status_code, "Error")
    detail = details.get(error.status_code, error.detail)
    return problem(error.status_code, title, detail, headers=error.headers)


def _fault(error: Exception) -> Response:
    _log.error("fault", exc_info=error)
    return problem(500, "Fault", "Something went wrong here. Try again; it has been logged.")


def _headers(error: MediaPlatformError) -> dict[str, str]:
    if isinstance(error, TooManyRequests):
        return {"retry-after": str(error.retry_after)}
    if isinstance(error, Unavailable):
        return {"retry-after": "2"}
    return {"www-authenticate": "Bearer"} if isinstance(error, NotAllowed) else {}
