"""Suppliers that keep us waiting have a lane of their own, and so keep nobody else waiting."""

import threading
import time as real_time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from chalicelib.platform import http_out
from chalicelib.webhooks import delivering, rules
from tests.functional.workers.conftest import StillClock
from tests.support.told import Supplier, Telling, telling
from tests.support.world import World

TIMED_OUT_AFTER, GOOD_TIME = 0.6, 0.2


@pytest.fixture(autouse=True)
def little_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds become a fraction of what they are."""
    post = partial(http_out.post, total_timeout=TIMED_OUT_AFTER)
    monkeypatch.setattr(http_out, "post", post)
    monkeypatch.setattr(rules, "GOOD_TIME", timedelta(seconds=GOOD_TIME))
    monkeypatch.setattr(delivering, "FRESH_FOR_SECONDS", GOOD_TIME)


@pytest.fixture
def told(world: World, time: StillClock) -> Iterator[Telling]:
    with telling(world, time) as made:
        yield made


class Slow:
    """A supplier's server that answers after so many seconds."""

    def __init__(self, supplier: Supplier, seconds: float) -> None:
        self.seconds, self.at_once, self.most = seconds, 0, 0
        self._lock = threading.Lock()
        supplier.answer = self._answer

    def _answer(self, _: Request) -> Response:
        with self._lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        real_time.sleep(self.seconds)
        with self._lock:
            self.at_once -= 1
        return Response(status=200)


@pytest.fixture
def supplier(world: World, threaded: HTTPServer) -> Supplier:
    return Supplier(world, threaded)


@pytest.fixture
def threaded() -> Iterator[HTTPServer]:
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


def slow_messages(told: Telling) -> list[Any]:
    return [each.body["subject"] for each in told.mail.waiting["WEBHOOK_SLOW"]]


def test_who_times_out_once_is_served_in_the_slow_lane_from_then_on(
    told: Telling, supplier: Supplier
) -> None:
    Slow(supplier, 2 * TIMED_OUT_AFTER)
    first = told.tell(supplier)
    told.work("WEBHOOK_ATTEMPT")
    assert supplier.endpoint()["slow"]
    (attempt,) = supplier.delivery(first)["attempts"]
    assert attempt["error"] == f"timed out after {TIMED_OUT_AFTER:g} s"
    second = told.tell(supplier, dispatch=2)
    told.work("WEBHOOK_ATTEMPT")
    assert slow_messages(told) == [second]
    assert supplier.delivery(second)["attempts"] == []


def test_an_answer_in_good_time_brings_it_back(told: Telling, supplier: Supplier) -> None:
    server = Slow(supplier, 2 * GOOD_TIME)
    told.tell(supplier)
    told.work()
    assert supplier.endpoint()["slow"]
    told.tell(supplier, dispatch=2)
    told.work()
    assert supplier.endpoint()["slow"], "its answer was good, but late"
    server.seconds = 0
    told.tell(supplier, dispatch=3)
    told.work()
    assert not supplier.endpoint()["slow"]
    fast = told.tell(supplier, dispatch=4)
    told.work("WEBHOOK_ATTEMPT")
    assert supplier.delivery(fast)["status"] == "succeeded"
    assert slow_messages(told) == []


def test_it_is_known_to_be_slow_while_it_is_waited_for(told: Telling, supplier: Supplier) -> None:
    Slow(supplier, 2 * TIMED_OUT_AFTER)
    told.tell(supplier)
    seen: list[bool] = []

    def look() -> None:
        real_time.sleep((GOOD_TIME + TIMED_OUT_AFTER) / 2)
        seen.append(supplier.endpoint()["slow"])

    looking = threading.Thread(target=look)
    looking.start()
    told.work("WEBHOOK_ATTEMPT")
    looking.join()
    assert seen == [True]


def test_who_answers_in_good_time_is_never_taken_for_slow(
    told: Telling, supplier: Supplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "GOOD_TIME", timedelta(seconds=2))
    for n in range(5):
        told.tell(supplier, dispatch=n)
    told.work()
    real_time.sleep(2.2)
    assert not supplier.endpoint()["slow"]


def test_in_one_batch_nobody_waits_for_the_supplier_that_hangs(
    told: Telling, supplier: Supplier, world: World, threaded: HTTPServer
) -> None:
    hanging = Slow(supplier, 2 * TIMED_OUT_AFTER)
    others = [Supplier(world, threaded) for _ in range(4)]
    heard_at: list[float] = []

    def hear(_: Request) -> Response:
        heard_at.append(real_time.monotonic())
        return Response(status=200)

    for n in range(12):
        told.send(supplier, n)
    for other in others:
        other.answer = hear
        told.send(other, 100)
    told.work("WEBHOOK_FAN_OUT")
    started = real_time.monotonic()
    told.work("WEBHOOK_ATTEMPT")
    took = real_time.monotonic() - started
    assert len(heard_at) == 4
    assert took >= TIMED_OUT_AFTER, "the batch has waited for the one that hangs"
    assert max(heard_at) - started < took - 0.3 * TIMED_OUT_AFTER
    # Eight were called and timed out; the others' turn came when that was known.
    assert hanging.most == 8
    assert len(slow_messages(told)) + sum(each["waits"] for each in supplier.deliveries()) == 4


def test_a_message_in_the_slow_lane_comes_twice_or_late_without_harm(
    told: Telling, supplier: Supplier
) -> None:
    server = Slow(supplier, 2 * GOOD_TIME)
    told.tell(supplier)
    told.work()
    server.seconds = 0
    second = told.tell(supplier, dispatch=2)
    told.work("WEBHOOK_ATTEMPT")
    (letter,) = told.mail.waiting["WEBHOOK_SLOW"]
    told.mail.send("WEBHOOK_SLOW", [letter.body, letter.body])
    told.work()
    told.mail.send("WEBHOOK_SLOW", [letter.body])
    told.work()
    assert supplier.heard.count(second) == 1


def test_a_message_of_the_slow_lane_that_is_lost_is_made_up_for(
    told: Telling, supplier: Supplier
) -> None:
    server = Slow(supplier, 2 * GOOD_TIME)
    told.tell(supplier)
    told.work()
    server.seconds = 0
    second = told.tell(supplier, dispatch=2)
    told.work("WEBHOOK_ATTEMPT")
    told.mail.waiting["WEBHOOK_SLOW"].clear()
    told.go_on(minutes=3)
    assert supplier.delivery(second)["status"] == "succeeded"


def test_one_that_answers_late_each_time_takes_no_more_than_its_share_of_a_batch(
    told: Telling,
    supplier: Supplier,
    world: World,
    threaded: HTTPServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http_out, "post", partial(http_out.post, total_timeout=15))
    other = Supplier(world, threaded)
    for each in (supplier, other):
        Slow(each, 2 * GOOD_TIME)
    for each in (supplier, other):
        told.tell(each)
    told.work()
    assert (supplier.endpoint()["slow"], other.endpoint()["slow"]) == (True, True)
    for n in range(2, 32):
        told.send(supplier, n)
    told.send(other, 40)
    told.work("WEBHOOK_FAN_OUT")
    told.work("WEBHOOK_ATTEMPT")
    supplier.heard.clear()
    told.work("WEBHOOK_SLOW")
    assert (len(supplier.heard), len(other.heard)) == (8, 2)
    told.go_on(minutes=5)
    assert len(supplier.heard) == len(set(supplier.heard)) == 30
    assert {each["status"] for each in supplier.deliveries()} == {"succeeded"}
