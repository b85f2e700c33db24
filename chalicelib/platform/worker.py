"""How queue workers and schedules run: logs, metrics, and only the failed messages come again."""

import functools
import json
from collections.abc import Callable
from typing import Any

from chalicelib.platform import dead_letters
from chalicelib.platform.log import about, flush_metrics, logger
from chalicelib.platform.tracing import traced

Message = dict[str, Any]


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
        logger.clear()
        logger.bind(worker=handle.__name__, message_id=record.message_id)
        try:
            message: Message = json.loads(record.body)
            logger.bind(**about(message.get("subject")))
            handle(message)
        except Exception as error:
            logger.exception("message failed")
            if not dead_letters.is_last_receive(record):
                raise
            dead_letters.park(handle.__name__, record, error)
            return
        logger.info("message done")

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
