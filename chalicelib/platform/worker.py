"""How queue workers and schedules run: logs, metrics, and only the failed messages come again."""

import functools
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from typing import Any

from chalicelib.platform import dead_letters
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


@dataclass(frozen=True)
class Received:
    """A message as its queue gave it, for that many times by now."""

    id: str
    body: str
    times: int

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> "Received":
        times = int(record["attributes"]["ApproximateReceiveCount"])
        return cls(record["messageId"], record["body"], times)


@dataclass(frozen=True)
class Task:
    """A message that could be read, and the step it asks for."""

    received: Received
    message: Message
    step: Step


def each_message(handle: Callable[[Message], None]) -> Callable[[Any], Any]:
    """A worker that gives each message of an SQS event to `handle` and reports those that failed.

    A failure is logged and its message goes back to the queue, and at the queue's last try, with
    its cause, to the dead-letter queue, where an alarm stands; the other messages are done.
    """

    @functools.wraps(handle)
    def worker(event: Any) -> Any:
        try:
            return _processed(event, one)
        finally:
            flush_metrics()

    @traced(handle.__name__)
    def one(record: Any) -> None:
        received = Received.of(record.raw_event)
        with _given_up_at_last(handle.__name__, received):
            handle(_read(received.body))
            logger.info("message done")

    return worker


def side_by_side(plan: Callable[[Sequence[Message]], Sequence[Step]]) -> Callable[[Any], Any]:
    """A worker that takes the messages of an SQS event at once, each as `each_message` would.

    `plan` answers the step that each message asks for, in their order, from one look at them all.
    """

    @functools.wraps(plan)
    def worker(event: Any) -> Any:
        try:
            received = [Received.of(each) for each in event.to_dict()["Records"]]
            failed = failing(received)
            return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
        finally:
            flush_metrics()

    @traced(plan.__name__)
    def failing(received: Sequence[Received]) -> set[str]:
        worker, failed = plan.__name__, set[str]()
        read = _readable(worker, received, failed)
        with _logged(worker):
            steps = plan([message for _, message in read])
        _take(worker, [Task(*each, step) for each, step in zip(read, steps, strict=True)], failed)
        return failed

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


@contextmanager
def _given_up_at_last(worker: str, received: Received) -> Iterator[None]:
    """A failure is logged and passes, until the message is given out for the last time: then it is
    put aside with its cause, and its queue need not have it again."""
    try:
        with _logged(worker, received.id):
            yield
    except Exception as error:
        if not dead_letters.is_last(received.times):
            raise
        dead_letters.park(worker, received.id, received.body, error)


@contextmanager
def _noting_failure(failed: set[str], worker: str, received: Received) -> Iterator[None]:
    """Of many messages one that fails is noted, and stops none of the others."""
    try:
        with _given_up_at_last(worker, received):
            yield
    except Exception:
        failed.add(received.id)


def _read(body: str) -> Message:
    message: Message = json.loads(body)
    logger.bind(**about(message.get("subject")))
    return message


def _about_something(message: Message) -> Message:
    """What is read together with others must not be what makes their reading fail."""
    if not about(message["subject"]):
        raise ValueError("the subject is no id")
    return message


def _readable(
    worker: str, received: Sequence[Received], failed: set[str]
) -> list[tuple[Received, Message]]:
    read = []
    for each in received:
        with _noting_failure(failed, worker, each):
            read.append((each, _about_something(_read(each.body))))
    return read


def _take(worker: str, tasks: Sequence[Task], failed: set[str]) -> None:
    """Take the steps, and note whose have failed."""

    def take(row: Sequence[Task]) -> None:
        for task in row:
            with _noting_failure(failed, worker, task.received):
                logger.bind(**about(task.message.get("subject")))
                task.step.take()
                logger.info("message done")

    rows = _rows(tasks)
    if not rows:
        return
    with ThreadPoolExecutor(len(rows)) as pool:
        taking = for_other_threads(take)
        for row in [pool.submit(copy_context().run, taking, each) for each in rows]:
            row.result()


def _rows(tasks: Sequence[Task]) -> list[list[Task]]:
    """The tasks for each thread: those of one lane are dealt to as many as it is wide."""
    of_lane: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        of_lane[task.step.lane].append(task)
    dealt = [each[first::LANE_WIDTH] for each in of_lane.values() for first in range(LANE_WIDTH)]
    return [row for row in dealt if row]
