"""The API server over `kubernetes.aio`, with its refusals in words that name thing and remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import orjson
from kubernetes.aio.client import ApiClient

from mediaplatform.errors import (
    Conflict,
    InvalidInput,
    MediaPlatformError,
    NotAllowed,
    NotFound,
    Throttled,
    Unavailable,
)
from mediaplatform_operator.cluster.objects import Kind, Object, kind_of
from mediaplatform_operator.cluster.port import FIELD_MANAGER

TIMEOUT = aiohttp.ClientTimeout(total=15)
PAGE = 500
JSON = "application/json"
APPLY = "application/apply-patch+yaml"  # JSON is YAML


@dataclass(frozen=True)
class Caller:
    """Who asks, for sentences about what was refused."""

    name: str
    remedy: str


OPERATOR = Caller(
    "the operator", "grant it to the operator's service account (chart mediaplatform-operator)"
)


class ApiServer:
    def __init__(self, client: ApiClient, caller: Caller = OPERATOR) -> None:
        self._client = client
        self._caller = caller

    async def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        try:
            return await self._ask("GET", kind.path(namespace, name))
        except NotFound:
            return None

    async def list(self, kind: Kind, namespace: str | None, labels: str = "") -> list[Object]:
        found: list[Object] = []
        query = {"limit": str(PAGE), "labelSelector": labels}
        while True:
            try:
                page = await self._ask("GET", kind.path(namespace), query)
            except NotFound:
                return []
            # A list's items carry neither kind nor apiVersion.
            head = {"apiVersion": kind.api_version, "kind": kind.name}
            found += [{**head, **item} for item in page["items"]]
            token = page["metadata"].get("continue")
            if not token:
                return found
            query = {**query, "continue": token}

    async def apply(
        self, thing: Object, *, dry_run: bool = False, part: str = "", manager: str = FIELD_MANAGER
    ) -> Object:
        meta = thing["metadata"]
        path = kind_of(thing).path(meta["namespace"], meta["name"]) + (f"/{part}" if part else "")
        query = {"fieldManager": manager, "force": "true"}
        if dry_run:
            query["dryRun"] = "All"
        return await self._ask("PATCH", path, query, body=thing, content_type=APPLY)

    async def check(self, thing: Object) -> Object:
        meta, kind = thing["metadata"], kind_of(thing)
        place = (meta["namespace"], meta["name"])
        there = await self.get(kind, *place)
        query = {"fieldManager": FIELD_MANAGER, "dryRun": "All", "fieldValidation": "Strict"}
        if there is None:
            return await self._ask("POST", kind.path(meta["namespace"]), query, body=thing)
        newest = {**meta, "resourceVersion": there["metadata"]["resourceVersion"]}
        return await self._ask("PUT", kind.path(*place), query, body={**thing, "metadata": newest})

    async def knows(self, kind: Kind) -> bool:
        base = kind.path(None).removesuffix(f"/{kind.plural}")
        try:
            found = await self._ask("GET", base)
        except NotFound:
            return False
        return any(item["name"] == kind.plural for item in found["resources"])

    async def delete(self, kind: Kind, namespace: str, name: str, *, uid: str) -> None:
        body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        try:
            await self._ask("DELETE", kind.path(namespace, name), body=body)
        except (NotFound, Conflict):  # gone, or another one of the same name by now
            return

    async def _ask(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        *,
        body: Object | None = None,
        content_type: str = JSON,
    ) -> Object:
        what = f"{method} {path}"
        request = await self._client.param_serialize(
            method,
            path,
            query_params=[(name, value) for name, value in (query or {}).items() if value],
            header_params={"Accept": JSON, "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = await self._client.call_api(*request, _request_timeout=TIMEOUT)
            answer: bytes = await response.read()  # type: ignore[no-untyped-call]
        except (aiohttp.ClientError, OSError) as fault:  # TimeoutError is an OSError
            said = str(fault) or type(fault).__name__
            raise Unavailable(f"the API server does not answer {what}: {said}") from fault
        if response.status >= 400:
            raise _refusal(self._caller, what, response.status, answer)
        found: Object = orjson.loads(answer)
        return found


def _refusal(caller: Caller, what: str, status: int, answer: bytes) -> MediaPlatformError:
    try:
        said = str(orjson.loads(answer)["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        said = answer[:200].decode(errors="replace")
    if status == 403 and "cannot" in said:  # else it is an admission controller's, such as a quota
        return NotAllowed(f"{said}: {caller.remedy}")
    error, sentence = _REFUSALS.get(
        status, (Unavailable, f"the API server fails at {{}}: {status}")
    )
    return error(f"{sentence.format(what, caller=caller.name)}: {said}")


_REFUSALS: Mapping[int, tuple[type[MediaPlatformError], str]] = {
    400: (InvalidInput, "the API server refuses {}"),
    401: (NotAllowed, "the API server does not know {caller} at {}"),
    403: (InvalidInput, "the API server refuses {}"),
    404: (NotFound, "{}"),
    409: (Conflict, "{}"),
    422: (InvalidInput, "the API server refuses {}"),
    429: (Throttled, "the API server asks for fewer requests at {}"),
}
