"""One `kubectl apply`, and what it comes to."""

from __future__ import annotations

import socket
import ssl
import time
from pathlib import Path

from tests.cluster import certificates
from tests.cluster.layout import HTTPS_PORT
from tests.cluster.run import until
from tests.cluster.suite.ingress import app, browser
from tests.cluster.suite.product import Platform, Product
from tests.support import samples
from tests.support.samples import sample

READY_S = 90
RENEWED_S = 30


def test_five_lines_become_a_service_that_shares_a_photo(product: Product) -> None:
    started = time.monotonic()
    with product.platform() as platform:
        platform.wait("Ready", seconds=READY_S)
        left = READY_S - (time.monotonic() - started)
        with app(platform.host) as user:
            user.register("Ada")
            media_id = user.upload(sample(samples.PHONE_12_MP))
            status = user.wait(media_id, seconds=left, tiers=2)
            assert status["state"] == "ready"
            [item] = user.feed()["items"]
            assert item["id"] == media_id
            for rendition in user.media(media_id)["renditions"]:
                assert len(user.fetch(rendition["url"])) == rendition["size"]
        assert time.monotonic() - started < READY_S
        columns = platform("get", "mp", "--no-headers").split()
        assert columns[:5] == [platform.name, "True", platform.host, "2/2", "2/2"]
        said = platform.conditions()["Ready"]["message"]
        assert "for evaluation" in said
        assert "spec.database.external" in said


def test_the_page_comes_by_tls_for_its_own_host(whole: Platform) -> None:
    with browser(whole.host) as http:
        page = http.get("/")
        assert page.status_code == 200
        assert "<title>" in page.text
        assert http.get("/api/openapi.json").json()["info"]["title"]


def test_a_renewed_certificate_is_served_without_a_restart(whole: Platform, tmp_path: Path) -> None:
    before = restarts(whole)
    for _ in range(2):
        renew(whole, tmp_path)
        with browser(whole.host) as http:
            assert http.get("/health/ready").status_code == 200
    assert restarts(whole) == before


def renew(platform: Platform, folder: Path) -> None:
    """Another certificate in the Secret that the Ingress names, until it is served."""
    # For this host alone: of two that fit, an ingress controller takes the exact one.
    crt, key = certificates.issue(folder, platform.host)
    platform.kubectl.secret(platform.name, "tls", "kubernetes.io/tls", tls_crt=crt, tls_key=key)
    until(lambda: served(platform.host) == crt, seconds=RENEWED_S, what="the old one is served")


def served(host: str) -> str:
    """The certificate that a client which asks for this host gets."""
    context = ssl.create_default_context(cafile=str(certificates.AUTHORITY))
    with (
        socket.create_connection(("127.0.0.1", HTTPS_PORT), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname=host) as secure,
    ):
        return ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True) or b"")


def restarts(platform: Platform) -> dict[str, int]:
    """By pod, of the resource and of the ingress controller."""
    found = platform.get("pods")["items"] + platform.kubectl.get("pods", "-n", "ingress")["items"]
    return {
        pod["metadata"]["name"]: sum(
            it["restartCount"] for it in pod["status"]["containerStatuses"]
        )
        for pod in found
        if "containerStatuses" in pod["status"]
    }
