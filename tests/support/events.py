"""Lambda events for tests: the samples of `events/`, and SQS batches made to order.

Chalice's own generator gives every message of a batch one id, so it cannot show a partial
failure; here each message has its own.
"""

import hashlib
import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).resolve().parents[2] / "events"
Event = dict[str, Any]


def sample(function: str) -> Event:
    """The sample event of a function, by the function's name."""
    event: Event = json.loads((EVENTS / f"{function}.json").read_text())
    return event


def sqs_event(*bodies: Mapping[str, Any] | str, receive_count: int = 1) -> Event:
    """What a queue worker is given for these messages, each received so often now."""
    return {"Records": [sqs_record(body, receive_count) for body in bodies]}


def sqs_record(body: Mapping[str, Any] | str, receive_count: int = 1) -> Event:
    text = body if isinstance(body, str) else json.dumps(body)
    return {
        **sample("dispatch_create")["Records"][0],
        "messageId": str(uuid.uuid4()),
        "receiptHandle": uuid.uuid4().hex,
        "body": text,
        "md5OfBody": hashlib.md5(text.encode()).hexdigest(),
        "attributes": {
            **sample("dispatch_create")["Records"][0]["attributes"],
            "ApproximateReceiveCount": str(receive_count),
        },
    }


def failed_bodies(event: Event, answer: Any) -> list[Any]:
    """The bodies, as JSON, of the messages that a worker's answer gives back to the queue."""
    failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
    return [json.loads(r["body"]) for r in event["Records"] if r["messageId"] in failed]
