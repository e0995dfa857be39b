"""Where a resource on a cluster stands, in one look: a pure function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mediaplatform_local.cluster.events import Told, lines
from mediaplatform_operator.cluster.objects import Object
from mediaplatform_operator.wiring.queues import Depth

EVENTS = 10


def is_ready(thing: Object) -> bool:
    """Ready, and for its newest generation."""
    return any(
        item["type"] == "Ready"
        and item["status"] == "True"
        and item.get("observedGeneration") == thing["metadata"].get("generation")
        for item in thing.get("status", {}).get("conditions", ())
    )


def text(
    thing: Object, depths: Mapping[str, Depth] | None, told: Sequence[Told], note: str = ""
) -> str:
    """`depths` by queue, or None with a note that says why nobody counted."""
    meta, status = thing["metadata"], thing.get("status", {})
    found = [f"{meta['namespace']}/{meta['name']}  {_generation(meta, status)}"]
    found += _pairs("endpoint", status.get("endpoints", {}))
    found += _table(("condition", "status", "reason", "since", "message"), _conditions(status))
    replicas = status.get("replicas", {})
    found += _table(("service", "available"), list(replicas.items()))
    if depths is None:
        found += [f"backlog  {status['backlog']}"] if "backlog" in status else []
        found += [f"note: queues were not counted: {note}"] if note else []
    else:
        rows = [(name, str(it.visible), str(it.in_flight), str(it.delayed))
                for name, it in depths.items()]  # fmt: skip
        found += _table(("queue", "visible", "in flight", "delayed"), rows)
    if status.get("plan"):
        found.append(f"{len(status['plan'])} settings would change: see `mediaplatform plan`")
    return "\n".join([*found, *lines(told[-EVENTS:])])


def _generation(meta: Object, status: Object) -> str:
    if "deletionTimestamp" in meta:
        return "is being deleted"
    newest, seen = meta.get("generation"), status.get("observedGeneration")
    if seen is None:
        return "no operator has looked at it yet"
    return "" if newest == seen else f"the operator has not looked at generation {newest} yet"


def _conditions(status: Object) -> list[tuple[str, ...]]:
    order = sorted(status.get("conditions", ()), key=lambda it: (it["type"] != "Ready", it["type"]))
    return [
        (it["type"], it["status"], it.get("reason", ""), it["lastTransitionTime"],
         it.get("message", ""))
        for it in order
    ]  # fmt: skip


def _pairs(what: str, found: Mapping[str, str]) -> list[str]:
    return [f"{what}  {name}  {value}" for name, value in found.items()]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return [
        "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (head, *rows)
    ]
