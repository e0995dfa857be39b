"""What the documents say about the repository is so."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from mediaplatform_operator.configuration import PREFIX, Configuration
from mediaplatform_operator.runtime.metrics import Metrics
from mediaplatform_worker.consumer import ROUND_S
from mediaplatform_worker.health import MARGIN_S, TICK_S
from mediaplatform_worker.sweep import STEP_S

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(\w+(?:/\w+)*\.py)::(test_\w+)`")
OPERATOR = ROOT / "operator/mediaplatform_operator"
REASON = re.compile(r'Condition\(\s*[^,()]+,\s*"(?:True|False|Unknown)",\s*"(\w+)"', re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def test_every_test_that_a_feature_names_exists() -> None:
    named = NAMED.findall((ROOT / "docs/features.md").read_text())
    assert len(named) > 30
    for path, name in named:
        file = ROOT / "tests" / path
        assert file.exists(), path
        assert re.search(rf"def {name}\(", file.read_text()), f"{path}::{name}"


def test_a_row_that_is_done_names_a_test_and_one_to_come_names_none() -> None:
    rows = re.findall(r"^\| ([UPS]\d\d) \| .* \| (.*) \| (.*) \|$",
                      (ROOT / "docs/features.md").read_text(), re.MULTILINE)  # fmt: skip
    assert len(rows) == 55
    for row, state, tests in rows:
        assert (state == "to come") == (tests.strip() == ""), row


def test_every_link_of_a_document_leads_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    assert len(documents) > 5
    for document in documents:
        for target in LINK.findall(document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_operators_page_knows_every_reason() -> None:
    files = [path.read_text() for path in OPERATOR.rglob("*.py")]
    reasons = {reason for text in files for reason in REASON.findall(text)}
    conditions = (OPERATOR / "reconcile/conditions.py").read_text()
    reasons |= set(re.findall(r'^    \(\w+, "(\w+)"\),$', conditions, re.MULTILINE))
    assert {"NotPermitted", "PodsFail", "Failed", "AsWanted", "Paused", "Connected"} <= reasons
    page = _page("operator")
    assert not [reason for reason in sorted(reasons) if f"`{reason}`" not in page]


def test_the_operators_page_knows_every_metric_and_setting() -> None:
    registry = CollectorRegistry()
    Metrics(registry)
    page = _page("operator")
    for family in registry.collect():
        name = family.name + ("_total" if family.type == "counter" else "")
        assert re.search(rf"`{name}[`{{]", page), name
    fields = Configuration.__dataclass_fields__
    names = {"VALUES_FILE" if field == "values" else field.upper() for field in fields}
    assert not [name for name in sorted(names) if f"`{name}`" not in page]
    assert PREFIX in page


def test_every_alert_has_a_line_in_the_runbooks() -> None:
    texts = [path.read_text() for path in ROOT.glob("charts/*/files/alerts.yaml")]
    alerts = {name for text in texts for name in re.findall(r"- alert: (\w+)", text)}
    assert len(alerts) > 15
    assert alerts == set(re.findall(r"^\| `(\w+)` \|", _page("runbooks"), re.MULTILINE))


def _page(name: str) -> str:
    return (ROOT / f"docs/{name}.md").read_text()


def test_the_bounds_of_a_workers_probes_are_told() -> None:
    text = (ROOT / "docs/operations.md").read_text()
    assert f"which {MARGIN_S} s are added" in text
    assert f"| the event loop | {TICK_S} |" in text
    assert f"| {ROUND_S}: a call of SQS" in text
    assert f"| `VISIBILITY_SECONDS` and {ROUND_S} |" in text
    assert f"| the sweeper | {STEP_S} in a step" in text
