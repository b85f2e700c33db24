"""What is known of an endpoint by how it has answered, and what waits for it, in which order."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.webhooks import rules
from chalicelib.webhooks.rules import (
    ANSWER_KEPT,
    OPENS_AFTER,
    Delivery,
    Endpoint,
    excerpt,
    in_order,
)
from chalicelib.webhooks.schedule import PROBED_AFTER, PROBED_AT_LEAST_EVERY, probe_after
from tests.unit.test_webhook_rules import AN_ATTEMPT, NOW, a_delivery, an_endpoint

SEEDS = st.integers(0, 2**32)


def failing(*delivery_ids: str, endpoint: Endpoint | None = None) -> Endpoint:
    """After a failure of each of these, in a row, a minute apart."""
    current = endpoint or an_endpoint()
    for n, delivery_id in enumerate(delivery_ids):
        current = current.failed(NOW + timedelta(minutes=n), delivery_id)
    return current


@given(st.integers(1, 50))
def test_one_delivery_alone_never_opens_the_circuit(times: int) -> None:
    assert failing(*["whd_1"] * times).circuit == "closed"


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=20))
def test_failures_in_a_row_of_two_deliveries_open_it(row: list[str]) -> None:
    opens = len(row) >= OPENS_AFTER and len(set(row)) > 1
    assert (failing(*row).circuit == "open") is opens


def test_the_first_failure_of_another_opens_what_one_alone_had_failed_long_enough() -> None:
    assert failing(*["whd_1"] * 9).circuit == "closed"
    opened = failing(*["whd_1"] * 9, "whd_2")
    assert opened.circuit == "open"
    assert opened.look_at == NOW + timedelta(minutes=9) + PROBED_AFTER


def test_an_answer_in_between_begins_the_row_anew() -> None:
    answered = failing("a", "b", "a", "b").answered(NOW, in_good_time=True)
    assert failing("a", "b", "a", "b", endpoint=answered).circuit == "closed"
    assert failing("a", "b", "a", "b", "a", endpoint=answered).circuit == "open"


def test_an_open_circuit_is_drained_from_the_first_answer_on_and_then_closed() -> None:
    answered = failing(*"ababa").answered(NOW, in_good_time=True)
    assert (answered.circuit, answered.look_at) == ("draining", NOW)
    assert (answered.failing_since, answered.health.failures) == (None, 0)
    closed = answered.drained(NOW)
    assert closed.circuit == "closed"
    # Who has held something back, believing it open, has done so by then.
    assert closed.look_at == NOW + rules.LAST_LOOK_AFTER
    assert closed.drained(NOW).look_at is None


def test_it_opens_again_while_it_is_drained_but_not_for_less() -> None:
    draining = failing(*"ababa").answered(NOW, in_good_time=True)
    assert failing(*"cdef", endpoint=draining).circuit == "draining"
    assert failing(*"cdefg", endpoint=draining).circuit == "open"


def test_an_endpoint_that_is_well_has_nothing_to_write() -> None:
    assert an_endpoint().is_well(in_good_time=True)
    assert an_endpoint().is_well(in_good_time=False)
    assert not an_endpoint().failed(NOW, "a").is_well(in_good_time=True)
    assert not failing(*"ababa").is_well(in_good_time=True)
    draining = failing(*"ababa").answered(NOW, in_good_time=True)
    assert draining.is_well(in_good_time=True)


def test_a_slow_endpoint_stays_so_until_it_answers_in_good_time() -> None:
    slow = an_endpoint().slowed_down()
    assert slow.slow
    assert slow.failed(NOW, "a").slow
    assert slow.is_well(in_good_time=False)
    assert slow.answered(NOW, in_good_time=False).slow
    assert not slow.is_well(in_good_time=True)
    assert not slow.answered(NOW, in_good_time=True).slow


def test_good_time_is_an_answer_within_two_seconds() -> None:
    answered = replace(AN_ATTEMPT, duration_ms=2000)
    assert answered.in_good_time
    assert not replace(answered, duration_ms=2001).in_good_time
    assert not replace(answered, status_code=None).in_good_time


def test_every_failure_that_changes_something_is_news_and_then_one_an_hour() -> None:
    opened = failing(*"ababa")
    for n in range(4):
        before = failing(*"ababa"[:n])
        assert before.is_news(before.failed(NOW + timedelta(minutes=n), "ab"[n % 2]))
    at = opened.last_failed_at
    assert at is not None
    assert not opened.is_news(opened.failed(at + timedelta(minutes=59), "a"))
    assert opened.is_news(opened.failed(at + timedelta(hours=1), "a"))


@given(SEEDS, st.integers(0, 2000))
def test_probes_come_less_and_less_often_and_at_least_every_half_hour(
    seed: int, probes: int
) -> None:
    wait = probe_after(probes, None, random.Random(seed))
    step = min(PROBED_AFTER * 2 ** min(probes, 10), PROBED_AT_LEAST_EVERY)
    assert 0.8 * step <= wait <= step


@given(SEEDS, st.integers(0, 20), st.integers(0, 10**6))
def test_a_probe_may_be_asked_to_come_later_but_not_than_that(
    seed: int, probes: int, asked: int
) -> None:
    patience = timedelta(seconds=asked)
    wait = probe_after(probes, patience, random.Random(seed))
    plain = probe_after(probes, None, random.Random(seed))
    assert wait == max(plain, min(patience, PROBED_AT_LEAST_EVERY))


def test_what_is_held_uses_up_nothing_of_its_schedule() -> None:
    tried = a_delivery().failed(AN_ATTEMPT, NOW, timedelta(seconds=5))
    held = tried.held(NOW)
    assert (held.status, held.waits, held.round_attempts) == ("pending", True, 1)
    assert held.next_attempt_at == NOW + rules.HELD_AT_MOST
    probed = held.probed(AN_ATTEMPT)
    assert (probed.status, probed.waits, probed.round_attempts) == ("pending", True, 1)
    assert probed.attempts == (AN_ATTEMPT, AN_ATTEMPT)
    assert probed.next_attempt_at == held.next_attempt_at
    assert [held.version, probed.version] == [tried.version + 1, tried.version + 2]


@pytest.mark.parametrize("verb", ["succeeded", "failed", "replayed"])
def test_whatever_becomes_of_it_then_it_waits_no_more(verb: str) -> None:
    held = a_delivery().held(NOW)
    after = {
        "succeeded": held.succeeded(AN_ATTEMPT),
        "failed": held.failed(AN_ATTEMPT, NOW, timedelta(seconds=5)),
        "replayed": held.replayed(NOW),
    }[verb]
    assert not after.waits


def test_what_a_disabled_endpoint_misses_waits_to_be_replayed() -> None:
    missed = a_delivery().missed(AN_ATTEMPT)
    assert (missed.status, missed.waits, missed.next_attempt_at) == ("exhausted", True, None)
    assert not missed.is_held
    assert not missed.replayed(NOW).waits
    assert not replace(a_delivery(), event_type="ping").missed(AN_ATTEMPT).waits


def told(number: int, subject: str, version: int | None) -> Delivery:
    data = "{}" if version is None else f'{{"version":{version}}}'
    return replace(
        a_delivery(),
        id=f"whd_{number}",
        subject=subject,
        body=f'{{"type":"x","data":{data}}}',
        created_at=NOW + timedelta(seconds=number),
    )


def test_what_waits_is_told_by_age_and_what_concerns_one_thing_by_version() -> None:
    waiting = [
        told(5, "dsp_2", 1),
        told(1, "dsp_1", 3),
        told(2, "whe_1", None),
        told(3, "dsp_1", 1),
        told(4, "dsp_1", 2),
    ]
    ordered = [(each.subject, each.told_version) for each in in_order(waiting)]
    assert ordered == [("dsp_1", 1), ("whe_1", 0), ("dsp_1", 2), ("dsp_1", 3), ("dsp_2", 1)]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 9)), max_size=12, unique=True))
def test_nothing_that_waits_is_lost_or_doubled_by_its_order(said: list[tuple[str, int]]) -> None:
    waiting = [told(n, subject, version) for n, (subject, version) in enumerate(said)]
    ordered = in_order(waiting)
    assert sorted(each.id for each in ordered) == sorted(each.id for each in waiting)
    for subject in "abc":
        versions = [each.told_version for each in ordered if each.subject == subject]
        assert versions == sorted(versions)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"", ""),
        (b'{"ok":true}', '{"ok":true}'),
        ("Bánh mì 🥖".encode(), "Bánh mì 🥖"),
        (b"two\r\nlines\tand\x0bmore", "two  lines and more"),
        (b"\x1b[31mred\x00\x07", "\ufffd[31mred\ufffd\ufffd"),
        ("a\u202eb\u2066c\u200bd".encode(), "a\ufffdb\ufffdc\ufffdd"),
        (b"\xff\xfe\xc3", "\ufffd\ufffd\ufffd"),
        (b"\xed\xa0\x80", "\ufffd\ufffd\ufffd"),
        (b"x" * 300, "x" * ANSWER_KEPT),
        ("🥚".encode() * 300, "🥚" * ANSWER_KEPT),
    ],
)
def test_of_an_answer_the_beginning_is_kept_and_harmless(body: bytes, kept: str) -> None:
    assert excerpt(body) == kept


@given(st.binary(max_size=2000))
def test_whatever_is_answered_is_kept_as_text_that_can_be_shown(body: bytes) -> None:
    kept = excerpt(body)
    assert len(kept) <= ANSWER_KEPT
    assert kept.isprintable()
    assert kept.encode().decode() == kept
