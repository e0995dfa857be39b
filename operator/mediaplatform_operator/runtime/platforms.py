"""One loop per resource: a pass, then a wait until something changed or it is time to look."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import structlog

from mediaplatform.errors import MediaPlatformError
from mediaplatform_operator.cluster.objects import Object
from mediaplatform_operator.reconcile.conditions import PROGRESSING, Condition
from mediaplatform_operator.reconcile.parts import Memory, Parts
from mediaplatform_operator.reconcile.reconcile import Pass
from mediaplatform_operator.reconcile.remove import remove
from mediaplatform_operator.reconcile.report import Report, document, sentence
from mediaplatform_operator.runtime.metrics import Metrics
from mediaplatform_operator.wiring.model import Change

AT_ONCE = 12  # passes; of many resources the others wait their turn
CALM_S = 1.0  # the least between two passes: what comes in bursts is handled once
PROGRESS_S = 3.0
RESTLESS_S = 10.0  # while pods are about to go, or to be placed anew
BACKOFF_S = (2.0, 4.0, 8.0, 16.0, 30.0)
DRIFT_SHOWN_S = 120.0
EVENTS = 10
Say = Callable[[Object, str, str, str], None]  # object, 'Normal' or 'Warning', reason, sentence
log = structlog.get_logger()


@dataclass
class Kept:
    """What is known of one resource while the operator runs."""

    memory: Memory = field(default_factory=Memory)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    status: Object = field(default_factory=dict)
    faults: int = 0
    drifted_at: float = 0.0
    drift: Condition | None = None


class Platforms:
    def __init__(
        self, parts: Parts, metrics: Metrics, say: Say, waiting: Callable[[str], int | None]
    ) -> None:
        """`waiting` gives the messages of a resource by its UID."""
        self._parts = parts
        self._waiting = waiting
        self._metrics = metrics
        self._say = say
        self._kept: dict[str, Kept] = {}
        self._few = asyncio.Semaphore(AT_ONCE)

    def wake(self, uid: str) -> None:
        """Look at this resource soon."""
        if uid in self._kept:
            self._kept[uid].wake.set()

    async def keep(
        self, current: Callable[[], Object], is_stopped: Callable[[], bool],
        stopped: Callable[[], Awaitable[object]],
    ) -> None:  # fmt: skip
        """Until stopped. `current` gives the resource as the watch last showed it."""
        uid = current()["metadata"]["uid"]
        kept = self._kept.setdefault(uid, Kept())
        kept.status = current().get("status", {})
        kept.memory.applied = kept.memory.applied or kept.status.get("applied")
        while not is_stopped():
            kept.wake.clear()
            async with self._few:
                delay = 0.0 if is_stopped() else await self._pass(current(), kept)
            if is_stopped():
                return
            await _first((asyncio.sleep(CALM_S), stopped()))
            await _first((asyncio.sleep(max(0.0, delay - CALM_S)), kept.wake.wait(), stopped()))

    async def remove(self, thing: Object) -> str:
        """What the deletion still waits for, and why; empty once it is done."""
        meta = thing["metadata"]
        kept = self._kept.setdefault(meta["uid"], Kept())
        async with kept.one_at_a_time:
            try:
                waits = await remove(self._parts, thing)
            except MediaPlatformError as fault:
                await self._blocked(thing, kept, fault.message)
                return fault.message
        if not waits:
            self._kept.pop(meta["uid"], None)
            self._metrics.forget(meta["namespace"], meta["name"])
        return waits

    async def _pass(self, thing: Object, kept: Kept) -> float:
        """One pass and all that tells of it; answers after how many seconds to look again."""
        meta = thing["metadata"]
        started = time.monotonic()
        try:
            async with kept.one_at_a_time:
                report = await Pass(self._parts, thing, kept.memory).run()
            self._hold_drift(report, kept)
            report.backlog = self._waiting(meta["uid"])
            await self._write_status(thing, kept, report)
        except MediaPlatformError as fault:  # only the status is left to fail
            log.warning("status not written", resource=_name(thing), why=fault.message)
            return self._backoff(kept)
        except Exception as fault:
            self._metrics.failed(meta["namespace"], meta["name"])
            log.exception("a pass failed", resource=_name(thing))
            said = f"a fault of the operator itself ({type(fault).__name__}): its log has it whole"
            await self._show(thing, kept, Condition("Ready", "False", "InternalError", said))
            return self._backoff(kept)
        self._metrics.passed(meta["namespace"], meta["name"], report, time.monotonic() - started)
        self._tell_changes(thing, report.done, drift=report.drift)
        return self._delay(report, kept)

    def _delay(self, report: Report, kept: Kept) -> float:
        configuration, ready = self._parts.configuration, report.ready
        if ready.is_fault:
            return self._backoff(kept)
        kept.faults = 0
        if ready.reason == PROGRESSING:
            return PROGRESS_S
        observing = ready.reason == "Observing"
        base: float = configuration.observe_seconds if observing else configuration.interval_seconds
        if report.restless:
            base = min(base, RESTLESS_S)
        return base * random.uniform(0.5, 1.0)  # noqa: S311  (no secret: so that not all come at once)

    def _backoff(self, kept: Kept) -> float:
        kept.faults += 1
        return BACKOFF_S[min(kept.faults, len(BACKOFF_S)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311

    def _hold_drift(self, report: Report, kept: Kept) -> None:
        """Drift is shown for a while: a condition that lives a second is seen by nobody."""
        now = time.monotonic()
        found = report.conditions.get("DriftDetected")
        if found is not None and found.status == "True":
            kept.drifted_at, kept.drift = now, found
        elif found and kept.drift and now - kept.drifted_at < DRIFT_SHOWN_S:
            report.put(kept.drift)

    async def _write_status(self, thing: Object, kept: Kept, report: Report) -> None:
        generation = thing["metadata"].get("generation", 0)
        after = document(kept.status, report, generation=generation, at=datetime.now(UTC))
        if after == kept.status:
            return
        self._tell_conditions(thing, kept.status, after)
        await self._apply_status(thing, after)
        kept.status = after

    async def _blocked(self, thing: Object, kept: Kept, message: str) -> None:
        blocked = Condition("DeletionBlocked", "True", "DeletionBlocked", message)
        await self._show(
            thing, kept, blocked, Condition("Ready", "False", "DeletionBlocked", message)
        )

    async def _show(self, thing: Object, kept: Kept, *conditions: Condition) -> None:
        """These conditions and no more; a status that cannot be written is only logged."""
        report = Report({condition.type: condition for condition in conditions})
        try:
            await self._write_status(thing, kept, report)
        except MediaPlatformError as fault:
            log.warning("status not written", resource=_name(thing), why=fault.message)

    async def _apply_status(self, thing: Object, status: Object) -> None:
        meta = thing["metadata"]
        head = {"name": meta["name"], "namespace": meta["namespace"]}
        await self._parts.cluster.apply(
            {"apiVersion": thing["apiVersion"], "kind": thing["kind"], "metadata": head,
             "status": status}, part="status",
        )  # fmt: skip

    def _tell_conditions(self, thing: Object, before: Object, after: Object) -> None:
        old = {item["type"]: _moment(item) for item in before.get("conditions", ())}
        for item in after.get("conditions", ()):
            if old.get(item["type"]) == _moment(item):
                continue
            good = item["status"] == "True" or item["reason"] == PROGRESSING
            calm = item["type"] in ("DriftDetected", "DeletionBlocked")
            kind = "Normal" if good != calm or item["status"] == "Unknown" else "Warning"
            log.info("condition", resource=_name(thing), type=item["type"], status=item["status"],
                     reason=item["reason"], message=item["message"])  # fmt: skip
            self._say(thing, kind, item["reason"], f"{item['type']}: {item['message']}")

    def _tell_changes(
        self, thing: Object, done: Iterable[Change], *, drift: Iterable[Change]
    ) -> None:
        by_others = list(drift)
        changes = list(done)
        for change in changes:
            log.info("changed", resource=_name(thing), what=change.resource,
                     setting=change.setting, why=change.why)  # fmt: skip
        for change in by_others[:EVENTS]:
            self._say(thing, "Warning", "DriftPutBack", sentence(change))
        if changes and not by_others:
            shown = "; ".join(dict.fromkeys(change.resource for change in changes[:EVENTS]))
            self._say(thing, "Normal", "Changed", f"{len(changes)} settings: {shown}")


async def _first(waits: Iterable[Awaitable[object]]) -> None:
    """Until the first of them is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def _moment(condition: Object) -> tuple[str, str]:
    return condition["status"], condition["reason"]


def _name(thing: Object) -> str:
    return f"{thing['metadata']['namespace']}/{thing['metadata']['name']}"
