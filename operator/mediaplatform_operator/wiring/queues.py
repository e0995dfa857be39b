"""Queues: reading the settings that a wish names, and writing one of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from mediaplatform_operator.wiring.clients import Clients, refusals
from mediaplatform_operator.wiring.model import ADOPT_TAG, EXISTENCE, OFFER, Change, Seen, Wish

MISSING = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})


@dataclass(frozen=True)
class Depth:
    """Messages of one queue; SQS counts them approximately."""

    visible: int
    in_flight: int
    delayed: int


def url_of(clients: Clients, name: str) -> str | None:
    """None where there is no such queue."""
    with refusals(f"queue {name}"):
        try:
            return str(clients.sqs.get_queue_url(QueueName=name)["QueueUrl"])
        except ClientError as fault:
            if fault.response["Error"]["Code"] in MISSING:
                return None
            raise


def depth(clients: Clients, name: str) -> Depth | None:
    """None where there is no such queue."""
    url = url_of(clients, name)
    if url is None:
        return None
    states = ("", "NotVisible", "Delayed")
    asked = [f"ApproximateNumberOfMessages{state}" for state in states]
    with refusals(f"queue {name}"):
        answer = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=asked)["Attributes"]
    return Depth(*(int(answer.get(attribute, 0)) for attribute in asked))


def tags_of(clients: Clients, name: str, url: str) -> dict[str, str]:
    with refusals(f"queue {name}"):
        tags: dict[str, str] = clients.sqs.list_queue_tags(QueueUrl=url).get("Tags", {})
    return tags


def observe(clients: Clients, wish: Wish) -> Seen | None:
    url = url_of(clients, wish.name)
    if url is None:
        return None
    with refusals(f"queue {wish.name}"):
        answer = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    tags = tags_of(clients, wish.name, url)
    attributes = answer["Attributes"]
    redrive = json.loads(attributes.get("RedrivePolicy") or "{}")
    settings = {
        "attributes": _of(attributes, wish.settings["attributes"]),
        "redrive": redrive | {"maxReceiveCount": int(redrive["maxReceiveCount"])}
        if redrive
        else {},
        "policy": _owned_statements(attributes, wish),
        "tags": _of(tags, wish.settings["tags"]),
    }
    return Seen(settings, tags)


def write(clients: Clients, change: Change) -> None:
    with refusals(change.resource):
        if change.setting == EXISTENCE:
            clients.sqs.create_queue(QueueName=change.name, tags=change.after)
            return
        url = clients.sqs.get_queue_url(QueueName=change.name)["QueueUrl"]
        if change.setting == "tags":
            clients.sqs.tag_queue(QueueUrl=url, Tags=change.after)
            return
        if change.setting == OFFER:
            clients.sqs.untag_queue(QueueUrl=url, TagKeys=[ADOPT_TAG])
            return
        attributes = _attributes(clients, url, change)
        clients.sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)


def _attributes(clients: Clients, url: str, change: Change) -> Mapping[str, str]:
    match change.setting:
        case "redrive":
            return {"RedrivePolicy": json.dumps(change.after)}
        case "policy":
            return {"Policy": _merged(clients, url, change.after)}
        case _:
            attributes: Mapping[str, str] = change.after
            return attributes


def _merged(clients: Clients, url: str, ours: Mapping[str, Any]) -> str:
    """The policy with our statements in it and everybody else's kept."""
    answer = clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    policy = json.loads(answer.get("Attributes", {}).get("Policy") or "{}")
    kept = [item for item in policy.get("Statement", []) if item.get("Sid") not in ours]
    added = [{"Sid": sid, **statement} for sid, statement in ours.items()]
    return json.dumps({"Version": "2012-10-17", "Statement": kept + added})


def _owned_statements(attributes: Mapping[str, str], wish: Wish) -> dict[str, Any]:
    policy = json.loads(attributes.get("Policy") or "{}")
    return {
        item["Sid"]: {key: value for key, value in item.items() if key != "Sid"}
        for item in policy.get("Statement", [])
        if item.get("Sid") in wish.settings.get("policy", {})
    }


def _of(there: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, str]:
    """What is there under the wanted names."""
    return {name: there[name] for name in wanted if name in there}
