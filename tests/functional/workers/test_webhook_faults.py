"""Workers that die before or after what they do, suppliers that refuse, and messages of no sense:
every event reaches its supplier, or stands as exhausted with its cause."""

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from pytest_httpserver import HTTPServer

from chalicelib.platform.worker import Step
from chalicelib.webhooks import delivering
from chalicelib.webhooks import store as webhooks
from chalicelib.webhooks.rules import Attempt
from tests.functional.workers.conftest import StillClock
from tests.support.invariants import findings
from tests.support.lambdas import invoke
from tests.support.mail import Letter, Mail
from tests.support.told import Supplier, Telling, telling
from tests.support.world import Context, World, workers

EVENTS, BEFORE, AFTER, POISON = 60, 0.3, 0.3, 0.05
NONSENSE = ["{", "[]", "null", "{}", '{"subject": 7}', '{"subject": "x"}', '{"type": "none"}']
CARRIERS = ("WEBHOOK_FAN_OUT", "WEBHOOK_ATTEMPT")


@pytest.fixture
def told(world: World, time: StillClock) -> Iterator[Telling]:
    with telling(world, time, seed=7) as made:
        yield made


class BadDays:
    """Workers of which some die before what they do, and some before they can say it is done."""

    def __init__(self, mail: Mail, seed: int) -> None:
        self.mail, self.chance = mail, random.Random(seed)
        self.before, self.after = BEFORE, AFTER

    def work(self) -> None:
        while any(self._work_off(queue, worker) for queue, worker in workers().items()):
            pass

    def _work_off(self, queue: str, worker: Any) -> bool:
        letters = self.mail.take(queue, 50 if queue == "WEBHOOK_ATTEMPT" else 10)
        if letters:
            self.mail.settle(queue, letters, self._given_back(worker, letters))
        return bool(letters)

    def _given_back(self, worker: Any, letters: Sequence[Letter]) -> set[str]:
        everything = {each.id for each in letters}
        if self.chance.random() < self.before:
            return everything
        event = {"Records": [each.record() for each in letters]}
        answer = worker(event, Context())
        if self.chance.random() < self.after:
            return everything
        return {each["itemIdentifier"] for each in answer["batchItemFailures"]}

    def redrive(self) -> None:
        """What an operator does with what was put aside, once workers no longer die."""
        for queue, bodies in self.mail.dead.items():
            self.mail.send(queue, [each for each in bodies if each not in NONSENSE])
            bodies[:] = [each for each in bodies if each in NONSENSE]


def test_none_is_lost_whatever_dies_and_nonsense_is_put_aside(
    world: World, server: HTTPServer, told: Telling
) -> None:
    well = [Supplier(world, server) for _ in range(4)]
    gone, dead = Supplier(world, server), Supplier(world, server)
    gone.answers(410)
    dead.answers(503)
    days = BadDays(told.mail, seed=11)
    sent_nonsense = send_everything(told, [*well, gone, dead], days.chance)
    days.work()
    days.before = days.after = 0
    days.redrive()
    days.work()
    for _ in range(6):
        told.time.at += timedelta(hours=23)
        for _minute in range(3):
            told.time.at += timedelta(minutes=31)
            invoke("webhook_sweep")
            days.work()
    check_everything(well, gone, dead)
    put_aside = [each for queue in CARRIERS for each in told.mail.dead[queue]]
    assert sorted(put_aside) == sorted(sent_nonsense)
    assert findings() == []


def send_everything(
    told: Telling, suppliers: Sequence[Supplier], chance: random.Random
) -> list[str]:
    """Events in turn to each supplier, with nonsense between them, which is answered."""
    nonsense = []
    for n in range(EVENTS):
        told.send(suppliers[n % len(suppliers)], dispatch=n)
        for queue in CARRIERS:
            if chance.random() < POISON:
                nonsense.append(chance.choice(NONSENSE))
                told.mail.send(queue, [nonsense[-1]])
    return nonsense


def check_everything(well: Sequence[Supplier], gone: Supplier, dead: Supplier) -> None:
    each_has = EVENTS // (len(well) + 2)
    for supplier in well:
        deliveries = supplier.deliveries()
        assert {each["status"] for each in deliveries} == {"succeeded"}
        assert len(deliveries) == each_has
        assert set(supplier.heard) == {each["id"] for each in deliveries}
    for supplier in (gone, dead):
        assert supplier.endpoint()["status"] == "disabled"
        deliveries = supplier.deliveries()
        assert {each["status"] for each in deliveries} == {"exhausted"}
        assert len([each for each in deliveries if each["event_type"] != "ping"]) == each_has
        assert all(each["attempts"][-1]["error"] for each in deliveries)


def test_control_the_rig_catches_a_worker_that_says_done_before_it_has_called(
    world: World, server: HTTPServer, told: Telling
) -> None:
    supplier = Supplier(world, server)
    for n in range(10):
        told.send(supplier, dispatch=n)
    told.work("WEBHOOK_FAN_OUT")

    def forgetful(delivery_ids: Sequence[str], *, slow_lane: bool) -> list[Step]:
        made = webhooks.get_deliveries(delivery_ids)
        for each in made.values():
            attempt = Attempt("2026-03-10T12:00:00.000Z", 200, 1, None)
            delivering.keep(each, each.succeeded(attempt), "succeeded")
        raise ConnectionError

    with mock.patch.object(delivering, "attempts", forgetful), pytest.raises(ConnectionError):
        told.work("WEBHOOK_ATTEMPT")
    told.go_on(minutes=10)
    deliveries = supplier.deliveries()
    assert {each["status"] for each in deliveries} == {"succeeded"}
    assert set(supplier.heard) != {each["id"] for each in deliveries}
