"""The queue in memory and the queue in SQS keep the same promises."""

from __future__ import annotations

import pytest

from mediaplatform.errors import MessageGone
from mediaplatform.platform.ports.queue import Queue, QueueDepth

pytestmark = pytest.mark.anyio
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_a_message_arrives_with_its_trace(queue: Queue) -> None:
    sent = await queue.send("hello", traceparent=TRACE)
    [message] = await queue.receive(wait=5)
    assert (message.id, message.body, message.receives) == (sent, "hello", 1)
    assert message.traceparent == TRACE


async def test_an_empty_queue_answers_nothing_when_the_wait_is_over(queue: Queue) -> None:
    assert list(await queue.receive(wait=1)) == []


async def test_a_message_handed_out_is_hidden_and_counted_in_flight(queue: Queue) -> None:
    await queue.send("one")
    assert await queue.depth() == QueueDepth(visible=1, in_flight=0, delayed=0)
    await queue.receive(wait=5)
    assert list(await queue.receive(wait=0)) == []
    depth = await queue.depth()
    assert depth == QueueDepth(visible=0, in_flight=1, delayed=0)
    assert depth.total == 1


async def test_a_message_handed_back_comes_again_and_counts_its_receives(queue: Queue) -> None:
    await queue.send("again")
    [first] = await queue.receive(wait=5)
    await queue.hide(first, 0)
    [second] = await queue.receive(wait=5)
    assert (second.id, second.receives) == (first.id, 2)


async def test_a_message_can_be_hidden_for_less_than_the_queues_own_time(queue: Queue) -> None:
    await queue.send("soon")
    [first] = await queue.receive(wait=5, hide=1)
    [second] = await queue.receive(wait=5)
    assert (second.id, second.receives) == (first.id, 2)


async def test_a_deleted_message_is_gone_and_may_be_deleted_again(queue: Queue) -> None:
    await queue.send("done")
    [message] = await queue.receive(wait=5)
    await queue.delete(message)
    await queue.delete(message)
    assert (await queue.depth()).total == 0


async def test_a_message_that_is_gone_cannot_be_kept_hidden(queue: Queue) -> None:
    await queue.send("done")
    [message] = await queue.receive(wait=5)
    await queue.delete(message)
    with pytest.raises(MessageGone):
        await queue.hide(message, 30)


async def test_a_delayed_message_is_not_visible_yet(queue: Queue) -> None:
    await queue.send("later", delay=600)
    assert await queue.depth() == QueueDepth(visible=0, in_flight=0, delayed=1)


async def test_a_limit_is_kept(queue: Queue) -> None:
    for number in range(3):
        await queue.send(str(number))
    assert len(await queue.receive(limit=2, wait=5)) <= 2
