"""Dead letters moved back, on SQS that enforces policies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any
from uuid import uuid4

import pytest
from tests.support.wiring import clients_of

from mediaplatform.errors import NotAllowed, NotFound, Unavailable
from mediaplatform_local.redrive import Letter, Redrive, letter, policy, summary
from mediaplatform_local.servers.emulator import Emulator
from mediaplatform_operator.wiring.clients import Clients
from mediaplatform_operator.wiring.names import Names
from mediaplatform_operator.wiring.queues import depth


@pytest.fixture
def names(root: Clients) -> Names:
    """Of queues that are there, and nobody else's."""
    mark = f"r{uuid4().hex[:10]}"
    names = Names(f"{mark}-uploads", f"{mark}-media", mark, "us-east-1", root.account())
    for full in (names.queue("ingest"), names.dead("ingest")):
        root.sqs.create_queue(QueueName=full)
    return names


@pytest.fixture
def way(emulator: Emulator, root: Clients, names: Names) -> Redrive:
    """By a user who has the printed policy and nothing else."""
    user = f"{names.prefix}-engineer"
    root.iam.create_user(UserName=user)
    root.iam.put_user_policy(
        UserName=user, PolicyName="redrive", PolicyDocument=json.dumps(policy(names))
    )
    key = root.iam.create_access_key(UserName=user)["AccessKey"]
    engineer = clients_of(emulator, key["AccessKeyId"], key["SecretAccessKey"])
    return Redrive(engineer, names.dead("ingest"), names.queue("ingest"))


def job() -> str:
    return json.dumps({"job": "ingest", "mediaId": str(uuid4())})


def put(root: Clients, name: str, bodies: list[str]) -> None:
    url = root.sqs.get_queue_url(QueueName=name)["QueueUrl"]
    trace = {"traceparent": {"DataType": "String", "StringValue": "00-abc"}}
    for body in bodies:
        root.sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=trace)


def take(root: Clients, name: str) -> Iterator[dict[str, Any]]:
    """Every message there is, deleted."""
    url = root.sqs.get_queue_url(QueueName=name)["QueueUrl"]
    while messages := root.sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        for message in messages:
            root.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            yield message


def visible(root: Clients, name: str) -> int:
    found = depth(root, name)
    assert found is not None
    assert found.in_flight == 0
    return found.visible


def test_every_dead_letter_comes_back_as_it_was(way: Redrive, root: Clients) -> None:
    bodies = [job() for _ in range(23)]
    put(root, way.dead, bodies)
    assert way.waiting() == 23
    moved = list(way.move(100))
    assert {item.about for item in moved} == {"job ingest"}
    assert {item.what for item in moved} == {json.loads(body)["mediaId"] for body in bodies}
    assert visible(root, way.dead) == 0
    there = list(take(root, way.queue))
    assert sorted(message["Body"] for message in there) == sorted(bodies)
    attributes = [message["MessageAttributes"]["traceparent"] for message in there]
    assert {item["StringValue"] for item in attributes} == {"00-abc"}


def test_no_more_are_moved_than_asked(way: Redrive, root: Clients) -> None:
    put(root, way.dead, [job() for _ in range(15)])
    assert len(list(way.move(12))) == 12
    assert (visible(root, way.dead), visible(root, way.queue)) == (3, 12)


def test_a_look_moves_nothing_and_hands_all_back(way: Redrive, root: Clients) -> None:
    put(root, way.dead, [job() for _ in range(12)])
    assert len(way.look(100)) == 12
    assert (visible(root, way.dead), visible(root, way.queue)) == (12, 0)


def test_cut_off_in_the_middle_nothing_is_lost(way: Redrive, root: Clients) -> None:
    bodies = [job() for _ in range(25)]
    put(root, way.dead, bodies)
    assert len(list(islice(way.move(100), 11))) == 11  # two batches were moved by then
    assert (visible(root, way.dead), visible(root, way.queue)) == (5, 20)


def test_what_the_queue_does_not_take_stays_among_the_dead(way: Redrive, root: Clients) -> None:
    """A queue for small messages takes the small one of two."""
    put(root, way.dead, ["small", "x" * 2000])
    url = root.sqs.get_queue_url(QueueName=way.queue)["QueueUrl"]
    root.sqs.set_queue_attributes(QueueUrl=url, Attributes={"MaximumMessageSize": "1024"})
    with pytest.raises(Unavailable, match=way.queue):
        list(way.move(100))
    held = depth(root, way.dead)
    assert held is not None
    assert held.visible + held.in_flight == 1
    assert [message["Body"] for message in take(root, way.queue)] == ["small"]


def test_a_queue_that_is_not_there_is_named(way: Redrive, root: Clients) -> None:
    root.sqs.delete_queue(QueueUrl=root.sqs.get_queue_url(QueueName=way.dead)["QueueUrl"])
    with pytest.raises(NotFound, match=f"there is no queue {way.dead}"):
        way.waiting()


def test_who_may_not_is_told_what_to_allow(way: Redrive, emulator: Emulator, root: Clients) -> None:
    user = f"{way.queue}-nobody"
    root.iam.create_user(UserName=user)
    key = root.iam.create_access_key(UserName=user)["AccessKey"]
    nobody = clients_of(emulator, key["AccessKeyId"], key["SecretAccessKey"])
    with pytest.raises(NotAllowed, match="mediaplatform policies"):
        list(replace(way, clients=nobody).move(1))


def test_a_summary_says_what_they_were() -> None:
    record = {"eventVersion": "2.1", "eventName": "ObjectCreated:Put",
              "s3": {"object": {"key": "incoming/a%20b", "sequencer": "1"}}}  # fmt: skip
    renders = [json.dumps({"job": "render", "mediaId": n}) for n in range(7)]
    bodies = [
        json.dumps({"Records": [record]}),
        '{"Event": "s3:TestEvent"}',
        "\x1b[31mred",
        *renders,
    ]
    assert summary(letter({"Body": body}) for body in bodies) == [
        "      1  object created  incoming/a b",
        "      1  test of S3",
        "      1  not understood  ?[31mred",
        "      7  job render  0, 1, 2, 3, 4 and 2 more",
    ]
    assert summary([]) == []
    assert letter({"Body": job()}).about == Letter("job ingest", "").about
