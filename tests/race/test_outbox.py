"""Events on their way to the queues, while sweeps send what was left behind."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import Any
from unittest import mock

from botocore.exceptions import ClientError

from chalicelib.kernel import clock
from chalicelib.platform import outbox, queues
from chalicelib.platform.outbox import OutboxRow
from tests.support.at_once import THREADS, at_once, each
from tests.support.aws_calls import Send, around_each_call
from tests.support.clouds import IN_MEMORY
from tests.support.invariants import findings
from tests.support.world import World

AFTER_GRACE = timedelta(minutes=1)


@contextmanager
def refusing_every_third_message() -> Iterator[None]:
    """SQS as it is on a bad day."""
    number = count(1)

    def refuse(operation: str, send: Send) -> Any:
        if operation == "SendMessageBatch" and next(number) % 3 == 0:
            raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, operation)
        return send()

    with around_each_call(refuse):
        yield


def sweep() -> None:
    outbox.sweep(clock.now() + AFTER_GRACE)


def tolerant(sweep: Callable[[], None]) -> Callable[[], None]:
    """A sweep that fails is made up for by the next one."""

    def run() -> None:
        try:
            sweep()
        except ClientError:
            return

    return run


def pay_while_sweeping(world: World) -> list[str]:
    """Twelve orders are paid while four sweeps go over the outbox and SQS refuses a third."""
    sale = world.sale()
    orders = [world.place(sale) for _ in range(12)]
    pays: list[Callable[[], object]] = [*each(orders, world.pay)]
    with refusing_every_third_message():
        at_once([*pays, *[tolerant(sweep)] * 4])
    sweep()
    world.work()
    return findings({sale.sku_ids[0]: 100})


def test_every_event_arrives_though_sweeps_and_refusals_come_between(world: World) -> None:
    assert pay_while_sweeping(world) == []


@IN_MEMORY
def test_control_the_rig_catches_an_outbox_that_forgets_before_it_sends(world: World) -> None:
    def forget_then_send(row: OutboxRow) -> None:
        row.delete()
        queues.send_event(row.event)

    with mock.patch.object(outbox, "_send", forget_then_send):
        found = pay_while_sweeping(world)
    assert any("is paid and has no dispatch" in finding for finding in found)


def test_sixteen_sweeps_send_what_one_outage_left_behind(world: World) -> None:
    sale = world.sale()
    orders = [world.place(sale) for _ in range(5)]
    with mock.patch.object(queues, "send_event", side_effect=ConnectionError):
        for order in orders:
            assert world.pay(order).status == 200
    world.work()
    assert [world.order(order["id"])["dispatches"] for order in orders] == [[]] * 5
    at_once([sweep] * THREADS)
    world.work()
    assert [len(world.order(order["id"])["dispatches"]) for order in orders] == [1] * 5
    assert findings({sale.sku_ids[0]: 100}) == []
