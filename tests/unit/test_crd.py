"""The CRD alone, as an API server reads it, takes exactly what `parse` takes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml
from hypothesis import Phase, assume, event, given, settings
from hypothesis import strategies as st
from tests.support.api_server import ApiServer

from mediaplatform.errors import InvalidInput
from mediaplatform_operator.resource.load import parse
from mediaplatform_operator.resource.schema import spec_schema

Node = dict[str, Any]
# Without the phase that explains a failure: it takes longer than a test may.
QUICK = settings(deadline=None, phases=set(Phase) - {Phase.explain})
SERVER = ApiServer(
    yaml.safe_load((Path(__file__).parents[2] / "crds/mediaplatforms.yaml").read_text())
)


def good(node: Node) -> st.SearchStrategy[Any]:
    """Values that fit a node of the schema, by themselves: rules between fields may fail."""
    if node["type"] == "object":
        below = {name: good(item) for name, item in node["properties"].items()}
        needed = {name: below.pop(name) for name in node.get("required", ())}
        return st.fixed_dictionaries(needed, optional=below)
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if "pattern" in node:
        return st.from_regex(node["pattern"], fullmatch=True, alphabet=st.characters(codec="ascii"))
    if node["type"] == "integer":
        ends = (node["minimum"], node["maximum"])
        return st.sampled_from(ends) | st.integers(*ends)
    return st.booleans() if node["type"] == "boolean" else st.text(min_size=1)


def bad(value: Any) -> st.SearchStrategy[Any]:
    """Values beside a good one, most of which do not fit where it does."""
    anything: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.floats(
        allow_nan=False, allow_infinity=False
    ) | st.text() | st.lists(st.integers(), max_size=1) | st.just({})  # fmt: skip
    if isinstance(value, str):
        return anything | st.sampled_from([f"{value}\n", f" {value}", f"{value}\u00a0", value * 64])
    if isinstance(value, int):
        return anything | st.sampled_from(
            [str(value), float(value), value + 0.5, value - 1, value + 1]
        )
    return anything


def paths(value: Any, at: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Of all that is below a spec."""
    if not isinstance(value, dict):
        return [at]
    below = [path for name, item in value.items() for path in paths(item, (*at, name))]
    return [*([at] if at else []), *below]


@st.composite
def specs(draw: st.DrawFn) -> Node:
    """Good ones with up to two faults."""
    spec: Node = draw(good(spec_schema()))
    for _ in range(draw(st.integers(0, 2))):
        spoil(draw, spec)
    return spec


def spoil(draw: st.DrawFn, spec: Node) -> None:
    """Change one value, or put an unknown field beside it."""
    *above, name = draw(st.sampled_from(paths(spec) or [("host",)]))
    place = spec
    for part in above:
        place = place[part]
    if draw(st.booleans()):
        place[name] = draw(bad(place.get(name)))
    else:
        place[draw(st.sampled_from([name.upper(), f"{name}_", "more"]))] = draw(bad(None))


def resource(spec: Any, name: str = "photos") -> Node:
    return {
        "apiVersion": "mediaplatform.io/v1alpha1",
        "kind": "MediaPlatform",
        "metadata": {"name": name},
        "spec": spec,
    }


def faults(content: Node) -> str:
    try:
        parse(content)
    except InvalidInput as fault:
        return fault.message
    return ""


@settings(QUICK, max_examples=200)
@given(specs())
def test_a_new_resource_is_taken_by_both_or_by_none(spec: Node) -> None:
    ours, theirs = faults(resource(spec)), SERVER.faults(resource(spec))
    event("refused" if ours else "taken")
    assert bool(ours) == bool(theirs), (ours, theirs)


@given(st.from_regex(r"[a-z0-9A-Z_.-]{1,64}", fullmatch=True))
def test_a_name_is_taken_by_both_or_by_none(name: str) -> None:
    content = resource({"host": "a"}, name)
    assert bool(faults(content)) == bool(SERVER.faults(content))


@st.composite
def updates(draw: st.DrawFn) -> tuple[Node, Node]:
    """A resource, and another whose buckets may be the same."""
    parts = spec_schema()["properties"]
    old = {"host": "a", "storage": draw(good(parts["storage"])), "aws": draw(good(parts["aws"]))}
    new = draw(specs())
    for part in draw(st.sampled_from([(), ("aws",), ("storage", "aws")])):
        new[part] = copy.deepcopy(old[part])
    return old, new


@settings(QUICK, max_examples=200)
@given(updates())
def test_an_update_is_taken_where_it_is_good_by_itself_and_no_bucket_would_move(
    both: tuple[Node, Node],
) -> None:
    old, new = map(resource, both)
    assume(not faults(old))
    ours = faults(new)
    if not ours:
        before, after = parse(old).spec, parse(new).spec
        same = before.storage.name == after.storage.name and before.aws.region == after.aws.region
        ours = "" if same else "buckets would move"
    event("refused" if ours else "taken")
    theirs = SERVER.faults(new, old)
    assert bool(ours) == bool(theirs), (ours, theirs)
