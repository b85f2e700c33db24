"""What goes wrong with a deployed stack, made to happen: messages lost, and time gone by."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from unittest import mock

import boto3

from chalicelib.kernel import clock
from chalicelib.ordering import paying
from chalicelib.payments.providers import PaymentSucceeded
from chalicelib.platform import queues
from tests.support.deployed import DeployedWorld, until
from tests.support.process import forget_everything
from tests.support.world import Json, Sale

LONG_AGO = timedelta(minutes=6)


def ago(some: timedelta = LONG_AGO) -> str:
    return clock.to_text(clock.now() - some)


def paid_but_nobody_was_told(world: DeployedWorld, sale: Sale) -> Json:
    """A paid order whose event has lain in the outbox for some minutes."""
    order = world.place(sale)
    event = PaymentSucceeded(f"ch_{order['id']}", order["payment"]["id"], order["total"], "EUR")
    with _without_sqs(world):
        paying.receive("local", event)
    world.change("OUTBOX", f"order.paid:{order['id']}", "event", published_at=ago())
    return order


def lost_messages(world: DeployedWorld, queue: str, messages: int) -> list[Json]:
    """Take that many away, once all of them have come. Its worker must be off."""
    until(lambda: world.waiting(queue) == messages, f"{messages} messages in {queue}")
    return world.messages(queue)


def start_run(world: DeployedWorld) -> Json:
    """Today's settlement run."""
    today = clock.now().date().isoformat()
    answer = world.operator.post("/v1/settlement-runs", {"business_date": today})
    assert answer.status in (200, 202), answer.text
    return answer.json


def unsettled_run(world: DeployedWorld, leaders: int, *settled: int) -> Json:
    """A run that stands still since minutes: only these of its messages have arrived."""
    with world.without("SettlementSettle"):
        run = start_run(world)
        messages = lost_messages(world, "SETTLEMENT_SETTLE", leaders)
        for number in settled:
            world.invoke("SettlementSettle", messages[number])
    world.change("SETTLEMENT", run["id"], "page#000000", sent_at=ago())
    return run


@contextmanager
def _without_sqs(world: DeployedWorld) -> Iterator[None]:
    """This process is the API's function for a while, but SQS takes nothing."""
    with mock.patch.dict(os.environ, dict(world.environment)):
        _forget()
        with mock.patch.object(queues, "send_event", side_effect=ConnectionError):
            yield
    _forget()


def _forget() -> None:
    boto3.setup_default_session()
    forget_everything()
