"""SQS's operations on standard queues, as its API Reference describes them."""

import itertools
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

from tests.support.memory.errors import Refused

Json = dict[str, Any]

URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/"
AT_ONCE = 10
BATCH_BYTES = 1024 * 1024
VISIBILITY_SECONDS = 30
LONGEST_DELAY_SECONDS = 900
KNOWN = {
    "CreateQueue": {"QueueName"},
    "SendMessage": {"QueueUrl", "MessageBody", "DelaySeconds", "MessageAttributes"},
    "SendMessageBatch": {"QueueUrl", "Entries"},
    "ReceiveMessage": {
        "QueueUrl",
        "MaxNumberOfMessages",
        "VisibilityTimeout",
        "AttributeNames",
        "MessageSystemAttributeNames",
        "MessageAttributeNames",
        "WaitTimeSeconds",
    },
    "DeleteMessage": {"QueueUrl", "ReceiptHandle"},
    "DeleteMessageBatch": {"QueueUrl", "Entries"},
    "ChangeMessageVisibility": {"QueueUrl", "ReceiptHandle", "VisibilityTimeout"},
    "GetQueueAttributes": {"QueueUrl", "AttributeNames"},
    "PurgeQueue": {"QueueUrl"},
}


@dataclass
class Message:
    """`shows_at` is the second from which it is given out."""

    body: str
    attributes: Json
    sent_at: float
    shows_at: float
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    receipt: str = ""
    received: int = 0
    first_received_at: float = 0.0

    @property
    def size(self) -> int:
        return len(self.body.encode())


