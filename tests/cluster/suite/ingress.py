"""HTTPS as a browser sends it, to whatever host of the cluster's domain, over its balancer."""

from __future__ import annotations

import ssl

import httpx2

from mediaplatform_local.client import Client
from tests.cluster.certificates import AUTHORITY
from tests.cluster.layout import HTTPS_PORT
from tests.cluster.run import until

TIMEOUT_S = 30
KNOWN_S = 20  # until the ingress controller knows a new host


class Balancer(httpx2.BaseTransport):
    """Resolves every host to the balancer; certificates are verified for the host's own name."""

    def __init__(self, connections: int = 100) -> None:
        context = ssl.create_default_context(cafile=str(AUTHORITY))
        limits = httpx2.Limits(max_connections=connections)
        self._below = httpx2.HTTPTransport(verify=context, retries=0, limits=limits)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.extensions = {**request.extensions, "sni_hostname": request.url.host}
        request.url = request.url.copy_with(host="127.0.0.1", port=HTTPS_PORT)
        return self._below.handle_request(request)

    def close(self) -> None:
        self._below.close()


def app(host: str) -> Client:
    """A user's session over the ingress, as soon as that knows the host: it is no part of Ready."""
    with browser(host) as visitor:
        until(lambda: visitor.get("/health/live").is_success, seconds=KNOWN_S, what=f"no {host}")
    return Client(f"https://{host}", transport=Balancer)


def browser(host: str) -> httpx2.Client:
    return httpx2.Client(base_url=f"https://{host}", transport=Balancer(), timeout=TIMEOUT_S)
