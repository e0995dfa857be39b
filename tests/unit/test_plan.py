"""The plan is pure: applying it to a model of AWS leaves nothing to plan, and drift comes back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaplatform.errors import Conflict
from mediaplatform_operator.resource.load import parse
from mediaplatform_operator.resource.model import MediaPlatform
from mediaplatform_operator.wiring.model import (
    ADOPT_TAG,
    EXISTENCE,
    UID_TAG,
    Change,
    Owner,
    Seen,
    Wish,
)
from mediaplatform_operator.wiring.names import Names
from mediaplatform_operator.wiring.plan import Adoption, Observed, plan
from mediaplatform_operator.wiring.wishes import wishes

UID = "0b1f4b5e-7d3c-4c55-9a57-1f6e1f7b6a11"
OWNER = Owner(UID, "default/photos")


def resource(**spec: Any) -> MediaPlatform:
    content = {"host": "photos.example.com", **spec}
    return parse({"kind": "MediaPlatform", "metadata": {"name": "photos"}, "spec": content})


def wanted(of: MediaPlatform) -> tuple[Wish, ...]:
    names = Names.of(of, uid=UID, account="000000000000")
    return wishes(of, names, OWNER, origin="https://photos.example.com")


def applied(observed: Observed, changes: tuple[Change, ...]) -> Observed:
    """What a faithful AWS shows after the changes."""
    found = dict(observed)
    for change in changes:
        key = (change.kind, change.name)
        if change.setting == EXISTENCE:
            assert key not in found, "made twice"
            found[key] = Seen({"tags": change.after}, change.after)
        else:
            seen = found[key]
            tags = change.after if change.setting == "tags" else seen.tags
            found[key] = Seen({**seen.settings, change.setting: change.after}, tags)
    return found


SPECS = st.fixed_dictionaries(
    {},
    optional={
        "queues": st.fixed_dictionaries(
            {"visibilitySeconds": st.integers(30, 43200), "maxReceives": st.integers(1, 100)}
        ),
        "storage": st.fixed_dictionaries(
            {"name": st.from_regex(r"\A[a-z][a-z0-9]{2,20}\Z")},
            optional={"encryption": st.just({"kmsKeyId": "alias/photos"})},
        ),
        "aws": st.sampled_from([{}, {"region": "eu-west-1"}, {"endpoint": "http://127.0.0.1:1"}]),
    },
)


@given(SPECS)
def test_what_was_planned_and_done_leaves_nothing_to_plan(spec: dict[str, Any]) -> None:
    wishes_ = wanted(resource(**spec))
    first = plan(wishes_, {}, OWNER, "Never")
    assert plan(wishes_, applied({}, first), OWNER, "Never") == ()


@given(st.data())
def test_a_run_stopped_anywhere_is_completed_by_the_next(data: st.DataObject) -> None:
    wishes_ = wanted(resource())
    first = plan(wishes_, {}, OWNER, "Never")
    done = data.draw(st.integers(0, len(first)))
    half = applied({}, first[:done])
    rest = plan(wishes_, half, OWNER, "Never")
    assert plan(wishes_, applied(half, rest), OWNER, "Never") == ()
    assert {(change.name, change.setting) for change in rest} <= {
        (change.name, change.setting) for change in first[done:]
    }


@given(st.data())
def test_each_setting_changed_by_hand_is_planned_back_and_nothing_else(data: st.DataObject) -> None:
    wishes_ = wanted(resource())
    right = applied({}, plan(wishes_, {}, OWNER, "Never"))
    wish = data.draw(st.sampled_from(wishes_))
    setting = data.draw(st.sampled_from([name for name in wish.settings if name != "tags"]))
    key = (wish.kind, wish.name)
    drifted = {**right, key: Seen({**right[key].settings, setting: "by hand"}, right[key].tags)}
    [change] = plan(wishes_, drifted, OWNER, "Never")
    assert (change.name, change.setting, change.before) == (wish.name, setting, "by hand")
    assert change.after == wish.settings[setting]


def test_what_others_name_is_made_before_them() -> None:
    order = [
        change.resource
        for change in plan(wanted(resource()), {}, OWNER, "Never")
        if change.setting == EXISTENCE
    ]
    assert [name.rpartition("-")[2] for name in order] == [
        "dead", "dead", "ingest", "render", "uploads", "media",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("tags", "adoption", "remedy"),
    [
        ({}, "IfTagged", f"tag it {ADOPT_TAG}=default/photos"),
        ({"team": "x"}, "Never", "spec.storage.adoption"),
        ({ADOPT_TAG: "default/photos"}, "Never", "spec.storage.adoption"),
        ({ADOPT_TAG: "other/photos"}, "IfTagged", "tag it"),
        ({UID_TAG: "another"}, "IfTagged", "belongs to the resource with UID another"),
    ],
)
def test_a_bucket_of_somebody_else_is_left_alone(
    tags: dict[str, str], adoption: Adoption, remedy: str
) -> None:
    wishes_ = wanted(resource(storage={"name": "acme"}))
    bucket = next(wish for wish in wishes_ if wish.kind == "bucket")
    with pytest.raises(Conflict) as caught:
        plan(wishes_, {("bucket", bucket.name): Seen({}, tags)}, OWNER, adoption)
    assert bucket.name in caught.value.message
    assert remedy in caught.value.message


@pytest.mark.parametrize(
    ("tags", "adoption"),
    [
        ({ADOPT_TAG: "default/photos"}, "IfTagged"),
        ({}, "Always"),
        ({UID_TAG: UID}, "Never"),
    ],
)
def test_a_bucket_that_may_be_adopted_is_tagged_as_ours(
    tags: dict[str, str], adoption: Adoption
) -> None:
    wishes_ = wanted(resource())
    bucket = next(wish for wish in wishes_ if wish.kind == "bucket")
    changes = plan(wishes_, {("bucket", bucket.name): Seen({}, tags)}, OWNER, adoption)
    settings = [change.setting for change in changes if change.name == bucket.name]
    assert EXISTENCE not in settings
    assert "tags" in settings


def test_a_bucket_whose_name_carries_our_uid_is_ours_when_its_tags_were_lost() -> None:
    wishes_ = wanted(resource())
    bucket = next(wish for wish in wishes_ if wish.kind == "bucket")
    changes = plan(wishes_, {("bucket", bucket.name): Seen({})}, OWNER, "Never")
    assert "tags" in [change.setting for change in changes if change.name == bucket.name]
    with pytest.raises(Conflict, match="exists and is not ours"):
        plan(wishes_, {("bucket", bucket.name): Seen({}, {"team": "x"})}, OWNER, "Never")


def test_tls_is_demanded_of_aws_and_not_of_an_emulator_on_plain_http() -> None:
    for spec, has_policy in (({}, True), ({"aws": {"endpoint": "http://127.0.0.1:1"}}, False)):
        buckets = [wish for wish in wanted(resource(**spec)) if wish.kind == "bucket"]
        assert [("policy" in wish.settings) for wish in buckets] == [has_policy] * 2


def test_bucket_names_carry_a_part_of_the_uid_unless_they_are_given() -> None:
    derived = Names.of(resource(), uid=UID, account="1")
    given_ = Names.of(resource(storage={"name": "acme"}), uid=UID, account="1")
    assert (derived.uploads, derived.media) == ("photos-0b1f4b5e-uploads", "photos-0b1f4b5e-media")
    assert (given_.uploads, given_.media) == ("acme-uploads", "acme-media")
