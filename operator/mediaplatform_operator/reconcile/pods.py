"""Care for the pods of services: busy workers go last, and a lost zone gets its share back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mediaplatform.errors import Conflict, InvalidInput
from mediaplatform_operator.cluster.objects import POD, Key, Object
from mediaplatform_operator.reconcile import busy
from mediaplatform_operator.reconcile.parts import Parts
from mediaplatform_operator.reconcile.spread import Uneven


@dataclass
class Pods:
    """Those of one resource's Deployments in one pass: listed once, when first needed."""

    parts: Parts
    namespace: str
    labels: str
    deployments: Sequence[Object]
    _listed: Sequence[Object] | None = field(default=None, init=False)

    async def all(self) -> Sequence[Object]:
        if self._listed is None:
            self._listed = await self.parts.cluster.list(POD, self.namespace, self.labels)
        return self._listed

    async def protect_busy(self, least: Mapping[str, int]) -> bool:
        """Whether there are more workers than `least`; those with long jobs are marked to go last.

        Raises NotAllowed or Unavailable.
        """
        components = busy.may_shrink(self.deployments, least)
        if not components:
            return False
        asked = busy.workers(await self.all(), components)
        ages = await self.parts.oldest_jobs(asked)
        for mark in busy.marks(asked, ages):
            try:
                await self.parts.cluster.apply(mark)
            except (Conflict, InvalidInput):  # it is gone by now
                continue
        return True

    async def crowded(self, memory: Uneven, now: datetime) -> dict[Key, dict[str, int]]:
        """The Deployments to restart so that they are even again, with their pods by zone."""
        nodes = await self.parts.nodes.all()
        if memory.is_known(self.deployments, nodes):
            return {}
        return memory.due(self.deployments, await self.all(), nodes, now)
