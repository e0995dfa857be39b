"""A queue in SQS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from mediaplatform.errors import MessageGone
from mediaplatform.platform.adapters.aws import Aws
from mediaplatform.platform.ports.queue import Message, QueueDepth

DEPTH_ATTRIBUTES = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class SqsQueue:
    def __init__(self, aws: Aws, url: str) -> None:
        self._aws = aws
        self._url = url

    async def send(self, body: str, *, traceparent: str | None = None, delay: int = 0) -> str:
        attributes = (
            {"traceparent": {"DataType": "String", "StringValue": traceparent}}
            if traceparent
            else {}
        )
        answer = await self._aws.call(
            self._aws.sqs.send_message,
            QueueUrl=self._url,
            MessageBody=body,
            DelaySeconds=delay,
            MessageAttributes=attributes,
        )
        return str(answer["MessageId"])

    async def receive(
        self, *, limit: int = 1, wait: int = 20, hide: int | None = None
    ) -> Sequence[Message]:
        answer = await self._aws.call(
            self._aws.sqs.receive_message,
            QueueUrl=self._url,
            MaxNumberOfMessages=limit,
            WaitTimeSeconds=wait,
            MessageSystemAttributeNames=["ApproximateReceiveCount"],
            MessageAttributeNames=["traceparent"],
            **({} if hide is None else {"VisibilityTimeout": hide}),
        )
        return [_message(item) for item in answer.get("Messages", ())]

    async def delete(self, message: Message) -> None:
        with suppress(MessageGone):
            await self._aws.call(
                self._aws.sqs.delete_message, QueueUrl=self._url, ReceiptHandle=message.receipt
            )

    async def hide(self, message: Message, seconds: int) -> None:
        await self._aws.call(
            self._aws.sqs.change_message_visibility,
            QueueUrl=self._url,
            ReceiptHandle=message.receipt,
            VisibilityTimeout=seconds,
        )

    async def depth(self) -> QueueDepth:
        answer = await self._aws.call(
            self._aws.sqs.get_queue_attributes,
            QueueUrl=self._url,
            AttributeNames=list(DEPTH_ATTRIBUTES),
        )
        visible, in_flight, delayed = (
            int(answer["Attributes"].get(name, 0)) for name in DEPTH_ATTRIBUTES
        )
        return QueueDepth(visible, in_flight, delayed)


def _message(item: Mapping[str, Any]) -> Message:
    trace = item.get("MessageAttributes", {}).get("traceparent", {})
    return Message(
        id=item["MessageId"],
        body=item["Body"],
        receipt=item["ReceiptHandle"],
        receives=int(item.get("Attributes", {}).get("ApproximateReceiveCount", 1)),
        traceparent=trace.get("StringValue"),
    )
