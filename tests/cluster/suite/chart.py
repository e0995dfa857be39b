"""The services chart as somebody else installs it, with the values that the operator hands over."""

from __future__ import annotations

import yaml

from tests.cluster.layout import ROOT
from tests.cluster.suite.product import Object, Platform

CHART = str(ROOT / "charts/mediaplatform")
WAIT = ("--wait", "--timeout", "240s")
WIRED_S = 90


def wired(platform: Platform, **spec: object) -> Object:
    """The values that the operator hands over, of a platform that others install."""
    platform.apply({"deploy": "External", **spec})
    platform.wait("Ready", seconds=WIRED_S)
    text = platform.get("configmap", f"{platform.name}-values")["data"]["values.yaml"]
    found: Object = yaml.safe_load(text)
    return found


def helm(platform: Platform, *words: str, given: Object | None = None) -> None:
    """`given` is what `--values -` reads. Raises ClusterError."""
    text = yaml.safe_dump(given) if given else None
    platform.product.helm(*words, stdin=text, namespace=platform.name)
