"""What docs/gitops.md shows: a health check over real statuses, values that are handed over."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
import yaml
from lupa import LuaRuntime

from mediaplatform_operator.configuration import Configuration
from mediaplatform_operator.reconcile.aws import predicted
from mediaplatform_operator.reconcile.conditions import PARTS, Condition, progressing
from mediaplatform_operator.reconcile.report import Report, document
from mediaplatform_operator.release.values import external, values
from mediaplatform_operator.resource.load import parse
from mediaplatform_operator.wiring.names import Names
from tests.support.helm import ROOT, SERVICES, Object, of_kind, render

BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)
HEALTH = "resource.customizations.health.mediaplatform.io_MediaPlatform"
WHOLE = {part: Condition(part, "True", "Fine", "fine") for part in PARTS}


@cache
def health_check() -> str:
    text = (ROOT / "docs/gitops.md").read_text()
    for block in BLOCK.findall(text):
        found = yaml.safe_load(block)
        if HEALTH in found.get("data", {}):
            return str(found["data"][HEALTH])
    raise AssertionError("docs/gitops.md shows no health check")


def health(conditions: dict[str, Condition], *, seen: int = 2) -> tuple[str, str]:
    status = document({}, Report(conditions), generation=seen, at=datetime.now(UTC))
    return judged({"metadata": {"generation": 2}, "status": status})


def judged(thing: Object) -> tuple[str, str]:
    lua = LuaRuntime(unpack_returned_tuples=True)
    check = lua.eval(f"function(obj) {health_check()} end")
    found = check(lua.table_from(thing, recursive=True))
    return found["status"], found["message"]


def test_healthy_is_what_is_ready_for_the_newest_generation() -> None:
    assert health(WHOLE)[0] == "Healthy"
    assert health(WHOLE, seen=1)[0] == "Progressing"
    assert judged({"metadata": {"generation": 1}})[0] == "Progressing"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (progressing("DatabaseReady", "StatefulSet photos-db starts"), "Progressing"),
        (Condition("StorageReady", "False", "Conflict", "somebody else's"), "Degraded"),
        (Condition("Ready", "Unknown", "Paused", "paused"), "Suspended"),
        (Condition("Ready", "Unknown", "Observing", "observed"), "Suspended"),
        (Condition("Ready", "False", "DeletionBlocked", "objects"), "Degraded"),
    ],
)
def test_everything_else_says_why(condition: Condition, expected: str) -> None:
    status, message = health(WHOLE | {condition.type: condition})
    assert status == expected
    assert condition.message in message


def test_values_that_are_handed_over_are_taken_by_the_chart() -> None:
    resource = parse(
        {
            "apiVersion": "mediaplatform.io/v1alpha1",
            "kind": "MediaPlatform",
            "metadata": {"name": "photos", "namespace": "photos"},
            "spec": {"host": "photos.example.com", "deploy": "External"},
        }
    )
    names = Names.of(resource, uid="7f3c5a10", account="123456789012")
    chosen = values(resource, predicted(resource, names), Configuration(), {})
    [text] = external(resource, chosen)["data"].values()
    handed: dict[str, Any] = yaml.safe_load(text)
    found = render(SERVICES, handed)
    assert {"photos-api", "photos-ingest", "photos-sweep"} <= of_kind(found, "Deployment").keys()
    [job] = of_kind(found, "Job").values()
    assert "pre-upgrade" in job["metadata"]["annotations"]["helm.sh/hook"]
    assert "password" not in text
