"""What the charts render is what was looked at and committed."""

from __future__ import annotations

from tests.charts.snapshots import FOLDER, expected


def test_the_charts_render_what_was_committed() -> None:
    wanted = expected()
    found = {path: path.read_text() for path in FOLDER.glob("*/*.yaml")}
    changed = {path for path in wanted.keys() | found.keys() if wanted.get(path) != found.get(path)}
    names = sorted(str(path.relative_to(FOLDER)) for path in changed)
    assert not names, "run `make snapshots`, and look at the difference before you commit it"
