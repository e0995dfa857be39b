"""What the documents say about the repository is so."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(\w+(?:/\w+)*\.py)::(test_\w+)`")
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
