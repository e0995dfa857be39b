"""The services chart by Helm itself: install, upgrade with another schema, back again."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest
import yaml

from tests.cluster import cluster, images
from tests.cluster.engine import Docker
from tests.cluster.images import Image
from tests.cluster.layout import ROOT
from tests.cluster.run import until
from tests.cluster.suite.load import RATE, UNLIMITED, Load
from tests.cluster.suite.product import Object, Platform, Product
from tests.cluster.suite.zones import docker

pytestmark = pytest.mark.load

CHART = str(ROOT / "charts/mediaplatform")
WIRED_S = 90
SETTLED_S = 60
GONE_S = 60
MIGRATION = "9999_upgrade_test.pre"
SCHEMA = "ALTER TABLE media ADD COLUMN upgrade_test text;\n"
DOCKERFILE = f"""FROM mediaplatform-api:test
COPY {MIGRATION}.sql /opt/mediaplatform/src/mediaplatform/migrations/
"""
WAIT = ("--wait", "--timeout", "240s")


def test_an_upgrade_with_another_schema_and_its_rollback_fail_no_request(
    product: Product,
) -> None:
    newer = newer_release(docker())
    with product.room() as platform:
        values = wired(platform)
        helm(platform, "install", platform.name, CHART, *WAIT, values=values)
        assert tags(platform) == {"test"}
        helm(platform, "test", platform.name)
        with Load(platform.host) as load:
            with load.running():
                until(lambda: len(load.ids) > 3, seconds=30, what="no upload succeeds")
                began = time.monotonic()
                values["images"]["tag"] = newer
                helm(platform, "upgrade", platform.name, CHART, *WAIT, values=values)
                until(lambda: tags(platform) == {newer}, seconds=GONE_S, what="old pods stay")
                assert migrated(platform)
                upgraded = time.monotonic() - began
                helm(platform, "test", platform.name)
                helm(platform, "rollback", platform.name, "1", *WAIT)
                until(lambda: tags(platform) == {"test"}, seconds=GONE_S, what="new pods stay")
                back = time.monotonic() - began - upgraded
            print(f"upgraded in {upgraded:.0f} s, back in {back:.0f} s: {load}")
            assert load.rate > 0.95 * RATE
            assert load.failed == []
            assert (load.faults, load.lost) == ([], [])
            assert load.settle(seconds=SETTLED_S) == {"ready": len(load.ids)}
        helm(platform, "test", platform.name)
        assert migrated(platform)


def newer_release(docker: Docker) -> str:
    """The tag of images that differ in one more migration; they are in every node."""
    with tempfile.TemporaryDirectory() as folder:
        files = {f"{MIGRATION}.sql": SCHEMA, "Dockerfile": DOCKERFILE}
        for name, text in files.items():
            (Path(folder) / name).write_text(text)
        sql = Path(folder) / f"{MIGRATION}.sql"
        image = Image("mediaplatform-api", Path(folder) / "Dockerfile", {sql.name: sql},
                      bases=("mediaplatform-api:test",))  # fmt: skip
        api = images.build(docker, image)
    tag = api.partition(":")[2]
    worker = f"mediaplatform-worker:{tag}"
    docker("tag", "mediaplatform-worker:test", worker)
    cluster.add(docker, (api, worker))
    return tag


def wired(platform: Platform) -> Object:
    """The values that the operator hands over, of a platform that others install."""
    platform.apply({**platform.external(), "deploy": "External", "limits": UNLIMITED})
    platform.wait("Ready", seconds=WIRED_S)
    text = platform.get("configmap", f"{platform.name}-values")["data"]["values.yaml"]
    found: Object = yaml.safe_load(text)
    return found


def helm(platform: Platform, *words: str, values: Object | None = None) -> None:
    given = () if values is None else ("--values", "-")
    text = None if values is None else yaml.safe_dump(values)
    platform.product.helm(*words, *given, stdin=text, namespace=platform.name)


def tags(platform: Platform) -> set[str]:
    """Of every pod of API and workers, those on their way out among them."""
    chosen = "app.kubernetes.io/component in (api, ingest, sweep)"
    return {
        pod["spec"]["containers"][0]["image"].rpartition(":")[2]
        for pod in platform.get("pods", "-l", chosen)["items"]
    }


def migrated(platform: Platform) -> bool:
    return platform.sql("SELECT name FROM schema_migrations ORDER BY name DESC LIMIT 1") == [
        [MIGRATION]
    ]
