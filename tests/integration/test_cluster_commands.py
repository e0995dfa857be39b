"""The commands for a cluster: what they say without one, and events of one in memory."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.operator import NAMESPACE, Operated
from tests.support.up import mediaplatform

from mediaplatform.errors import NotFound
from mediaplatform_local.cluster.events import Told, events, follow
from mediaplatform_local.cluster.reach import platform as found
from mediaplatform_operator.cluster.fake import FakeCluster
from mediaplatform_operator.cluster.objects import Object

HOME = "apiVersion: mediaplatform.io/v1alpha1\nkind: MediaPlatform\nmetadata: {name: photos}\n"
FILE = HOME + "spec: {host: photos.example.com}\n"
NOWHERE = """
apiVersion: v1
kind: Config
current-context: nowhere
contexts: [{name: nowhere, context: {cluster: nowhere, user: nobody}}]
clusters: [{name: nowhere, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: nobody, user: {token: x}}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mp.yaml").write_text(FILE)
    (tmp_path / "nowhere").write_text(NOWHERE)
    (tmp_path / "helm").write_text("#!/bin/sh\n")
    (tmp_path / "helm").chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["status", "photos"], "there is no kubeconfig at"),
        (["events", "photos"], "there is no kubeconfig at"),
        (["redrive", "photos", "--queue", "ingest"], "there is no kubeconfig at"),
        (["plan", "-f", "mp.yaml"], "there is no helm"),
        (["plan", "-f", "mp.yaml", "--helm", "./helm"], "there is no kubeconfig at"),
        (["plan", "-f", "none.yaml"], "cannot be read"),
        (["plan", "-f", "mp.yaml", "--helm", "./helm", "--chart", "."], "there is no chart in"),
        (["status", "photos", "--kubeconfig", "nowhere"], "the API server does not answer"),
        (["status", "photos", "--kubeconfig", "nowhere", "--context", "x"], "with name x"),
        (["status", "photos", "--kubeconfig", "mp.yaml"], "cannot be used"),
        (["status", "-n", "photos"], "name the resource"),
        (["redrive", "--queue", "ingest", "--max", "0"], "--max: got 0, wants 1 or more"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line(folder: Path, words: list[str], says: str) -> None:
    environment = {**os.environ, "HOME": str(folder), "PATH": "/usr/bin:/bin", "KUBECONFIG": ""}
    done = mediaplatform(*words, cwd=folder, env=environment)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_as_a_plugin_of_kubectl_it_goes_by_that_name(folder: Path) -> None:
    plugin = Path(sys.executable).parent / "kubectl-mediaplatform"
    words = subprocess.run([plugin, "--help"], capture_output=True, text=True, check=True).stdout
    assert words.startswith("usage: kubectl mediaplatform ")
    done = subprocess.run(
        [plugin, "plan", "-f", folder / "none"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("kubectl mediaplatform: ")


def tell(cluster: FakeCluster, about: tuple[str, str], reason: str, **more: Any) -> Object:
    event = {
        "apiVersion": "v1", "kind": "Event", "type": "Normal", "reason": reason, "message": "it is",
        "metadata": {"name": f"e-{reason.lower()}", "namespace": NAMESPACE},
        "involvedObject": {"kind": about[0], "name": about[1]}, **more,
    }  # fmt: skip
    return cluster.put(event)


@pytest.fixture
def told(platform: Operated) -> Operated:
    """A resource and what it made, each with an event, in no order."""
    name = platform.thing["metadata"]["name"]
    inventory = [{"kind": "Deployment", "name": f"{name}-api", "id": ""}]
    platform.thing["status"] = {"inventory": inventory}
    platform.cluster.put(platform.thing)
    for about, reason, second in (
        (("Pod", f"{name}-api-5f-x"), "BackOff", 3),
        (("MediaPlatform", name), "Changed", 1),
        (("Deployment", f"{name}-api"), "ScalingReplicaSet", 2),
        (("Pod", "another-api-5f-x"), "Another", 1),
        (("MediaPlatform", "another"), "Others", 1),
    ):
        tell(platform.cluster, about, reason, lastTimestamp=f"2026-01-01T00:00:0{second}Z")
    return platform


@pytest.mark.anyio
async def test_events_are_those_of_the_resource_and_of_what_it_made(told: Operated) -> None:
    there = await events(told.cluster, told.thing)
    assert [it.reason for it in there] == ["Changed", "ScalingReplicaSet", "BackOff"]


@pytest.mark.anyio
async def test_followed_each_event_comes_once_and_again_when_it_happens_again(
    told: Operated,
) -> None:
    name = told.thing["metadata"]["name"]
    came: asyncio.Queue[Told] = asyncio.Queue()

    async def read() -> None:
        async for it in follow(told.cluster, NAMESPACE, name):
            came.put_nowait(it)

    reading = asyncio.create_task(read())
    try:
        first = [await asyncio.wait_for(came.get(), 10) for _ in range(3)]
        assert [it.reason for it in first] == ["Changed", "ScalingReplicaSet", "BackOff"]
        event = next(it for it in told.cluster if it.get("reason") == "Changed")
        told.cluster.put({**event, "count": 2})
        again = await asyncio.wait_for(came.get(), 10)
        assert (again.reason, again.times) == ("Changed", 2)
        told.cluster.take(("mediaplatforms", NAMESPACE, name))
        with pytest.raises(NotFound, match=f"there is no MediaPlatform {name} in namespace"):
            await asyncio.wait_for(reading, 10)
    finally:
        reading.cancel()


@pytest.mark.anyio
async def test_a_resource_that_is_not_there_is_named() -> None:
    with pytest.raises(NotFound, match="there is no MediaPlatform photos in namespace team"):
        await found(FakeCluster(), "team", "photos")
