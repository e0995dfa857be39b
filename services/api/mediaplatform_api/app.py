"""The ASGI application: the table of operations, health, the page, and what lies around them."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp

from mediaplatform_api import problems
from mediaplatform_api.endpoints import accounts, feed, health, media
from mediaplatform_api.middleware import Around, Limited
from mediaplatform_api.openapi import document
from mediaplatform_api.operations import route
from mediaplatform_api.page_files import PageFiles
from mediaplatform_api.services import Services

OPERATIONS = (*feed.OPERATIONS, *media.OPERATIONS, *accounts.OPERATIONS)


def make_app(services: Services) -> ASGIApp:
    described = orjson.dumps(document(OPERATIONS, services.settings.public_url))

    async def openapi(_: Request) -> Response:
        return Response(described, 200, {"cache-control": "no-cache"}, "application/json")

    routes = [
        *(route(operation, services) for operation in OPERATIONS),
        Route("/api/openapi.json", openapi),
        *health.routes(services),
    ]
    router = Router(routes, redirect_slashes=False, default=PageFiles(services.settings))
    limited = Limited(router, services.rate_limit, services.accounts.recognise)
    return Around(limited, problems.explain)
