"""From what is wanted and what is there to what has to change: a pure function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from mediaplatform.errors import Conflict
from mediaplatform_operator.wiring.model import (
    ABSENT,
    ADOPT_TAG,
    EXISTENCE,
    NAME_TAG,
    OFFER,
    UID_TAG,
    Change,
    Owner,
    Seen,
    Wish,
)

Adoption = Literal["Never", "IfTagged", "Always"]
Observed = Mapping[tuple[str, str], Seen]  # by kind and name; what is not there is left out


def plan(
    wishes: Sequence[Wish], observed: Observed, owner: Owner, adoption: Adoption
) -> tuple[Change, ...]:
    """The changes in the order in which they must be made; none where all is as wanted.

    Raises Conflict where a bucket or queue is somebody else's.
    """
    return tuple(
        change
        for wish in wishes
        for change in _changes(wish, observed.get((wish.kind, wish.name)), owner, adoption)
    )


def _changes(wish: Wish, seen: Seen | None, owner: Owner, adoption: Adoption) -> Iterator[Change]:
    if seen is None:
        yield Change(wish.kind, wish.name, EXISTENCE, ABSENT, None, owner.tags)
        have = dict(owner.tags) if wish.kind == "bucket" else None
        seen = Seen({"tags": have} if have else {})
        why = "it is new"
    else:
        _check_owner(wish, seen, owner, adoption)
        why = "it differs from the resource"
    for setting, wanted in wish.settings.items():
        there = seen.settings.get(setting)
        if there != wanted:
            yield Change(wish.kind, wish.name, setting, why, there, wanted)
    if ADOPT_TAG in seen.tags:
        offered = seen.tags[ADOPT_TAG]
        yield Change(wish.kind, wish.name, OFFER, "it is ours now", offered, None)


def _check_owner(wish: Wish, seen: Seen, owner: Owner, adoption: Adoption) -> None:
    theirs = seen.tags.get(UID_TAG)
    if theirs == owner.uid or adoption == "Always":
        return
    what = f"{wish.kind} {wish.name}"
    if adoption == "IfTagged" and seen.tags.get(ADOPT_TAG) == owner.name:
        return
    if theirs is None and seen.tags.get(NAME_TAG) == owner.name:
        return  # ours, and somebody took the other tag away
    if theirs is None and not seen.tags and wish.derived:
        return  # ours, and both were lost
    belongs = f"belongs to the resource with UID {theirs}" if theirs else "exists and is not ours"
    remedy = {
        "Never": "choose another spec.storage.name, or set spec.storage.adoption to IfTagged",
        "IfTagged": f"tag it {ADOPT_TAG}={owner.name} to have it adopted, or choose another name",
    }[adoption]
    raise Conflict(f"{what} {belongs}: {remedy}")
