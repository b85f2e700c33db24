"""Customers who pay at Stripe in the very moment in which their orders end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from pytest_httpserver import HTTPServer

from chalicelib.kernel import clock
from chalicelib.ordering import charging, ending
from chalicelib.ordering.charging import Stopped
from chalicelib.payments.providers.stripe import StripeProvider
from tests.race.test_payments import AFTER_EXPIRY
from tests.support.at_once import THREADS, at_once, each
from tests.support.clouds import IN_MEMORY
from tests.support.invariants import findings
from tests.support.lambdas import handle
from tests.support.stripe_server import StripeServer, TooLate
from tests.support.stripe_world import at_odds, connected, tell
from tests.support.unguarded import unguarded
from tests.support.world import Json, World

ORDERS = 8


@pytest.fixture
def stripe(world: World) -> Iterator[StripeServer]:
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        stripe = StripeServer(server)
        with connected(stripe):
            yield stripe


def pay(world: World, stripe: StripeServer, order: Json) -> bool:
    """The customer pays at Stripe, if it still can, and Stripe tells."""
    try:
        event = stripe.pay_order(order)
    except TooLate:
        return False
    assert tell(world, event).status == 200
    return True


def placed(world: World) -> tuple[list[Json], str]:
    """Orders that hold all units there are."""
    sale = world.sale(stock=ORDERS, limit=1)
    orders = [world.place(sale, world.customer(f"cus_{n}")) for n in range(ORDERS)]
    return orders, sale.sku_ids[0]


def pay_while_expiring(world: World, stripe: StripeServer) -> tuple[list[bool], list[Json]]:
    orders, _ = placed(world)
    later = clock.now() + AFTER_EXPIRY
    pays = each(orders, lambda order: pay(world, stripe, order))
    sweeps: list[Any] = [lambda: ending.sweep(later)] * 4
    paid = at_once([*pays, *sweeps])[:ORDERS]
    world.work()
    ending.sweep(later)
    world.work()
    return paid, [world.order(order["id"]) for order in orders]


def test_an_order_is_paid_exactly_if_stripe_took_the_money(
    world: World, stripe: StripeServer
) -> None:
    paid, orders = pay_while_expiring(world, stripe)
    assert [order["status"] == "paid" for order in orders] == paid
    assert {order["status"] for order in orders} <= {"paid", "expired"}
    assert findings({orders[0]["lines"][0]["sku_id"]: ORDERS}) == []
    assert at_odds(world, stripe) == []


@IN_MEMORY
def test_control_the_rig_catches_an_order_that_ends_unasked(
    world: World, stripe: StripeServer
) -> None:
    orders, _ = placed(world)
    with ending_unasked():
        ending.sweep(clock.now() + AFTER_EXPIRY)
    found = at_odds(world, stripe)
    assert len(found) == len(orders)
    assert all("can still be paid" in finding for finding in found)


@IN_MEMORY
def test_control_the_rig_catches_money_booked_and_its_order_expired(
    world: World, stripe: StripeServer
) -> None:
    with unguarded():
        pay_while_expiring(world, stripe)
    assert findings() != [] or at_odds(world, stripe) != []


def test_a_customer_cancels_while_its_payment_goes_through(
    world: World, stripe: StripeServer
) -> None:
    orders, sku_id = placed(world)
    pays = each(orders, lambda order: pay(world, stripe, order))
    cancels = each(orders, lambda order: cancel(world, order))
    answers = at_once([*pays, *cancels])
    world.work()
    ended = [world.order(order["id"])["status"] for order in orders]
    assert ended == ["paid" if so else "cancelled" for so in answers[:ORDERS]]
    assert answers[ORDERS:] == [409 if so else 200 for so in answers[:ORDERS]]
    assert findings({sku_id: ORDERS}) == []
    assert at_odds(world, stripe) == []


@contextmanager
def looking_before_anyone_asks() -> Iterator[None]:
    """No worker asks for the refund before all have looked for it in vain."""
    look, all_have = StripeProvider._attempts_of, threading.Barrier(THREADS, timeout=30)

    def look_and_wait(*args: Any) -> Any:
        found = look(*args)
        all_have.wait()
        return found

    with mock.patch.object(StripeProvider, "_attempts_of", look_and_wait):
        yield


def refund_from_all_sides(world: World, stripe: StripeServer) -> list[int]:
    """One refund's message comes to sixteen workers at once. What Stripe has sent back."""
    order = world.place(world.sale(), quantity=2)
    assert pay(world, stripe, order)
    world.work()
    assert world.operator.post(f"/v1/orders/{order['id']}/cancel", {}).status == 200
    (message,) = world.messages("REFUND_EXECUTE")
    with looking_before_anyone_asks():
        at_once([lambda: handle("refund_execute", message)] * THREADS)
    handle("refund_execute", message)
    world.work()
    return [each["amount"] for each in stripe.refunds.values()]


def test_a_refund_that_many_workers_send_is_made_once(world: World, stripe: StripeServer) -> None:
    assert refund_from_all_sides(world, stripe) == [2000]
    assert findings() == []
    assert at_odds(world, stripe) == []


@IN_MEMORY
def test_control_the_rig_catches_a_refund_without_its_key(
    world: World, stripe: StripeServer
) -> None:
    stripe.keeps_keys, stripe.refunds_too_much = False, True
    assert refund_from_all_sides(world, stripe) == [2000] * THREADS


def cancel(world: World, order: Json) -> int:
    caller = world.customer(order["customer_id"])
    return caller.post(f"/v1/orders/{order['id']}/cancel", {}).status


@contextmanager
def ending_unasked() -> Iterator[None]:
    """Orders end as if there were no provider to ask."""
    with mock.patch.object(charging, "_stop", return_value=Stopped(None)):
        yield