class Sqs:
    """Queues with messages; `now` tells the seconds by which they are delayed and hidden."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._queues: dict[str, list[Message]] = {}
        self._receipts = itertools.count(1)
        self._now = now

    def is_empty(self, url: str) -> bool:
        return not self._queues[url]

    def answer(self, operation: str, asked: Json) -> Json:
        if operation not in KNOWN:
            raise NotImplementedError(operation)
        if not asked.keys() <= KNOWN[operation]:
            raise NotImplementedError(f"{operation} with {sorted(asked.keys() - KNOWN[operation])}")
        return _OPERATIONS[operation](self, asked)

    def create_queue(self, asked: Json) -> Json:
        url = URL + asked["QueueName"]
        self._queues.setdefault(url, [])
        return {"QueueUrl": url}

    def send_message(self, asked: Json) -> Json:
        return self._send(self._queue(asked), asked)

    def send_message_batch(self, asked: Json) -> Json:
        queue, entries = self._queue(asked), asked["Entries"]
        _check_batch(entries)
        if sum(len(each["MessageBody"].encode()) for each in entries) > BATCH_BYTES:
            raise Refused(
                "BatchRequestTooLong", "Batch requests cannot be longer than 1048576 bytes"
            )
        return {"Successful": [{"Id": each["Id"], **self._send(queue, each)} for each in entries]}

    def receive_message(self, asked: Json) -> Json:
        at_most = asked.get("MaxNumberOfMessages", 1)
        if not 1 <= at_most <= AT_ONCE:
            raise Refused("InvalidParameterValue", "MaxNumberOfMessages must be from 1 to 10")
        queue, now = self._queue(asked), self._now()
        found = list(itertools.islice((each for each in queue if each.shows_at <= now), at_most))
        hidden_for = asked.get("VisibilityTimeout", VISIBILITY_SECONDS)
        for message in found:
            message.shows_at = now + hidden_for
            message.received += 1
            message.first_received_at = message.first_received_at or now
            message.receipt = f"{message.id}#{next(self._receipts)}"
        return {"Messages": [_shown(each, asked) for each in found]} if found else {}

    def delete_message(self, asked: Json) -> Json:
        queue = self._queue(asked)
        message = _of_receipt(queue, asked["ReceiptHandle"])
        if message is not None:
            queue.remove(message)
        return {}

    def delete_message_batch(self, asked: Json) -> Json:
        _check_batch(asked["Entries"])
        for each in asked["Entries"]:
            self.delete_message({**asked, **each})
        return {"Successful": [{"Id": each["Id"]} for each in asked["Entries"]]}

    def change_message_visibility(self, asked: Json) -> Json:
        message = _of_receipt(self._queue(asked), asked["ReceiptHandle"])
        if message is None:
            raise Refused(
                "InvalidParameterValue", "The message does not exist, or is not in flight"
            )
        message.shows_at = self._now() + asked["VisibilityTimeout"]
        return {}

    def get_queue_attributes(self, asked: Json) -> Json:
        queue, now = self._queue(asked), self._now()
        counted = {
            "ApproximateNumberOfMessages": sum(each.shows_at <= now for each in queue),
            "ApproximateNumberOfMessagesNotVisible": sum(
                each.shows_at > now and each.received > 0 for each in queue
            ),
            "ApproximateNumberOfMessagesDelayed": sum(
                each.shows_at > now and not each.received for each in queue
            ),
        }
        names = asked.get("AttributeNames", ())
        wanted = counted if "All" in names else names
        return {"Attributes": {name: str(counted[name]) for name in wanted}}

    def purge_queue(self, asked: Json) -> Json:
        self._queue(asked).clear()
        return {}

    def _queue(self, asked: Json) -> list[Message]:
        try:
            return self._queues[asked["QueueUrl"]]
        except KeyError:
            raise Refused(
                "AWS.SimpleQueueService.NonExistentQueue",
                "The specified queue does not exist.",
            ) from None

    def _send(self, queue: list[Message], asked: Json) -> Json:
        delay = asked.get("DelaySeconds", 0)
        if not 0 <= delay <= LONGEST_DELAY_SECONDS:
            raise Refused("InvalidParameterValue", "DelaySeconds must be from 0 to 900")
        now = self._now()
        message = Message(
            asked["MessageBody"], asked.get("MessageAttributes", {}), now, now + delay
        )
        if not 1 <= message.size <= BATCH_BYTES:
            raise Refused("InvalidParameterValue", "A message has from 1 byte to 1 MiB")
        queue.append(message)
        return {"MessageId": message.id, "MD5OfMessageBody": _md5(message.body)}


_OPERATIONS: dict[str, Callable[[Sqs, Json], Json]] = {
    "CreateQueue": Sqs.create_queue,
    "SendMessage": Sqs.send_message,
    "SendMessageBatch": Sqs.send_message_batch,
    "ReceiveMessage": Sqs.receive_message,
    "DeleteMessage": Sqs.delete_message,
    "DeleteMessageBatch": Sqs.delete_message_batch,
    "ChangeMessageVisibility": Sqs.change_message_visibility,
    "GetQueueAttributes": Sqs.get_queue_attributes,
    "PurgeQueue": Sqs.purge_queue,
}


def _check_batch(entries: list[Json]) -> None:
    if not entries:
        raise Refused("EmptyBatchRequest", "There should be at least one entry in the request.")
    if len(entries) > AT_ONCE:
        raise Refused(
            "TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10."
        )
    if len({each["Id"] for each in entries}) < len(entries):
        raise Refused("BatchEntryIdsNotDistinct", "Two or more batch entries have the same Id.")


def _of_receipt(queue: list[Message], receipt: str) -> Message | None:
    return next((each for each in queue if each.receipt == receipt), None)


def _shown(message: Message, asked: Json) -> Json:
    shown: Json = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "MD5OfBody": _md5(message.body),
        "Body": message.body,
    }
    told = {
        "SentTimestamp": str(int(message.sent_at * 1000)),
        "ApproximateReceiveCount": str(message.received),
        "ApproximateFirstReceiveTimestamp": str(int(message.first_received_at * 1000)),
    }
    wanted = _wanted(asked, "AttributeNames", "MessageSystemAttributeNames")
    if chosen := {name: text for name, text in told.items() if {name, "All"} & wanted}:
        shown["Attributes"] = chosen
    own = _wanted(asked, "MessageAttributeNames")
    if given := {name: each for name, each in message.attributes.items() if {name, "All"} & own}:
        shown["MessageAttributes"] = given
    return shown


def _wanted(asked: Json, *parameters: str) -> set[str]:
    return {name for parameter in parameters for name in asked.get(parameter, ())}


def _md5(text: str) -> str:
    return md5(text.encode(), usedforsecurity=False).hexdigest()
