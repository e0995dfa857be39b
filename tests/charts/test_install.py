"""The values that docs/install.md shows are values of the charts, and do what it says."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import yaml

from tests.support.helm import OPERATOR, ROOT, SERVICES, Object, of_kind, render

BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
ROLE = "eks.amazonaws.com/role-arn"


@cache
def blocks() -> tuple[Object, ...]:
    text = (ROOT / "docs/install.md").read_text()
    return tuple(yaml.safe_load(block) for block in BLOCK.findall(text))


def shown(key: str) -> Object:
    """The block with this key at its top."""
    [found] = [block for block in blocks() if key in block]
    return found


def services(values: Object) -> tuple[Object, ...]:
    """What the operator would render with the values that it was given for services."""
    chosen: dict[str, Any] = values["services"]["values"]
    return render(SERVICES, "default", chosen)


def test_every_block_is_taken_by_both_charts() -> None:
    assert len(blocks()) == 2
    for block in blocks():
        assert of_kind(render(OPERATOR, block), "Deployment")
        assert of_kind(services(block), "Deployment")


def test_the_ingress_carries_what_an_alb_reads() -> None:
    [ingress] = of_kind(services(shown("image")), "Ingress").values()
    annotations = ingress["metadata"]["annotations"]
    assert annotations["alb.ingress.kubernetes.io/target-type"] == "ip"
    assert "arn:aws:acm" in annotations["alb.ingress.kubernetes.io/certificate-arn"]
    assert "tls" not in ingress["spec"]
    [service] = of_kind(services(shown("image")), "Service").values()
    assert service["spec"].get("type", "ClusterIP") == "ClusterIP"


def test_roles_of_irsa_reach_their_accounts() -> None:
    block = shown("serviceAccount")
    accounts = of_kind(services(block), "ServiceAccount")
    for component in ("api", "ingest", "sweep"):
        role = accounts[f"photos-{component}"]["metadata"]["annotations"][ROLE]
        assert role.endswith(f"role/photos-{component}")
    [own] = of_kind(render(OPERATOR, block), "ServiceAccount").values()
    assert own["metadata"]["annotations"][ROLE].endswith("role/photos-operator")
