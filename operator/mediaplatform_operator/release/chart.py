"""The services chart, rendered by `helm template`: no release, no lock, no look at the cluster."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import orjson
import yaml

from mediaplatform.errors import InvalidInput, Unavailable
from mediaplatform_operator.cluster.objects import Object, digest

TIMEOUT_S = 30
KEPT = 256  # renderings, one per resource and state of it


class Chart:
    """Renders each set of values once. `version` changes with any file of the chart."""

    def __init__(self, folder: Path, helm: str = "helm") -> None:
        self._folder = folder
        self._helm = helm
        self._rendered: dict[str, bytes] = {}  # as JSON: objects take ten times the memory
        self._few = asyncio.Semaphore(2)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        self.version = digest([path.read_text() for path in files])

    async def render(self, name: str, namespace: str, values: dict[str, Any]) -> list[Object]:
        """Raises InvalidInput for values that the chart refuses, and Unavailable without helm."""
        key = digest([name, namespace, values])
        if key not in self._rendered:
            async with self._few:
                text = await self._template(name, namespace, values)
            while len(self._rendered) >= KEPT:
                del self._rendered[next(iter(self._rendered))]
            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            objects = [item for item in yaml.load_all(text, loader) if item]
            self._rendered[key] = orjson.dumps(objects)
        found: list[Object] = orjson.loads(self._rendered[key])
        return found

    async def _template(self, name: str, namespace: str, values: dict[str, Any]) -> bytes:
        command = (self._helm, "template", name, str(self._folder), "--namespace", namespace,
                   "--skip-tests", "--values", "-")  # fmt: skip
        pipe = asyncio.subprocess.PIPE
        try:
            helm = await asyncio.create_subprocess_exec(
                *command, stdin=pipe, stdout=pipe, stderr=pipe
            )
        except OSError as fault:
            raise Unavailable(f"{self._helm} cannot be run: {fault}") from fault
        try:
            async with asyncio.timeout(TIMEOUT_S):
                out, err = await helm.communicate(yaml.safe_dump(values).encode())
        except TimeoutError as fault:
            helm.kill()
            raise Unavailable(f"helm rendered nothing in {TIMEOUT_S} seconds") from fault
        if helm.returncode:
            raise InvalidInput(f"the services chart refuses the values: {err.decode().strip()}")
        return out
