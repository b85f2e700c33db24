"""What is tried again: a store that asks for patience, and a reading that went stale."""

import time

import pytest
from botocore.exceptions import ConnectTimeoutError
from pynamodb.exceptions import (
    CancellationReason,
    GetError,
    PutError,
    TransactGetError,
    TransactWriteError,
    VerboseClientError,
)

from chalicelib.kernel.errors import Busy, Conflict, Stale
from chalicelib.platform.retries import pressed, retry_stale, retrying, unreachable

PATIENCE_ASKED = (
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
)
ANSWERS_THAT_ASK = (
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "TransactionConflictException",
    "TransactionInProgressException",
    "InternalServerError",
)
REFUSED = ("ConditionalCheckFailed", "ValidationError", "ItemCollectionSizeLimitExceeded")


class Naps:
    """Stands for sleeping, and remembers how long."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> Naps:
    naps = Naps()
    monkeypatch.setattr(time, "sleep", naps)
    return naps


@pytest.mark.parametrize("code", PATIENCE_ASKED)
def test_a_transaction_cancelled_for_want_of_patience_is_tried_again(code: str) -> None:
    assert pressed(cancelled(None, code, None))
    assert pressed(cancelled(code, "TransactionConflict"))


@pytest.mark.parametrize("code", REFUSED)
def test_a_transaction_cancelled_for_good_is_not(code: str) -> None:
    assert not pressed(cancelled(code))
    assert not pressed(cancelled("TransactionConflict", code))


def test_reading_together_is_tried_again_on_a_conflict() -> None:
    assert pressed(TransactGetError("get", cancelled(None, "TransactionConflict").cause))


@pytest.mark.parametrize("code", ANSWERS_THAT_ASK)
def test_an_answer_that_asks_for_patience_is_tried_again(code: str) -> None:
    for kind in (GetError, PutError, TransactWriteError):
        assert pressed(kind("call", answered(code)))


@pytest.mark.parametrize(
    "code",
    ["ConditionalCheckFailedException", "ValidationException", "AccessDeniedException"],
)
def test_an_answer_that_will_not_change_is_not(code: str) -> None:
    assert not pressed(PutError("put", answered(code)))


@pytest.mark.parametrize("error", [ValueError("x"), Stale(), Conflict("x"), KeyError("x")])
def test_an_error_of_our_own_is_not(error: Exception) -> None:
    assert not pressed(error)


def test_a_call_is_repeated_until_it_is_taken(naps: Naps) -> None:
    call = Failing(cancelled("TransactionConflict"), times=3)
    assert retrying(call) == "done"
    assert (call.calls, len(naps.seconds)) == (4, 3)


def test_a_store_that_stays_pressed_is_busy(naps: Naps) -> None:
    call = Failing(GetError("get", answered("ThrottlingException")), times=1000)
    with pytest.raises(Busy) as busy:
        retrying(call)
    assert 3 <= call.calls <= 20
    assert isinstance(busy.value.__cause__, GetError)
    assert sum(naps.seconds) < 5


def test_a_failed_condition_is_told_at_once(naps: Naps) -> None:
    call = Failing(cancelled("ConditionalCheckFailed"), times=1)
    with pytest.raises(TransactWriteError):
        retrying(call)
    assert (call.calls, naps.seconds) == (1, [])


def test_waits_are_full_jitter(naps: Naps) -> None:
    for _ in range(50):
        retrying(Failing(cancelled("TransactionConflict"), times=1))
    assert len(set(naps.seconds)) > 40
    assert min(naps.seconds) < max(naps.seconds) / 4


def test_a_use_case_whose_reading_went_stale_runs_again_from_its_beginning(naps: Naps) -> None:
    use_case = Failing(Stale(), times=2)
    assert retry_stale(use_case)() == "done"
    assert (use_case.calls, len(naps.seconds)) == (3, 2)


def test_a_use_case_that_is_always_overtaken_is_busy(naps: Naps) -> None:
    use_case = Failing(Stale(), times=1000)
    with pytest.raises(Busy):
        retry_stale(use_case)()
    assert 3 <= use_case.calls <= 20


def test_another_error_of_a_use_case_is_told_at_once(naps: Naps) -> None:
    use_case = Failing(Conflict("no"), times=1)
    with pytest.raises(Conflict):
        retry_stale(use_case)()
    assert (use_case.calls, naps.seconds) == (1, [])


def test_a_use_case_within_another_has_tries_of_its_own(naps: Naps) -> None:
    inner = Failing(Stale(), times=6)
    outer = Failing(Stale(), times=6)

    @retry_stale
    def both() -> str:
        outer()
        return retry_stale(inner)()

    assert both() == "done"
    assert (outer.calls, inner.calls) == (7, 7)


def test_a_store_that_gave_no_answer_is_told_from_one_that_refused() -> None:
    assert unreachable(GetError("get", ConnectTimeoutError(endpoint_url="https://x")))
    assert not unreachable(GetError("get", answered("ValidationException")))
    assert not unreachable(ValueError("x"))


class Failing:
    """Raises an error some times, then answers."""

    def __init__(self, error: Exception, *, times: int) -> None:
        self.error, self.times, self.calls = error, times, 0
        self.__name__ = "failing"

    def __call__(self) -> str:
        self.calls += 1
        if self.calls <= self.times:
            raise self.error
        return "done"


def cancelled(*codes: str | None) -> TransactWriteError:
    """A transaction that was cancelled, with a reason (or none) for each of its writes."""
    reasons = [CancellationReason(code) if code else None for code in codes]
    return TransactWriteError("write", answered("TransactionCanceledException", reasons))


def answered(
    code: str, reasons: list[CancellationReason | None] | None = None
) -> VerboseClientError:
    error = {"Error": {"Code": code, "Message": "no"}}
    return VerboseClientError(error, "Call", cancellation_reasons=reasons or [])
