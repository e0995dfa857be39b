"""`mediaplatform redrive`: dead letters, back to the queue that they came from.

Each is sent before it is deleted, so that none is lost; cut off in between, one may arrive twice,
which every consumer takes. SQS's own StartMessageMoveTask tells neither what it moves nor takes a
limit, so it is not used: what fails again would come back unseen.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from mediaplatform.errors import InvalidInput, NotFound
from mediaplatform.media.events import IngestJob, parse
from mediaplatform_operator.wiring.clients import Clients, refusals
from mediaplatform_operator.wiring.names import QUEUES, Names

BATCH = 10  # the most that SQS hands out at once
HIDE_S = 120
SHOWN = 5
REMEDY = "allow it as `mediaplatform policies` prints it for redrive"
Message = dict[str, Any]


@dataclass(frozen=True)
class Letter:
    """What a message is about: 'object created' and its key, or 'job ingest' and its item."""

    about: str
    what: str


@dataclass(frozen=True)
class Redrive:
    """From a dead-letter queue to its queue, by full names. It blocks."""

    clients: Clients
    dead: str
    queue: str

    def waiting(self) -> int:
        """Messages that can be moved now; SQS counts them approximately. Raises NotFound."""
        asked, url = "ApproximateNumberOfMessages", self._url(self.dead)
        with refusals(f"queue {self.dead}", REMEDY):
            answer = self.clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[asked])
        return int(answer["Attributes"][asked])

    def move(self, most: int) -> Iterator[Letter]:
        """Each message that was moved, at most so many.

        Raises NotFound, NotAllowed, Throttled or Unavailable; what was not moved is among the dead
        again within HIDE_S seconds.
        """
        source, target = self._url(self.dead), self._url(self.queue)
        with ThreadPoolExecutor(BATCH) as threads:
            while most > 0 and (messages := self._receive(source, min(most, BATCH))):
                moves = [threads.submit(self._move, source, target, item) for item in messages]
                wait(moves)
                faults = [fault for move in moves if (fault := move.exception())]
                yield from (move.result() for move in moves if not move.exception())
                if faults:
                    raise faults[0]
                most -= len(messages)

    def look(self, most: int) -> list[Letter]:
        """What `move` would move; all of it is handed back."""
        source, held = self._url(self.dead), list[Message]()
        try:
            while len(held) < most and (
                messages := self._receive(source, min(most - len(held), BATCH))
            ):
                held += messages
            return [letter(message) for message in held]
        finally:
            with ThreadPoolExecutor(BATCH) as threads:
                list(threads.map(lambda message: self._hand_back(source, message), held))

    def _url(self, name: str) -> str:
        with refusals(f"queue {name}", REMEDY):
            try:
                return str(self.clients.sqs.get_queue_url(QueueName=name)["QueueUrl"])
            except self.clients.sqs.exceptions.QueueDoesNotExist:
                raise NotFound(f"there is no queue {name}") from None

    def _receive(self, url: str, most: int) -> list[Message]:
        with refusals(f"queue {self.dead}", REMEDY):
            answer = self.clients.sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=most, VisibilityTimeout=HIDE_S,
                WaitTimeSeconds=1,  # without a wait SQS asks only some of its servers
                MessageAttributeNames=["All"],
            )  # fmt: skip
        found: list[Message] = answer.get("Messages", [])
        return found

    def _move(self, source: str, target: str, message: Message) -> Letter:
        with refusals(f"queue {self.queue}", REMEDY):
            self.clients.sqs.send_message(
                QueueUrl=target,
                MessageBody=message["Body"],
                MessageAttributes=message.get("MessageAttributes", {}),
            )
        with refusals(f"queue {self.dead}", REMEDY):
            self.clients.sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
        return letter(message)

    def _hand_back(self, url: str, message: Message) -> None:
        with refusals(f"queue {self.dead}", REMEDY):
            self.clients.sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )


def carry_out(way: Redrive, most: int | None, *, dry_run: bool) -> None:
    """Move or look, and print what it was; also of what was moved before a fault."""
    # No more than there are now: what fails again meanwhile would go round forever.
    limit = most or max(way.waiting(), BATCH)
    done: list[Letter] = []
    try:
        done.extend(way.look(limit) if dry_run else way.move(limit))
    finally:
        what = "would move" if dry_run else "moved"
        print(f"{what} {len(done)} messages from {way.dead} to {way.queue}")
        for line in summary(done):
            print(line)


def policy(names: Names) -> dict[str, Any]:
    """What an engineer needs of AWS for `redrive` and `status`, and nothing else."""
    dead = ("GetQueueUrl", "GetQueueAttributes", "ReceiveMessage", "DeleteMessage",
            "ChangeMessageVisibility")  # fmt: skip
    work = ("GetQueueUrl", "GetQueueAttributes", "SendMessage")
    statements = [
        {"Effect": "Allow", "Action": [f"sqs:{action}" for action in actions],
         "Resource": [names.queue_arn(full(name)) for name in QUEUES]}
        for actions, full in ((dead, names.dead), (work, names.queue))
    ]  # fmt: skip
    return {"Version": "2012-10-17", "Statement": statements}


def letter(message: Message) -> Letter:
    body = str(message["Body"])
    try:
        content = json.loads(body)
        if isinstance(content, dict) and "job" in content:
            return Letter(_plain(f"job {content['job']}"), _plain(content.get("mediaId", "")))
        found = parse(body)
    except (ValueError, InvalidInput):
        return Letter("not understood", _plain(body))
    if not found:
        return Letter("test of S3", "")
    first = found[0]
    if isinstance(first, IngestJob):
        return Letter("job ingest", str(first.media_id))
    return Letter(f"object {first.happened.value}", _plain(first.key))


def summary(letters: Iterable[Letter]) -> list[str]:
    """A line for each kind of message: how many, and the first few of them."""
    kinds: dict[str, list[str]] = {}
    for item in letters:
        kinds.setdefault(item.about, []).append(item.what)
    lines = []
    for about, every in kinds.items():
        more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
        lines.append(f"{len(every):>7}  {about}  {', '.join(every[:SHOWN])}{more}".rstrip())
    return lines


def _plain(text: Any) -> str:
    """One line of it, without what would steer a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in str(text)[:100])
