"""The images as they ship: small, without tools, without a root user, and complete all the same."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import yaml

from tests.cluster import catalogue
from tests.cluster.engine import Docker, find
from tests.cluster.images import build
from tests.cluster.layout import PREFIX, ROOT
from tests.cluster.run import ClusterError, until

MB = 1_000_000
MOST_MB = {"api": 250, "operator": 250, "worker": 400}
COMPONENTS = tuple(MOST_MB)
USER = "10001:10001"
TOOLS = ("pip", "pip3", "uv", "gcc", "cc", "g++", "make", "ld", "git", "curl", "wget")
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)", re.MULTILINE)
SMALL = "--read-only", "--network", "none"
# Nothing answers at these: what starts must live without them.
SETTINGS = {
    "PUBLIC_URL": "https://photos.example.com",
    "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "REGION": "eu-west-1",
    "UPLOADS_BUCKET": "photos-uploads",
    "MEDIA_BUCKET": "photos-media",
    "INGEST_QUEUE_URL": "http://127.0.0.1:9/ingest",
    "RENDER_QUEUE_URL": "http://127.0.0.1:9/render",
    "TOKEN_SECRET": "x" * 48,
}
RENDERS = """
import asyncio, json, sys, yaml
from pathlib import Path
from mediaplatform_operator.configuration import CHART
from mediaplatform_operator.release.chart import Chart
found = asyncio.run(Chart(CHART).render("photos", "photos", json.load(sys.stdin)))
print(json.dumps(sorted({item["kind"] for item in found})))
"""
LEASES = """
from kubernetes.aio.client import ApiClient, V1Lease
import mediaplatform_operator.runtime.run
body = {"metadata": {"name": "a"}, "spec": {"holderIdentity": "me", "leaseDurationSeconds": 15}}
lease = V1Lease.from_dict(body)
print(lease.spec.holder_identity)
"""
LOGS_IN = """
import asyncio, os, kopf
from mediaplatform_operator.runtime.handlers import _login
import logging
found = _login(logger=logging.getLogger(), settings=kopf.OperatorSettings())
print(found.server)
"""
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: here, user: me}}]
clusters: [{name: here, cluster: {server: "https://10.0.0.1:6443"}}]
users: [{name: me, user: {token: secret}}]
"""


@pytest.fixture(scope="module")
def docker() -> Docker:
    found = find()
    assert found is not None, "Docker does not answer"
    return found


@pytest.fixture(scope="module")
def tags(docker: Docker) -> Iterator[dict[str, str]]:
    """This tree's images by component, under names that loading a cluster leaves alone."""
    named = {image.name.removeprefix("mediaplatform-"): image for image in catalogue.product()}
    found = {
        component: build(docker, replace(image, name=f"{PREFIX}/probed-{component}"))
        for component, image in named.items()
    }
    yield found
    docker("rmi", *found.values())


@pytest.mark.parametrize("component", COMPONENTS)
def test_an_image_is_small(docker: Docker, tags: dict[str, str], component: str) -> None:
    size = _inspect(docker, tags[component])["Size"] / MB
    assert size < MOST_MB[component]


@pytest.mark.parametrize("component", COMPONENTS)
def test_nobody_is_root(docker: Docker, tags: dict[str, str], component: str) -> None:
    assert _inspect(docker, tags[component])["Config"]["User"] == USER
    assert _sh(docker, tags[component], "echo $(id -u):$(id -g)") == USER


@pytest.mark.parametrize("component", COMPONENTS)
def test_nothing_to_install_or_build_with(
    docker: Docker, tags: dict[str, str], component: str
) -> None:
    found = _sh(docker, tags[component], f"for t in {' '.join(TOOLS)}; do command -v $t; done; :")
    assert found == ""
    for module in ("pip", "ensurepip", "uv"):
        says = f"python -c 'import {module}' 2>&1 || :"
        assert f"No module named '{module}'" in _sh(docker, tags[component], says)


@pytest.mark.parametrize("component", COMPONENTS)
def test_libraries_are_those_that_are_locked(
    docker: Docker, tags: dict[str, str], component: str
) -> None:
    code = (
        "import importlib.metadata as m, json;"
        "print(json.dumps({d.name: d.version for d in m.distributions()}))"
    )
    found = json.loads(_python(docker, tags[component], code))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert found.pop("mediaplatform") == project["version"]
    pins = dict(PIN.findall((ROOT / f"requirements/{component}.txt").read_text()))
    assert len(found) > 10
    assert _named(found).items() <= _named(pins).items()


