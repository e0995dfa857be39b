"""What is left of a failure: events, conditions and logs, in one folder per test."""

from __future__ import annotations

import re
from pathlib import Path

from tests.cluster.kubectl import Kubectl
from tests.cluster.layout import ROOT
from tests.cluster.run import ClusterError
from tests.cluster.suite.product import OPERATOR

RESULTS = ROOT / "cluster-results"
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
    return folder


def unready(kubectl: Kubectl) -> list[str]:
    """Pods that are not ready, and why; none if the cluster does not answer."""
    try:
        pods = kubectl.get("pods", "--all-namespaces")["items"]
    except ClusterError:
        return []
    return [
        f"{pod['metadata']['namespace']}/{pod['metadata']['name']}: {item.get('message', '')}"
        for pod in pods
        for item in pod["status"].get("conditions", ())
        if item["type"] in {"PodScheduled", "Ready"}
        and item["status"] == "False"
        and item.get("reason") != "PodCompleted"
    ]


def _namespaces(kubectl: Kubectl) -> list[str]:
    try:
        found = kubectl("get", "namespaces", "-l", "suite=mediaplatform", "-o", "name")
    except ClusterError:
        return []
    names = [name.removeprefix("namespace/") for name in found.split()]
    return [name for name in names if name != OPERATOR]


def _write(path: Path, kubectl: Kubectl, *words: str) -> None:
    try:
        path.write_text(kubectl(*words))
    except ClusterError as fault:
        path.write_text(str(fault))
