"""Events are stored with their change; what SQS did not take at first, the sweep sends."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from chalicelib.kernel import events
from chalicelib.kernel.events import Event
from chalicelib.platform import queues
from chalicelib.platform.outbox import OutboxRow
from chalicelib.platform.transaction import Transaction
from tests.functional.workers.conftest import StillClock
from tests.support.granted import running_as
from tests.support.invariants import findings
from tests.support.lambdas import invoke
from tests.support.snapshot import snapshot
from tests.support.world import World


def test_an_event_that_was_sent_is_forgotten(world: World) -> None:
    world.pay(world.place(world.sale()))
    assert waiting(world) == []


def test_an_event_that_sqs_refuses_stays_and_its_change_stands(world: World) -> None:
    order = world.place(world.sale())
    with sqs_refusing():
        assert world.pay(order).status == 200
    assert world.order(order["id"])["status"] == "paid"
    assert world.messages("DISPATCH_CREATE") == []
    assert len(waiting(world)) == 1


def test_the_sweep_sends_what_stayed(world: World, time: StillClock) -> None:
    order = world.place(world.sale())
    with sqs_refusing():
        world.pay(order)
    time.move_on(minutes=1)
    invoke("outbox_sweep")
    assert waiting(world) == []
    sent = {"type": "order.paid", "subject": order["id"], "data": {}}
    assert world.messages("DISPATCH_CREATE") == [sent]
    assert world.messages("WEBHOOK_FAN_OUT") == [sent]


def test_the_sweep_leaves_alone_what_may_still_be_on_its_way(
    world: World, time: StillClock
) -> None:
    order = world.place(world.sale())
    with sqs_refusing():
        world.pay(order)
    time.move_on(seconds=5)
    invoke("outbox_sweep")
    assert len(waiting(world)) == 1
    assert world.messages("DISPATCH_CREATE") == []


def test_a_sweep_while_sqs_still_refuses_loses_nothing(world: World, time: StillClock) -> None:
    order = world.place(world.sale())
    with sqs_refusing():
        world.pay(order)
        time.move_on(minutes=1)
        with pytest.raises(ConnectionError):
            invoke("outbox_sweep")
    assert len(waiting(world)) == 1
    invoke("outbox_sweep")
    assert waiting(world) == []
    assert len(world.messages("DISPATCH_CREATE")) == 1


def test_an_event_for_two_queues_is_kept_until_both_have_it(world: World, time: StillClock) -> None:
    order = world.place(world.sale())
    with sqs_refusing("webhook_fan_out"):
        world.pay(order)
    assert len(waiting(world)) == 1
    time.move_on(minutes=1)
    invoke("outbox_sweep")
    assert len(world.messages("WEBHOOK_FAN_OUT")) == 1
    # Sent again to the queue that had it: its worker takes any message twice.
    assert len(world.messages("DISPATCH_CREATE")) == 2


def test_a_queue_that_refuses_does_not_hold_back_the_others(world: World, time: StillClock) -> None:
    sale = world.sale()
    paid, refunded = world.place(sale), world.paid_order(sale, world.customer("cus_x"))
    body = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
    with sqs_refusing():
        world.pay(paid)
        assert world.operator.post(f"/v1/orders/{refunded['id']}/refunds", body).status == 201
    time.move_on(minutes=1)
    with sqs_refusing("dispatch_create"), pytest.raises(ConnectionError):
        invoke("outbox_sweep")
    assert [event["type"] for event in waiting(world)] == ["order.paid"]
    assert len(world.messages("REFUND_EXECUTE")) == 1


def test_a_message_that_sqs_answers_as_failed_is_sent_again(world: World, time: StillClock) -> None:
    order = world.place(world.sale())
    with sqs_taking_nothing():
        world.pay(order)
    assert len(waiting(world)) == 1
    time.move_on(minutes=1)
    invoke("outbox_sweep")
    assert waiting(world) == []


def test_an_event_that_is_published_again_while_it_is_sent_is_kept(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its second publisher may die before sending: the first must not take its record away."""
    with sqs_refusing():
        publish()
    time.move_on(minutes=1)
    send = queues.send_event

    def overtaken(event: Event) -> None:
        monkeypatch.setattr(queues, "send_event", send)
        send(event)
        time.move_on(seconds=1)
        with running_as(None), sqs_refusing():
            publish()

    monkeypatch.setattr(queues, "send_event", overtaken)
    invoke("outbox_sweep")
    assert len(waiting(world)) == 1
    time.move_on(minutes=1)
    invoke("outbox_sweep")
    assert waiting(world) == []


def test_an_order_goes_its_way_though_every_first_sending_fails(
    world: World, time: StillClock
) -> None:
    sale = world.sale()
    order = world.place(sale)
    with sqs_refusing():
        world.pay(order)
    time.move_on(minutes=1)
    invoke("outbox_sweep")
    world.work()
    (dispatch,) = world.order(order["id"])["dispatches"]
    world.move(dispatch["id"], "accept", "ship", "deliver")
    assert world.order(order["id"])["status"] == "delivered"
    assert findings() == []


def test_the_sweep_tells_how_long_the_oldest_event_has_waited(
    world: World, time: StillClock, capsys: pytest.CaptureFixture[str]
) -> None:
    order = world.place(world.sale())
    with sqs_refusing():
        world.pay(order)
    time.move_on(seconds=90)
    capsys.readouterr()
    invoke("outbox_sweep")
    written = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["OutboxLag"] for line in written if "OutboxLag" in line] == [[90.0]]


def test_an_empty_outbox_is_no_work(world: World) -> None:
    before = snapshot(world.environment)
    invoke("outbox_sweep")
    assert snapshot(world.environment) == before


def waiting(world: World) -> list[Any]:
    return [{"type": row.type, "subject": row.subject} for row in OutboxRow.scan()]


def publish() -> None:
    transaction = Transaction()
    transaction.publish(Event(events.CAMPAIGN_CLOSED, "cmp_1"))
    transaction.commit()


class Sqs:
    """SQS, but for queues whose name has some word in it: there `sends` decides."""

    def __init__(self, word: str, sends: Callable[[Any, dict[str, Any]], Any]) -> None:
        self._client, self._word, self._sends = queues.client(), word, sends

    def send_message_batch(self, **batch: Any) -> Any:
        if self._word in batch["QueueUrl"]:
            return self._sends(self._client, batch)
        return self._client.send_message_batch(**batch)


@contextmanager
def sqs_refusing(queue: str = "") -> Iterator[None]:
    """SQS cannot be reached: for a queue whose name has this in it, or for any."""

    def refuse(*_: Any) -> Any:
        raise ConnectionError("SQS is away")

    with mock.patch.object(queues, "client", return_value=Sqs(queue, refuse)):
        yield


@contextmanager
def sqs_taking_nothing() -> Iterator[None]:
    """SQS answers, but with every message of the batch among the failed ones."""

    def fail(_: Any, batch: dict[str, Any]) -> Any:
        return {"Successful": [], "Failed": [{"Id": entry["Id"]} for entry in batch["Entries"]]}

    with mock.patch.object(queues, "client", return_value=Sqs("", fail)):
        yield
