"""Deliveries of events: made once, attempted when due, and swept for when a message was lost."""

import random
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from chalicelib.webhooks import calling, delivering
from chalicelib.webhooks.rules import Delivery, Endpoint
from tests.functional.workers.conftest import StillClock
from tests.support.lambdas import handle, invoke, sample_about
from tests.support.snapshot import snapshot
from tests.support.world import World


class Supplier:
    """A supplier's server: it keeps what it hears and answers as it is told to."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("/hook")
        self.status, self.heard = 200, list[tuple[str, bytes]]()
        server.expect_request("/hook").respond_with_handler(self._answer)

    def _answer(self, request: Request) -> Response:
        self.heard.append((request.headers["webhook-id"], request.get_data()))
        return Response(status=self.status)

    def deliveries(self) -> list[str]:
        return [webhook_id for webhook_id, _ in self.heard]


@pytest.fixture
def supplier(server: HTTPServer) -> Supplier:
    return Supplier(server)


@pytest.fixture(autouse=True)
def no_jitter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are just those of the schedule."""

    class Even(random.Random):
        def uniform(self, a: float, b: float) -> float:
            return (a + b) / 2

    monkeypatch.setattr(delivering, "chance", Even())


def test_an_event_becomes_one_delivery_however_often_it_comes(
    world: World, supplier: Supplier
) -> None:
    event = paid_event(world, supplier)
    assert handle("webhook_fan_out", event, event) == []
    assert handle("webhook_fan_out", event) == []
    assert len(deliveries(world)) == 1
    world.work()
    assert len(supplier.heard) == 1


def test_a_delivery_that_was_heard_is_not_made_again(world: World, supplier: Supplier) -> None:
    delivery = made(world, supplier)
    message = {"subject": delivery["id"]}
    assert handle("webhook_attempt", message, message) == []
    before = snapshot(world.environment)
    assert handle("webhook_attempt", message) == []
    assert supplier.deliveries() == [delivery["id"]]
    assert snapshot(world.environment) == before


def test_the_sample_of_webhook_attempt_makes_one(world: World, supplier: Supplier) -> None:
    delivery = made(world, supplier)
    answer = invoke("webhook_attempt", sample_about("webhook_attempt", delivery["id"]))
    assert answer == {"batchItemFailures": []}
    assert supplier.deliveries() == [delivery["id"]]
    (heard,) = deliveries(world)
    assert (heard["status"], heard["attempts"][0]["status_code"]) == ("succeeded", 200)


