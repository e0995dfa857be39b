"""One `kubectl apply`, and what it comes to."""

from __future__ import annotations

import time

from tests.cluster.suite.ingress import app, browser
from tests.cluster.suite.product import Product
from tests.support import samples
from tests.support.samples import sample

READY_S = 90


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


def test_the_page_comes_by_tls_for_its_own_host(product: Product) -> None:
    with product.platform() as platform:
        platform.wait("Ready", seconds=READY_S)
        with browser(platform.host) as http:
            page = http.get("/")
            assert page.status_code == 200
            assert "<title>" in page.text
            assert http.get("/api/openapi.json").json()["info"]["title"]
