"""The charts as `helm package` makes them."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.support.helm import CHARTS, OPERATOR, SERVICES, helm, render, rendered


@pytest.mark.parametrize("chart", [SERVICES, OPERATOR])
def test_a_package_renders_what_the_folder_renders(chart: str, tmp_path: Path) -> None:
    subprocess.run(
        [helm(), "package", str(CHARTS / chart), "--destination", str(tmp_path)],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    (package,) = tmp_path.glob("*.tgz")
    with tarfile.open(package) as archive:
        assert f"{chart}/README.md" in archive.getnames()
        archive.extractall(tmp_path, filter="data")
    values = Path(__file__).parent / "values" / chart / "default.yaml"
    assert _sorted(render(tmp_path / chart, values.stem)) == _sorted(rendered(chart, "default"))


def _sorted(objects: tuple[dict[str, object], ...]) -> list[str]:
    return sorted(map(repr, objects))
