"""What is left of a failure: events, conditions and logs, in one folder per test."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.cluster.engine import find
from tests.cluster.kubectl import Kubectl
from tests.cluster.layout import NODES, ROOT
from tests.cluster.run import ClusterError, attempt
from tests.cluster.suite.product import OPERATOR

RESULTS = ROOT / "cluster-results"
LINES, WIDE = 6, 400  # of what is told of a pod, in a report
EVENTS = 30  # of resources, in a report
EVENT = "custom-columns=A:.lastTimestamp,B:.metadata.namespace,C:.reason,D:.message"
SINCE = "10m"  # of what is kept of nodes
WHOLE = {
    "nodes.txt": ("get", "nodes", "-o", "wide"),
    "pods.txt": ("get", "pods", "-A", "-o", "wide"),
    "events.txt": ("get", "events", "-A", "--sort-by=.lastTimestamp"),
    "mediaplatforms.yaml": ("get", "mediaplatforms", "-A", "-o", "yaml"),
    "workloads.txt": ("get", "deployments,statefulsets,jobs,hpa,pvc", "-A"),
}


def keep(kubectl: Kubectl, test: str, story: str) -> Path:
    """Write down what can be had; a cluster that does not answer is no further fault."""
    folder = RESULTS / re.sub(r"[^\w.-]+", "-", test)[-120:]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "failure.txt").write_text(story)
    for name, words in WHOLE.items():
        _write(folder / name, kubectl, *words)
    _write(folder / "operator.log", kubectl, "logs", "-n", OPERATOR, f"deployment/{OPERATOR}",
           "--tail=2000")  # fmt: skip
    for namespace in _namespaces(kubectl):
        logs = ("logs", "-n", namespace, "-l", "app.kubernetes.io/part-of=mediaplatform",
                "--all-containers", "--prefix", "--tail=300", "--ignore-errors")  # fmt: skip
        _write(folder / f"{namespace}.log", kubectl, *logs)
    _write_nodes(folder)
    return folder


def told(kubectl: Kubectl, kept: Path) -> list[str]:
    """For a report: the last events of resources, and what is known of pods that are not ready."""
    events = _events(kubectl, "involvedObject.kind=MediaPlatform", "-A")[-EVENTS:]
    return [*(line[:WIDE] for line in events), *_unready(kubectl, kept)]


def _unready(kubectl: Kubectl, kept: Path) -> list[str]:
    """Where and why, and the last of what is told of each; none if the cluster does not answer."""
    try:
        pods = kubectl.get("pods", "--all-namespaces")["items"]
    except ClusterError:
        return []
    return [
        line
        for pod in pods
        for item in pod["status"].get("conditions", ())
        if item["type"] in {"PodScheduled", "Ready"}
        and item["status"] == "False"
        and item.get("reason") != "PodCompleted"
        for line in _story(kubectl, kept, pod, item.get("message", ""))
    ]


def _story(kubectl: Kubectl, kept: Path, pod: Mapping[str, Any], message: str) -> list[str]:
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    node = pod["spec"].get("nodeName", "no node")
    statuses = pod["status"].get("containerStatuses", ())
    states = [f"{each['restartCount']} restarts, {json.dumps(each['state'])}" for each in statuses]
    times = [pod["metadata"].get(each, "") for each in ("creationTimestamp", "deletionTimestamp")]
    sources = (
        _events(kubectl, f"involvedObject.name={name}", "-n", namespace),
        [line for line in _lines(kept / f"{node}.log") if name in line],
        _said(kubectl, "-n", namespace, "logs", name, "--all-containers").splitlines(),
    )
    head = (f"{namespace}/{name} on {node}", " to ".join(times), message, *states)
    return ["; ".join(head), *(line[:WIDE] for lines in sources for line in lines[-LINES:])]


def _events(kubectl: Kubectl, which: str, *where: str) -> list[str]:
    return _said(kubectl, "get", "events", *where, "--field-selector", which,
                 "--sort-by=.lastTimestamp", "-o", EVENT, "--no-headers").splitlines()  # fmt: skip


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def _write_nodes(folder: Path) -> None:
    """What kubelets, containerd and the others said. Nodes of kind have it in their journals."""
    if docker := find():
        for node in NODES:
            said = attempt(docker.program, "logs", f"--since={SINCE}", node.container,
                           environment=docker.environment)  # fmt: skip
            (folder / f"{node.name}.log").write_text(said.stdout + said.stderr)


def _namespaces(kubectl: Kubectl) -> list[str]:
    try:
        found = kubectl("get", "namespaces", "-l", "suite=mediaplatform", "-o", "name")
    except ClusterError:
        return []
    names = [name.removeprefix("namespace/") for name in found.split()]
    return [name for name in names if name != OPERATOR]


def _write(path: Path, kubectl: Kubectl, *words: str) -> None:
    path.write_text(_said(kubectl, *words))


def _said(kubectl: Kubectl, *words: str) -> str:
    try:
        return kubectl(*words)
    except ClusterError as fault:
        return str(fault)
