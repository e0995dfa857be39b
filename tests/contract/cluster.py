"""What every API server must do for the operator; the real one passes it in the cluster suite."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from mediaplatform_operator.cluster.objects import CONFIG_MAP, SECRET, Kind, Object, encoded
from mediaplatform_operator.cluster.port import Cluster


def config_map(namespace: str, **data: str) -> Object:
    labels = {"app.kubernetes.io/instance": "contract"}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": f"c{uuid4().hex[:8]}", "namespace": namespace, "labels": labels},
        "data": data,
    }


async def what_is_applied_is_there(cluster: Cluster, namespace: str) -> None:
    wish = config_map(namespace, one="1")
    name = wish["metadata"]["name"]
    assert await cluster.get(CONFIG_MAP, namespace, name) is None
    made = await cluster.apply(wish)
    assert made["metadata"]["uid"]
    there = await cluster.get(CONFIG_MAP, namespace, name)
    assert there is not None
    assert there["data"] == {"one": "1"}
    assert (there["apiVersion"], there["kind"]) == ("v1", "ConfigMap")


async def a_dry_run_answers_and_changes_nothing(cluster: Cluster, namespace: str) -> None:
    wish = config_map(namespace, one="1")
    name = wish["metadata"]["name"]
    assert (await cluster.apply(wish, dry_run=True))["data"] == {"one": "1"}
    assert await cluster.get(CONFIG_MAP, namespace, name) is None
    made = await cluster.apply(wish)
    would = await cluster.apply({**wish, "data": {"two": "2"}}, dry_run=True)
    assert would["data"] == {"two": "2"}
    assert await cluster.get(CONFIG_MAP, namespace, name) == made


async def a_check_answers_as_if_it_took_the_others_place(cluster: Cluster, namespace: str) -> None:
    wish = config_map(namespace, one="1")
    name = wish["metadata"]["name"]
    would = await cluster.check(wish)
    assert (would["data"], bool(would["metadata"]["uid"])) == ({"one": "1"}, True)
    assert await cluster.get(CONFIG_MAP, namespace, name) is None
    made = await cluster.apply(wish)
    would = await cluster.check({**wish, "data": {"two": "2"}})
    assert would["data"] == {"two": "2"}
    assert would["metadata"]["uid"] == made["metadata"]["uid"]
    assert await cluster.get(CONFIG_MAP, namespace, name) == made


async def it_knows_what_kinds_it_has(cluster: Cluster, namespace: str) -> None:
    assert await cluster.knows(CONFIG_MAP)
    assert not await cluster.knows(Kind("v1", "Nothing", "nothings"))
    assert not await cluster.knows(Kind("nobody.example.com/v1", "Nothing", "nothings"))


async def the_same_again_writes_nothing(cluster: Cluster, namespace: str) -> None:
    wish = config_map(namespace, one="1")
    made = await cluster.apply(wish)
    again = await cluster.apply(wish)
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def fields_no_longer_applied_go_and_those_of_others_stay(
    cluster: Cluster, namespace: str, *, write_as_another: Any
) -> None:
    wish = config_map(namespace, one="1", two="2")
    made = await cluster.apply(wish)
    await write_as_another({**made, "data": {**made["data"], "theirs": "3"}})
    after = await cluster.apply({**wish, "data": {"one": "1"}})
    assert after["data"] == {"one": "1", "theirs": "3"}


async def what_one_manager_applied_stays_when_another_applies(
    cluster: Cluster, namespace: str
) -> None:
    wish = config_map(namespace, one="1")
    await cluster.apply(wish)
    await cluster.apply({**wish, "data": {"two": "2"}}, manager="another")
    after = await cluster.apply(wish)
    assert after["data"] == {"one": "1", "two": "2"}


async def a_list_shows_what_its_labels_choose(cluster: Cluster, namespace: str) -> None:
    wish = config_map(namespace)
    label = uuid4().hex[:8]
    wish["metadata"]["labels"]["mark"] = label
    await cluster.apply(wish)
    await cluster.apply(config_map(namespace))
    found = await cluster.list(CONFIG_MAP, namespace, f"mark={label}")
    assert [item["metadata"]["name"] for item in found] == [wish["metadata"]["name"]]
    assert await cluster.list(CONFIG_MAP, namespace, f"mark={label},mark in (x,{label})") == found
    assert await cluster.list(CONFIG_MAP, namespace, f"mark={label},mark in (x,y)") == []
    assert found[0]["kind"] == "ConfigMap"
    assert found[0]["apiVersion"] == "v1"


async def a_kind_that_is_not_there_has_no_objects(cluster: Cluster, namespace: str) -> None:
    nothing = Kind("nobody.example.com/v1", "Nothing", "nothings")
    assert await cluster.list(nothing, namespace) == []
    assert await cluster.get(nothing, namespace, "nothing") is None


async def a_delete_takes_only_the_one_that_was_meant(cluster: Cluster, namespace: str) -> None:
    wish = config_map(namespace)
    name = wish["metadata"]["name"]
    made = await cluster.apply(wish)
    await cluster.delete(CONFIG_MAP, namespace, name, uid=str(uuid4()))
    assert await cluster.get(CONFIG_MAP, namespace, name) is not None
    await cluster.delete(CONFIG_MAP, namespace, name, uid=made["metadata"]["uid"])
    assert await cluster.get(CONFIG_MAP, namespace, name) is None
    await cluster.delete(CONFIG_MAP, namespace, name, uid=made["metadata"]["uid"])


async def secrets_come_back_as_they_were(cluster: Cluster, namespace: str) -> None:
    wish = config_map(namespace) | {"kind": "Secret", "data": encoded({"url": "x://ä:1"})}
    await cluster.apply(wish)
    there = await cluster.get(SECRET, namespace, wish["metadata"]["name"])
    assert there is not None
    assert there["data"] == encoded({"url": "x://ä:1"})


CONTRACT = (
    what_is_applied_is_there,
    a_dry_run_answers_and_changes_nothing,
    a_check_answers_as_if_it_took_the_others_place,
    it_knows_what_kinds_it_has,
    the_same_again_writes_nothing,
    what_one_manager_applied_stays_when_another_applies,
    a_list_shows_what_its_labels_choose,
    a_kind_that_is_not_there_has_no_objects,
    a_delete_takes_only_the_one_that_was_meant,
    secrets_come_back_as_they_were,
)
