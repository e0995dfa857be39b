"""What the API can do: one table that gives both the routes and the OpenAPI document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from mediaplatform.errors import InvalidInput, NotAllowed, NotFound
from mediaplatform.platform.paging import PAGE_LIMIT, PAGE_SIZE
from mediaplatform_api.services import Services


class Model(BaseModel):
    """JSON in camelCase, and nothing that is not described."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True
    )


class PageIn(Model):
    """Which page of a list."""

    cursor: str = Field("", description="the nextCursor of the page before")
    limit: int = Field(PAGE_SIZE, ge=1, le=PAGE_LIMIT)


class Access(Enum):
    ANYBODY = "anybody"
    KNOWN_IF_SIGNED_IN = "known if signed in"
    SIGNED_IN = "signed in"


@dataclass(frozen=True)
class Call:
    """A request, checked."""

    services: Services
    headers: Headers
    path: Mapping[str, str]
    cookies: Mapping[str, str]
    body: Any = None  # the operation's own model
    query: Any = None
    user_id: UUID | None = None

    @property
    def user(self) -> UUID:
        """Raises NotAllowed where nobody is signed in."""
        if self.user_id is None:
            raise NotAllowed
        return self.user_id

    @property
    def media_id(self) -> UUID:
        """Raises NotFound: what is no id belongs to nothing."""
        try:
            return UUID(self.path["id"])
        except ValueError:
            raise NotFound("There is no such item.") from None


@dataclass(frozen=True)
class Reply:
    """An answer that is more than a body with the operation's own status."""

    body: BaseModel | None
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str | None] = field(default_factory=dict)  # None takes one away
    status: int | None = None


Handler = Callable[[Call], Awaitable[BaseModel | Reply | Response | None]]


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    summary: str
    handler: Handler | None = None
    app: Callable[[Services], ASGIApp] | None = None  # instead of a handler, where speed matters
    access: Access = Access.SIGNED_IN
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    description: str = ""
    problems: tuple[int, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)  # that it reads, and what for
    idempotent: bool = False  # takes an Idempotency-Key

    @property
    def name(self) -> str:
        words = self.path.removeprefix("/api/").replace("{", "").replace("}", "")
        return f"{self.method.lower()}-{words}".replace("/", "-")


def route(operation: Operation, services: Services) -> Route:
    if operation.app is not None:
        return Route(operation.path, operation.app(services), methods=[operation.method])
    handler = operation.handler
    if handler is None:
        raise TypeError(f"{operation.name} has neither handler nor app")

    async def endpoint(request: Request) -> Response:
        call = await _call(operation, services, request)
        if operation.idempotent and (key := request.headers.get("idempotency-key")):
            return await services.idempotency.once(
                call.user, key, await request.body(), lambda: _answer(operation, handler, call)
            )
        return await _answer(operation, handler, call)

    return Route(operation.path, endpoint, methods=[operation.method])


async def _answer(operation: Operation, handler: Handler, call: Call) -> Response:
    answer = await handler(call)
    if isinstance(answer, Response):
        return answer
    reply = answer if isinstance(answer, Reply) else Reply(answer)
    body = (
        b""
        if reply.body is None
        else orjson.dumps(reply.body.model_dump(by_alias=True), option=orjson.OPT_UTC_Z)
    )
    response = Response(body, reply.status or operation.status, dict(reply.headers))
    if reply.body is not None:
        response.headers["content-type"] = "application/json"
    response.headers.setdefault("cache-control", "no-store")
    for name, value in reply.cookies.items():
        services = call.services
        response.set_cookie(
            name,
            value or "",
            max_age=services.cookie_seconds if value else 0,
            path="/api/auth",
            secure=services.secure,
            httponly=True,
            samesite="strict",
        )
    return response


async def _call(operation: Operation, services: Services, request: Request) -> Call:
    user_id = None
    if operation.access is not Access.ANYBODY:
        user_id = await _user(services, request, operation.access)
    return Call(
        services,
        request.headers,
        request.path_params,
        request.cookies,
        body=await _body(operation, request),
        query=_query(operation, request),
        user_id=user_id,
    )


async def _user(services: Services, request: Request, access: Access) -> UUID | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return (await services.accounts.caller(token)).user_id
    if access is Access.SIGNED_IN:
        raise NotAllowed
    return None


async def _body(operation: Operation, request: Request) -> BaseModel | None:
    if operation.body is None:
        return None
    try:
        values = orjson.loads(await request.body())
    except orjson.JSONDecodeError as fault:
        raise InvalidInput(f"the body must be JSON: {fault}", field="body") from None
    return operation.body.model_validate(values)


def _query(operation: Operation, request: Request) -> BaseModel | None:
    if operation.query is None:
        return None
    return operation.query.model_validate(dict(request.query_params))
