"""The services chart by Helm itself: install, upgrade with another schema, back again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.cluster.run import until
from tests.cluster.suite.chart import WAIT, helm, wired
from tests.cluster.suite.load import RATE, UNLIMITED, Load
from tests.cluster.suite.product import Object, Platform, Product
from tests.cluster.suite.releases import MIGRATION, Release, next_release, previous_release

pytestmark = pytest.mark.load

SETTLED_S = 60
GONE_S = 60


def test_an_upgrade_with_another_schema_and_its_rollback_fail_no_request(
    product: Product, tmp_path: Path
) -> None:
    older, newer = previous_release(tmp_path), next_release()
    with product.room() as platform:
        values = wired(platform, **platform.external(), limits=UNLIMITED)
        # Values of this tree's operator, of which the older chart may not know all.
        put(platform, "install", older, values, "--skip-schema-validation")
        assert running(platform) == {older.registry}
        helm(platform, "test", platform.name)
        with Load(platform.host) as load:
            with load.running():
                until(lambda: len(load.ids) > 3, seconds=30, what="no upload succeeds")
                began = time.monotonic()
                put(platform, "upgrade", newer, values)
                only(platform, newer)
                assert migrated(platform)
                upgraded = time.monotonic() - began
                helm(platform, "test", platform.name)
                helm(platform, "rollback", platform.name, "1", *WAIT)
                only(platform, older)
                back = time.monotonic() - began - upgraded
            print(f"upgraded in {upgraded:.0f} s, back in {back:.0f} s: {load}")
            assert load.rate > 0.95 * RATE
            assert load.failed == []
            assert (load.faults, load.lost) == ([], [])
            assert load.settle(seconds=SETTLED_S) == {"ready": len(load.ids)}
        helm(platform, "test", platform.name)
        assert migrated(platform)


def put(platform: Platform, how: str, release: Release, values: Object, *words: str) -> None:
    values = {**values, "images": {**values["images"], "registry": release.registry}}
    helm(platform, how, platform.name, release.chart, *WAIT, *words, "--values", "-", given=values)


def only(platform: Platform, release: Release) -> None:
    """Wait until no pod of another release is left. Raises ClusterError."""
    alone = {release.registry}
    until(lambda: running(platform) == alone, seconds=GONE_S, what=f"not only {alone} is left")


def running(platform: Platform) -> set[str]:
    """Registries of every pod of API and workers, those on their way out among them."""
    chosen = "app.kubernetes.io/component in (api, ingest, sweep)"
    return {
        pod["spec"]["containers"][0]["image"].rpartition("/")[0]
        for pod in platform.get("pods", "-l", chosen)["items"]
    }


def migrated(platform: Platform) -> bool:
    return platform.sql("SELECT name FROM schema_migrations ORDER BY name DESC LIMIT 1") == [
        [MIGRATION]
    ]