def test_only_the_message_that_fails_goes_back(
    world: World, supplier: Supplier, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = paid_event(world, supplier, endpoints=3)
    handle("webhook_fan_out", event)
    one, poison, other = [{"subject": each["id"]} for each in deliveries(world)]
    deliver = delivering.deliver

    def deliver_or_fail(delivery: Delivery, endpoint: Endpoint) -> Delivery:
        if delivery.id == poison["subject"]:
            raise RuntimeError("poison")
        return deliver(delivery, endpoint)

    monkeypatch.setattr(delivering, "deliver", deliver_or_fail)
    assert handle("webhook_attempt", one, poison, other) == [poison]
    assert sorted(supplier.deliveries()) == sorted([one["subject"], other["subject"]])


def test_only_the_event_that_cannot_be_told_goes_back(world: World, supplier: Supplier) -> None:
    event = paid_event(world, supplier)
    world.pay(world.place(world.sale()))
    (other,) = world.messages("WEBHOOK_FAN_OUT")
    poison = {"type": "order.paid", "subject": "ord_unknown", "data": {}}
    assert handle("webhook_fan_out", event, poison, other) == [poison]
    told = {each["subject"] for each in deliveries(world)}
    assert told == {event["subject"], other["subject"]}


def test_a_message_that_comes_too_early_waits_for_its_time(
    world: World, supplier: Supplier, time: StillClock
) -> None:
    supplier.status = 500
    delivery = made(world, supplier)
    message = {"subject": delivery["id"]}
    handle("webhook_attempt", message)
    assert handle("webhook_attempt", message) == []
    assert len(supplier.heard) == 1
    time.move_on(seconds=5)
    handle("webhook_attempt", message)
    assert len(supplier.heard) == 2


def test_every_attempt_has_the_same_id_and_body(
    world: World, supplier: Supplier, time: StillClock
) -> None:
    supplier.status = 503
    delivery = made(world, supplier)
    for wait in (0, 5, 300, 1_800):
        time.move_on(seconds=wait)
        handle("webhook_attempt", {"subject": delivery["id"]})
    assert len(supplier.heard) == 4
    assert len(set(supplier.heard)) == 1


def test_a_lost_message_is_made_up_for_by_the_sweep(
    world: World, supplier: Supplier, time: StillClock
) -> None:
    delivery = made(world, supplier)
    world.messages("WEBHOOK_ATTEMPT")
    invoke("webhook_sweep")
    assert world.messages("WEBHOOK_ATTEMPT") == []
    time.move_on(minutes=2)
    invoke("webhook_sweep")
    assert world.messages("WEBHOOK_ATTEMPT") == [{"subject": delivery["id"]}]


def test_a_wait_that_is_longer_than_a_queues_is_ended_by_the_sweep(
    world: World, supplier: Supplier, time: StillClock
) -> None:
    supplier.status = 500
    delivery = made(world, supplier)
    for wait in (0, 5, 300):
        time.move_on(seconds=wait)
        world.messages("WEBHOOK_ATTEMPT")
        handle("webhook_attempt", {"subject": delivery["id"]})
    assert world.messages("WEBHOOK_ATTEMPT") == []
    time.move_on(minutes=29)
    invoke("webhook_sweep")
    assert world.messages("WEBHOOK_ATTEMPT") == []
    supplier.status = 204
    time.move_on(minutes=3)
    invoke("webhook_sweep")
    world.work()
    (heard,) = deliveries(world)
    assert (heard["status"], len(heard["attempts"])) == ("succeeded", 4)


def test_a_delivery_that_is_over_is_not_swept_for(
    world: World, supplier: Supplier, time: StillClock
) -> None:
    made(world, supplier)
    world.work()
    time.move_on(days=2)
    invoke("webhook_sweep")
    assert world.messages("WEBHOOK_ATTEMPT") == []


def test_attempts_at_once_have_one_outcome_and_are_both_told(
    world: World, supplier: Supplier, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = made(world, supplier)
    message = {"subject": delivery["id"]}
    call = calling.call

    def overtaken(*args: Any) -> Any:
        monkeypatch.setattr(delivering, "call", call)
        time.move_on(seconds=1)
        assert handle("webhook_attempt", message) == []
        return call(*args)

    monkeypatch.setattr(delivering, "call", overtaken)
    assert handle("webhook_attempt", message) == []
    (heard,) = deliveries(world)
    assert (heard["status"], len(heard["attempts"])) == ("succeeded", 2)
    assert len(set(supplier.heard)) == 1


def test_a_cancelled_dispatch_is_told_though_its_events_come_in_no_order(
    world: World, supplier: Supplier
) -> None:
    sale = world.sale()
    body = {"url": supplier.url, "supplier_id": sale.supplier_id}
    assert world.operator.post("/v1/webhook-endpoints", body).status == 201
    order = world.place(sale)
    world.pay(order)
    handle("dispatch_create", *world.messages("DISPATCH_CREATE"))
    assert world.operator.post(f"/v1/orders/{order['id']}/cancel", {}).status == 200
    events = world.messages("WEBHOOK_FAN_OUT")
    assert handle("webhook_fan_out", *reversed(events), *events) == []
    world.work()
    told = [each["event_type"] for each in deliveries(world)]
    assert sorted(told) == ["dispatch.cancelled", "dispatch.created"]
    assert len(supplier.heard) == 2


def paid_event(world: World, supplier: Supplier, endpoints: int = 1) -> Any:
    """An order's payment, which the platform's own endpoints want to hear of."""
    for _ in range(endpoints):
        body = {"url": supplier.url, "event_types": ["order.paid"]}
        assert world.operator.post("/v1/webhook-endpoints", body).status == 201
    world.pay(world.place(world.sale()))
    (event,) = world.messages("WEBHOOK_FAN_OUT")
    return event


def made(world: World, supplier: Supplier) -> Any:
    """A delivery that waits for its first attempt."""
    assert handle("webhook_fan_out", paid_event(world, supplier)) == []
    (delivery,) = deliveries(world)
    return delivery


def deliveries(world: World) -> list[Any]:
    items: list[Any] = world.operator.get("/v1/webhook-deliveries").json["items"]
    return items
