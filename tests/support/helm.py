"""The charts as pinned helm renders them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHARTS = ROOT / "charts"
VALUES = ROOT / "tests/charts/values"
RELEASE, NAMESPACE = "photos", "team"
SERVICES, OPERATOR = "mediaplatform", "mediaplatform-operator"
Object = dict[str, Any]


class Refused(Exception):
    """What helm said."""


@cache
def helm() -> str:
    """Raises CalledProcessError where helm can neither be found nor built."""
    return tool("go-tool", "helm")


def tool(script: str, *arguments: str) -> str:
    """The last line that one of our scripts prints."""
    done = subprocess.run(
        [ROOT / "scripts" / script, *arguments], stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout.splitlines()[-1]


def render(
    chart: str | Path, *values: str | Mapping[str, Any], release: str = RELEASE
) -> tuple[Object, ...]:
    """The objects of a chart; `values` are names of files in tests/charts/values, or mappings.

    Raises Refused.
    """
    arguments, given = [], ""
    for part in values:
        if isinstance(part, str):
            arguments += ["--values", str(VALUES / Path(chart).name / f"{part}.yaml")]
        else:
            arguments += ["--values", "-"]
            given = yaml.safe_dump(dict(part))
    folder = chart if isinstance(chart, Path) else CHARTS / chart
    done = subprocess.run(
        [helm(), "template", release, str(folder), "--namespace", NAMESPACE, *arguments],
        input=given, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    if done.returncode:
        raise Refused(done.stderr)
    return tuple(found for found in yaml.load_all(done.stdout, yaml.CSafeLoader) if found)


def variants(chart: str) -> list[str]:
    return sorted(file.stem for file in (VALUES / chart).glob("*.yaml"))


@cache
def rendered(chart: str, variant: str) -> tuple[Object, ...]:
    return render(chart, variant)


def of_kind(objects: tuple[Object, ...], kind: str) -> dict[str, Object]:
    """By name."""
    return {item["metadata"]["name"]: item for item in objects if item["kind"] == kind}


def pods(objects: tuple[Object, ...]) -> Iterator[tuple[Object, Object]]:
    """Metadata and spec of every pod that the objects start."""
    for item in objects:
        if item["kind"] == "Pod":
            yield item["metadata"], item["spec"]
        elif item["kind"] in {"Deployment", "Job"}:
            template = item["spec"]["template"]
            yield {"name": item["metadata"]["name"], **template["metadata"]}, template["spec"]
