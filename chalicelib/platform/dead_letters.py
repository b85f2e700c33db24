"""Messages that workers gave up: put aside with the cause, looked at where they lie, moved back.

A worker that fails a message for the last time puts it aside itself, since nobody else knows why.
SQS does so for a worker that was stopped before it could, and can name no cause.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from chalicelib.kernel import clock
from chalicelib.kernel.errors import TuanError
from chalicelib.platform import queues
from chalicelib.platform.log import failure, logger, metric
from chalicelib.platform.settings import required

SCHEDULES = "SCHEDULES_QUEUE"
CAUSE = "Cause"
RECEIVED_AT_ONCE = 10
# Hidden for so long, messages that are looked at or moved are met once; then they show again.
LOOKED_AT_SECONDS = 10
MOVING_SECONDS = 60
# An answer that is not waited for may be empty though messages lie there.
ANSWERED_WITHIN_SECONDS = 1
# A request has 29 s; what is left then waits for the next one.
MOVE_FOR_SECONDS = 20


@dataclass(frozen=True)
class Cause:
    """Why a worker gave a message up: kinds and places, never the values the failure carried.

    `message_id` is the one that the worker's log has, `failed_at` an RFC 3339 text, and `detail`
    the sentence of an error that has one for people.
    """

    worker: str
    message_id: str
    failed_at: str
    failure: str
    behind: str | None
    detail: str | None
    trace: list[str]


@dataclass(frozen=True)
class DeadLetter:
    """A message in a dead-letter queue; `cause` is None where no worker could say it."""

    id: str
    body: str
    parked_at: datetime
    cause: Cause | None
    receipt: str


def is_last(times: int) -> bool:
    """Whether a queue gives a message out for the last time, by how often it has by now."""
    return times >= queues.MAX_RECEIVES


def park(worker: str, message_id: str, body: str, error: Exception) -> None:
    """Put aside, as it came, the message whose failure `worker` is handling now."""
    known = failure()
    cause = Cause(
        worker=worker,
        message_id=message_id,
        failed_at=clock.to_text(clock.now()),
        failure=known["failure"],
        behind=known["cause"],
        detail=error.detail if isinstance(error, TuanError) else None,
        trace=known["trace"],
    )
    said = {"DataType": "String", "StringValue": json.dumps(asdict(cause))}
    queues.client().send_message(
        QueueUrl=_url(f"{worker.upper()}_QUEUE"),
        MessageBody=body,
        MessageAttributes={CAUSE: said},
    )
    logger.warning("message put aside")
    metric("MessagesPutAside", worker=worker)


def count(queue: str) -> int:
    """About how many messages lie aside of a queue, those that are looked at just now included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = queues.client().get_queue_attributes(QueueUrl=_url(queue), AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)


def look(queue: str, at_most: int) -> list[DeadLetter]:
    """Some of the messages that lie aside of a queue, the newest first. All stay where they are."""
    found: list[DeadLetter] = []
    try:
        while received := _receive(queue, at_most - len(found), LOOKED_AT_SECONDS):
            found += received
    finally:
        for each in found:
            queues.client().change_message_visibility(
                QueueUrl=_url(queue), ReceiptHandle=each.receipt, VisibilityTimeout=0
            )
    return sorted(found, key=lambda each: each.parked_at, reverse=True)


def move_back(queue: str) -> int:
    """Give a queue's worker again what it gave up, as many as there is time for; returns how many.

    Each is sent, then taken away: who is stopped in between sends one twice, which every worker
    takes without harm.
    """
    client, moved = queues.client(), 0
    for each in _one_by_one(queue, count(queue)):
        client.send_message(QueueUrl=required(queue), MessageBody=each.body)
        client.delete_message(QueueUrl=_url(queue), ReceiptHandle=each.receipt)
        moved += 1
    return moved


def _one_by_one(queue: str, at_most: int) -> Iterator[DeadLetter]:
    """No more than lay there at first, or a message that fails at once would be moved for ever."""
    end = time.monotonic() + MOVE_FOR_SECONDS
    while time.monotonic() < end and (received := _receive(queue, at_most, MOVING_SECONDS)):
        yield from received
        at_most -= len(received)


def _receive(queue: str, at_most: int, hidden_for: int) -> list[DeadLetter]:
    if at_most <= 0:
        return []
    answer = queues.client().receive_message(
        QueueUrl=_url(queue),
        MaxNumberOfMessages=min(at_most, RECEIVED_AT_ONCE),
        VisibilityTimeout=hidden_for,
        WaitTimeSeconds=ANSWERED_WITHIN_SECONDS,
        AttributeNames=["SentTimestamp"],
        MessageAttributeNames=[CAUSE],
    )
    return [_dead_letter(message) for message in answer.get("Messages", ())]


def _dead_letter(message: dict[str, Any]) -> DeadLetter:
    said = message.get("MessageAttributes", {}).get(CAUSE)
    sent_at = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    return DeadLetter(
        id=message["MessageId"],
        body=message["Body"],
        parked_at=clock.floor_to_millisecond(sent_at),
        cause=Cause(**json.loads(said["StringValue"])) if said else None,
        receipt=message["ReceiptHandle"],
    )


def _url(queue: str) -> str:
    return required(queue.removesuffix("QUEUE") + "DEAD_LETTER_QUEUE")
