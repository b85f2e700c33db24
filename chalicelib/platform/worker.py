"""How queue workers and schedules run: logs, metrics, and only the failed messages come again."""

import functools
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from chalicelib.platform.log import about, flush_metrics, logger
from chalicelib.platform.tracing import for_other_threads, traced

Message = dict[str, Any]
# So many steps of one lane are taken at once: the others' threads are never held by it.
LANE_WIDTH = 8


@dataclass(frozen=True)
class Step:
    """What a message asks for, and the lane whose few threads it has to share."""

    lane: str
    take: Callable[[], None]


def each_message(handle: Callable[[Message], None]) -> Callable[[Any], Any]:
    """A worker that gives each message of an SQS event to `handle` and reports those that failed.

    A failure is logged and its message goes back to the queue, and after the queue's last try to
    its dead-letter queue, where an alarm stands; the other messages of the batch are done.
    """

    @functools.wraps(handle)
    def worker(event: Any) -> Any:
        try:
            return _processed(event, one)
        finally:
            flush_metrics()

    @traced(handle.__name__)
    def one(record: Any) -> None:
        with _logged(handle.__name__, record.message_id):
            handle(_read(record.body))
            logger.info("message done")

    return worker


def side_by_side(plan: Callable[[Sequence[Message]], Sequence[Step]]) -> Callable[[Any], Any]:
    """A worker that takes the messages of an SQS event at once, each as `each_message` would.

    `plan` answers the step that each message asks for, in their order, from one look at them all.
    """

    @functools.wraps(plan)
    def worker(event: Any) -> Any:
        try:
            bodies = {each["messageId"]: each["body"] for each in event.to_dict()["Records"]}
            failed = bodies.keys() - taken(bodies)
            return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
        finally:
            flush_metrics()

    @traced(plan.__name__)
    def taken(bodies: Mapping[str, str]) -> set[str]:
        messages = _readable(plan.__name__, bodies)
        with _logged(plan.__name__):
            steps = plan(list(messages.values()))
        return set(_succeeded(plan.__name__, dict(zip(messages, steps, strict=True)), messages))

    return worker


def scheduled(handle: Callable[[Any], None]) -> Callable[[Any], None]:
    """A schedule's function: what it raises is logged and counts as the function's error."""

    @functools.wraps(handle)
    @traced(handle.__name__)
    def run(event: Any) -> None:
        logger.clear()
        logger.bind(worker=handle.__name__)
        try:
            handle(event)
        except Exception:
            logger.exception("schedule failed")
            raise
        finally:
            flush_metrics()

    return run


def _processed(event: Any, one: Callable[[Any], None]) -> Any:
    # Dear to import: the API, which takes no messages, and the schedules do without it.
    from aws_lambda_powertools.utilities.batch import (
        BatchProcessor,
        EventType,
        process_partial_response,
    )

    return process_partial_response(
        event=event.to_dict(),
        record_handler=one,
        processor=BatchProcessor(event_type=EventType.SQS, raise_on_entire_batch_failure=False),
        context=event.context,
    )


@contextmanager
def _logged(worker: str, message_id: str | None = None) -> Iterator[None]:
    """All that is logged in it bears these names; a failure is logged, and passes."""
    logger.clear()
    logger.bind(worker=worker, message_id=message_id)
    try:
        yield
    except Exception:
        logger.exception("message failed")
        raise


def _read(body: str) -> Message:
    message: Message = json.loads(body)
    logger.bind(**about(message.get("subject")))
    return message


def _about_something(message: Message) -> Message:
    """What is read together with others must not be what makes their reading fail."""
    if not about(message["subject"]):
        raise ValueError("the subject is no id")
    return message


def _readable(worker: str, bodies: Mapping[str, str]) -> dict[str, Message]:
    messages = {}
    for message_id, body in bodies.items():
        with suppress(Exception), _logged(worker, message_id):
            messages[message_id] = _about_something(_read(body))
    return messages


def _succeeded(
    worker: str, steps: Mapping[str, Step], messages: Mapping[str, Message]
) -> Iterator[str]:
    """Take the steps in their lanes; the messages whose steps did not fail."""

    def take(message_ids: Sequence[str]) -> list[str]:
        done: list[str] = []
        for message_id in message_ids:
            with suppress(Exception), _logged(worker, message_id):
                logger.bind(**about(messages[message_id].get("subject")))
                steps[message_id].take()
                logger.info("message done")
                done.append(message_id)
        return done

    rows = _rows({message_id: step.lane for message_id, step in steps.items()})
    if not rows:
        return
    with ThreadPoolExecutor(len(rows)) as pool:
        taking = for_other_threads(take)
        for row in [pool.submit(copy_context().run, taking, each) for each in rows]:
            yield from row.result()


def _rows(lanes: Mapping[str, str]) -> list[list[str]]:
    """The messages for each thread: those of one lane are dealt to as many as it is wide."""
    of_lane: dict[str, list[str]] = defaultdict(list)
    for message_id, lane in lanes.items():
        of_lane[lane].append(message_id)
    dealt = [each[first::LANE_WIDTH] for each in of_lane.values() for first in range(LANE_WIDTH)]
    return [row for row in dealt if row]
