"""The cluster as its administrator talks to it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster.layout import STATE
from tests.cluster.run import attempt, run


@dataclass(frozen=True)
class Kubectl:
    """kubectl with one kubeconfig."""

    kubeconfig: Path
    program: str | Path = STATE / "bin/kubectl"

    def __call__(self, *words: str, timeout: float = 60, stdin: str | None = None) -> str:
        """What it printed. Raises ClusterError."""
        return run(
            self.program, "--kubeconfig", self.kubeconfig, *words, timeout=timeout, stdin=stdin
        )

    def says_yes(self, *words: str, timeout: float = 20) -> bool:
        return (
            attempt(
                self.program, "--kubeconfig", self.kubeconfig, *words, timeout=timeout
            ).returncode
            == 0
        )

    def ready(self) -> bool:
        return self.says_yes("get", "--raw", "/readyz", "--request-timeout", "3s")

    def apply(self, manifest: str) -> None:
        self(
            "apply",
            "--server-side",
            "--force-conflicts",
            "--filename",
            "-",
            stdin=manifest,
            timeout=120,
        )

    def apply_all(self, things: Sequence[Mapping[str, Any]]) -> None:
        """The same for objects, in their order."""
        self.apply(json.dumps({"apiVersion": "v1", "kind": "List", "items": things}))

    def secret(self, namespace: str, name: str, kind: str = "Opaque", **values: str) -> None:
        self.apply(json.dumps(secret(namespace, name, kind, **values)))

    def get(self, *words: str) -> Any:
        return json.loads(self("get", *words, "--output", "json"))


def secret(namespace: str, name: str, kind: str = "Opaque", **values: str) -> dict[str, Any]:
    """A Secret with these values; `_` in a key stands for a dot."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": kind,
        "stringData": {key.replace("_", "."): value for key, value in values.items()},
    }