def test_bases_have_a_version() -> None:
    text = (ROOT / "Dockerfile").read_text()
    outside = [name for name in re.findall(r"^FROM (\S+)", text, re.MULTILINE) if ":" in name]
    assert outside
    assert not [name for name in outside if name.endswith(":latest")]
    own = set(re.findall(r"^FROM \S+ AS (\S+)", text, re.MULTILINE))
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) <= own | set(outside)


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_folder_of_others_shadows_no_module(
    docker: Docker, tags: dict[str, str], component: str
) -> None:
    shadow = "cd /tmp && mkdir operator && echo 'raise SystemExit(99)' | tee json.py"
    start = f"python -m mediaplatform_{component}"
    says = _sh(
        docker, tags[component],
        f"{shadow} operator/__init__.py >&2; {start} 2>&1; echo code $?",
        "--tmpfs", "/tmp", "--env", "MEDIAPLATFORM_OPERATOR_INTERVAL_SECONDS=0",
    )  # fmt: skip
    assert "code 99" not in says
    assert "mediaplatform" in says


@pytest.mark.parametrize(("component", "port"), [("api", 8080), ("worker", 9090)])
def test_it_runs_on_a_root_that_is_read_only(
    docker: Docker, tags: dict[str, str], component: str, port: int
) -> None:
    url = f"http://127.0.0.1:{port}/health/live"
    ask = f"import urllib.request as r; print(r.urlopen({url!r}).status)"
    with _running(docker, tags[component]) as name:

        def answers() -> bool:
            try:
                return docker("exec", name, "python", "-c", ask).strip() == "200"
            except ClusterError:
                return False

        until(answers, seconds=30, what=lambda: docker("logs", name))
        assert docker("exec", name, "sh", "-c", "touch /opt/mediaplatform/x 2>&1 || :").strip()


def test_a_wrong_setting_ends_the_operator_with_its_name(
    docker: Docker, tags: dict[str, str]
) -> None:
    says = _sh(
        docker, tags["operator"], "python -m mediaplatform_operator 2>&1; echo code $?",
        "--env", "MEDIAPLATFORM_OPERATOR_INTERVAL_SECONDS=0",
    )  # fmt: skip
    assert "MEDIAPLATFORM_OPERATOR_INTERVAL_SECONDS must be seconds" in says
    assert says.endswith("code 2")


def test_the_operator_renders_the_chart_that_it_carries(
    docker: Docker, tags: dict[str, str]
) -> None:
    values = json.dumps(
        yaml.safe_load((ROOT / "tests/charts/values/mediaplatform/default.yaml").read_text())
    )
    found = json.loads(_python(docker, tags["operator"], RENDERS, "--interactive", stdin=values))
    assert {"Deployment", "HorizontalPodAutoscaler", "Service"} <= set(found)


def test_the_operator_can_hold_a_lease(docker: Docker, tags: dict[str, str]) -> None:
    assert _python(docker, tags["operator"], LEASES) == "me"


def test_the_operator_logs_in_by_kubeconfig_and_by_service_account(
    docker: Docker, tags: dict[str, str]
) -> None:
    by_file = f"cat > /tmp/config <<'END'\n{KUBECONFIG}\nEND\npython -c \"$CODE\""
    file = "--tmpfs", "/tmp", "--env", f"CODE={LOGS_IN}", "--env", "KUBECONFIG=/tmp/config"
    assert _sh(docker, tags["operator"], by_file, *file) == "https://10.0.0.1:6443"
    account = "/var/run/secrets/kubernetes.io/serviceaccount"
    by_account = f'echo token > {account}/token; python -c "$CODE"'
    token = "--tmpfs", f"{account}:mode=1777", "--env", f"CODE={LOGS_IN}"
    says = _sh(docker, tags["operator"], by_account, *token)
    assert says == "https://kubernetes.default.svc"


@contextmanager
def _running(docker: Docker, tag: str) -> Iterator[str]:
    name = f"mediaplatform-test-image-{uuid4().hex[:8]}"
    given = [word for key, value in SETTINGS.items()
             for word in ("--env", f"MEDIAPLATFORM_{key}={value}")]  # fmt: skip
    docker("run", "--detach", "--name", name, *SMALL, "--tmpfs", "/tmp", *given, tag)
    try:
        yield name
    finally:
        docker("rm", "--force", name)


def _named(versions: dict[str, str]) -> dict[str, str]:
    """Under the names that are the same for pip, uv and metadata."""
    return {re.sub("[-_.]+", "-", name).lower(): version for name, version in versions.items()}


def _inspect(docker: Docker, tag: str) -> dict[str, Any]:
    [found] = json.loads(docker("image", "inspect", tag))
    return dict(found)


def _sh(docker: Docker, tag: str, command: str, *options: str) -> str:
    """What it prints in a container without network, on a root that is read-only."""
    how = ("--rm", *SMALL, "--entrypoint", "sh", *options)
    return docker("run", *how, tag, "-c", command).strip()


def _python(docker: Docker, tag: str, code: str, *options: str, stdin: str | None = None) -> str:
    how = ("--rm", *SMALL, "--tmpfs", "/tmp", "--entrypoint", "python", *options)
    return docker("run", *how, tag, "-c", code, stdin=stdin).strip()
