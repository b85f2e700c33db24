"""Trying again: what DynamoDB asks to be repeated, and use cases whose reading went stale."""

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from pynamodb.exceptions import PynamoDBException, TransactGetError, TransactWriteError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from chalicelib.kernel.errors import Busy, Stale

T = TypeVar("T")
P = ParamSpec("P")

PRESSED = frozenset(
    {
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingError",
        "ThrottlingException",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        "InternalServerError",
    }
)


FIRST_WAIT_SECONDS = 0.02


class PartlyAnswered(Exception):
    """The store gave a part of what was asked and wants to be asked for the rest again."""


def retrying(call: Callable[[], T]) -> T:
    """`call`, again with full jitter while the store is pressed or transactions collide.

    Neither botocore nor PynamoDB repeats a cancelled transaction. Raises Busy when it is still
    refused after the last attempt; everything else passes through at once.
    """
    try:
        return call()  # as most end here, they are spared the cost of being watched
    except (PynamoDBException, PartlyAnswered) as error:
        if not pressed(error):
            raise
    time.sleep(random.uniform(0, FIRST_WAIT_SECONDS))
    return _patiently(call)


def retry_stale(use_case: Callable[P, T]) -> Callable[P, T]:
    """Run a use case again from its first read when another writer came in between."""

    @functools.wraps(use_case)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return _from_its_first_read(use_case, *args, **kwargs)

    return run


def again_after(kinds: tuple[type[Exception], ...], attempts: int) -> Retrying:
    """Runs a call again, with full jitter, where it raises one of `kinds`. Busy after the last."""
    return Retrying(
        retry=retry_if_exception_type(kinds),
        wait=wait_random_exponential(multiplier=0.02, max=0.5),
        stop=stop_after_attempt(attempts),
        retry_error_callback=_busy,
    )


def pressed(error: BaseException) -> bool:
    """Whether the store only asks for patience: throttling, or a collision and nothing else."""
    if isinstance(error, PartlyAnswered):
        return True
    if isinstance(error, TransactWriteError | TransactGetError) and error.cancellation_reasons:
        codes = {reason.code for reason in error.cancellation_reasons if reason}
        return bool(codes) and codes <= PRESSED
    return isinstance(error, PynamoDBException) and _answered_code(error) in PRESSED


def _answered_code(error: PynamoDBException) -> str | None:
    # PynamoDB's own property fails for a call that was never answered.
    answer = getattr(error.cause, "response", None) or {}
    code: str | None = answer.get("Error", {}).get("Code")
    return code


def _busy(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    raise Busy("The store is busy at this moment. Send the same request again shortly.") from error


def unreachable(error: BaseException) -> bool:
    """Whether the store gave no answer at all: what was asked may or may not have happened."""
    if not isinstance(error, PynamoDBException):
        return False
    from botocore.exceptions import BotoCoreError

    return isinstance(error.cause, BotoCoreError)


# Made once: what they count while they run they keep by thread.
_patiently = Retrying(
    retry=retry_if_exception(pressed),
    wait=wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=0.8),
    stop=stop_after_attempt(7),
    retry_error_callback=_busy,
)
_from_its_first_read = again_after((Stale,), 10)
