"""When a webhook is tried again, for how long, and with which secrets."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.webhooks.rules import Attempt, Delivery, Endpoint
from chalicelib.webhooks.schedule import GATHERED_WITHIN, read_retry_after, wait_after

NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
# The waits of the contract's section 5, in seconds, behind the first attempt, which is at once.
WAITS = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]
SEEDS = st.integers(0, 2**32)


def seconds_after(attempts: int, seed: int, retry_after: timedelta | None = None) -> float | None:
    wait = wait_after(attempts, retry_after, random.Random(seed))
    return None if wait is None else wait.total_seconds()


@pytest.mark.parametrize(("attempts", "seconds"), list(enumerate(WAITS, start=1)))
@given(seed=SEEDS)
def test_each_attempt_waits_as_the_schedule_says_give_or_take_a_fifth(
    attempts: int, seconds: int, seed: int
) -> None:
    wait = seconds_after(attempts, seed)
    assert wait is not None
    assert 0.8 * seconds <= wait <= 1.2 * seconds - GATHERED_WITHIN.total_seconds()


@pytest.mark.parametrize("attempts", range(1, 10))
def test_waits_differ_from_one_another(attempts: int) -> None:
    waits = {seconds_after(attempts, seed) for seed in range(100)}
    step = WAITS[attempts - 1]
    assert len(waits) > 90
    assert any(wait and wait < 0.9 * step for wait in waits)
    # Of the shortest the second in which messages are gathered takes half of the room.
    assert any(wait and wait > (1.1 if attempts > 1 else 0.95) * step for wait in waits)


@given(SEEDS)
def test_after_ten_attempts_there_is_none(seed: int) -> None:
    assert seconds_after(10, seed) is None
    assert seconds_after(10, seed, timedelta(hours=1)) is None


@given(SEEDS, st.integers(1, 9), st.integers(0, 10**9))
def test_an_endpoint_that_asks_for_patience_gets_it_up_to_the_step_after(
    seed: int, attempts: int, asked: int
) -> None:
    wait = seconds_after(attempts, seed, timedelta(seconds=asked))
    plain = seconds_after(attempts, seed)
    assert wait is not None
    assert plain is not None
    assert wait == max(plain, min(asked, [*WAITS, WAITS[-1]][attempts]))


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("0", timedelta(0)),
        ("120", timedelta(seconds=120)),
        ("Sun, 01 Mar 2026 09:32:00 GMT", timedelta(minutes=2)),
        ("Sun, 01 Mar 2026 10:32:00 +0100", timedelta(minutes=2)),
        ("Sun, 01 Mar 2026 09:00:00 GMT", timedelta(0)),  # gone by
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣٠", None),
        ("Sun, 99 Mar 2026 09:32:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str | None, wait: timedelta | None) -> None:
    assert read_retry_after(text, NOW) == wait


@given(
    st.one_of(
        st.text(max_size=80),
        st.from_regex(
            r"(Mon, )?\d{1,6} Jan \d{1,9} \d{1,3}:\d\d:\d\d [+-]\d{1,30}", fullmatch=True
        ),
    )
)
def test_nothing_that_an_endpoint_says_breaks_the_reading(text: str) -> None:
    wait = read_retry_after(text, NOW)
    assert wait is None or wait >= timedelta(0)


def test_a_failed_delivery_waits_for_its_next_attempt() -> None:
    failed = a_delivery().failed(AN_ATTEMPT, NOW, timedelta(seconds=5))
    assert (failed.status, failed.next_attempt_at) == ("pending", NOW + timedelta(seconds=5))
    assert (failed.round_attempts, failed.attempts, failed.version) == (1, (AN_ATTEMPT,), 2)


def test_a_delivery_without_a_next_attempt_is_exhausted() -> None:
    failed = a_delivery().failed(AN_ATTEMPT, NOW, None)
    assert (failed.status, failed.next_attempt_at) == ("exhausted", None)


def test_a_heard_delivery_is_not_tried_again() -> None:
    heard = a_delivery().succeeded(AN_ATTEMPT)
    assert (heard.status, heard.next_attempt_at) == ("succeeded", None)


def test_a_replay_begins_the_schedule_again_with_the_same_body_and_id() -> None:
    exhausted = a_delivery().failed(AN_ATTEMPT, NOW, None)
    again = exhausted.replayed(NOW + timedelta(days=1))
    assert (again.status, again.round_attempts) == ("pending", 0)
    assert again.next_attempt_at == NOW + timedelta(days=1)
    assert (again.id, again.body) == (exhausted.id, exhausted.body)
    assert again.attempts == (AN_ATTEMPT,)


def test_an_endpoint_hears_what_it_asked_for() -> None:
    assert an_endpoint().wants("order.paid")
    assert an_endpoint(event_types=("order.paid",)).wants("order.paid")
    assert not an_endpoint(event_types=("order.paid",)).wants("case.opened")
    assert an_endpoint(status="disabled").wants("order.paid")


def test_the_secret_before_signs_beside_the_new_one_for_a_while() -> None:
    rotated = an_endpoint(generation=3, old_secret_until=NOW)
    assert rotated.live_generations(NOW - timedelta(milliseconds=1)) == (3, 2)
    assert rotated.live_generations(NOW) == (3,)
    assert an_endpoint().live_generations(NOW) == (1,)


AN_ATTEMPT = Attempt("2026-03-01T09:30:00.000Z", 500, 12, "answered 500")


def a_delivery() -> Delivery:
    return Delivery(
        id="whd_1",
        owner="sup_1",
        endpoint_id="whe_1",
        event_type="dispatch.created",
        subject="dsp_1",
        body="{}",
        status="pending",
        attempts=(),
        round_attempts=0,
        next_attempt_at=NOW,
        version=1,
        created_at=NOW,
    )


def an_endpoint(**changes: object) -> Endpoint:
    endpoint = Endpoint(
        id="whe_1",
        owner="sup_1",
        url="https://supplier.example/hook",
        event_types=(),
        status="active",
        generation=1,
        old_secret_until=None,
        failing_since=None,
        last_failed_at=None,
        disabled_reason=None,
        version=1,
        created_at=NOW,
    )
    return replace(endpoint, **changes)  # type: ignore[arg-type]
