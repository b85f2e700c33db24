"""Unpaid orders expire by the sweep, and give back once what they held."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from chalicelib.ordering import ending
from chalicelib.ordering.rules import Order
from tests.functional.workers.conftest import StillClock
from tests.support.invariants import findings
from tests.support.lambdas import invoke
from tests.support.snapshot import snapshot
from tests.support.world import Sale, World


def test_an_unpaid_order_expires_once_its_time_is_over(world: World, time: StillClock) -> None:
    order = world.place(world.sale())
    assert order["expires_at"] == "2026-03-10T12:15:00.000Z"
    time.move_on(minutes=14, seconds=59)
    invoke("order_expire")
    assert status(world, order) == "pending_payment"
    time.move_on(seconds=1)
    invoke("order_expire")
    assert status(world, order) == "expired"


def test_stock_and_limits_come_back_once(world: World, time: StillClock) -> None:
    sale = world.sale(stock=5, limit=2)
    world.place(sale, quantity=2)
    assert held(world, sale) == (5, 2, 3)
    time.move_on(minutes=15)
    for _ in range(3):
        invoke("order_expire")
    assert held(world, sale) == (5, 0, 5)
    again = world.customer().post("/v1/orders", world.order_body(sale, 2))
    assert again.status == 201
    third = world.customer().post("/v1/orders", world.order_body(sale, 1))
    assert (third.status, third.code) == (409, "customer_limit_reached")
    assert findings() == []


def test_a_sweep_that_runs_again_changes_nothing(world: World, time: StillClock) -> None:
    sale = world.sale(skus=2, limit=3)
    for n in range(3):
        world.place(sale, world.customer(f"cus_{n}"))
    time.move_on(minutes=15)
    invoke("order_expire")
    before = snapshot(world.environment)
    invoke("order_expire")
    assert snapshot(world.environment) == before
    assert findings() == []


def test_an_order_that_was_paid_late_but_before_the_sweep_is_paid(
    world: World, time: StillClock
) -> None:
    sale = world.sale(stock=5)
    order = world.place(sale, quantity=2)
    time.move_on(hours=1)
    assert world.pay(order).status == 200
    invoke("order_expire")
    assert status(world, order) == "paid"
    assert held(world, sale) == (3, 0, 3)


def test_a_leader_has_a_day_to_collect(world: World, time: StillClock) -> None:
    order = world.place(world.sale(), payment_method="leader_collect")
    assert order["expires_at"] == "2026-03-11T12:00:00.000Z"
    time.move_on(hours=23, minutes=59)
    invoke("order_expire")
    assert status(world, order) == "pending_payment"
    time.move_on(minutes=1)
    invoke("order_expire")
    assert status(world, order) == "expired"


def test_an_order_that_was_paid_between_reading_and_writing_stays_paid(
    world: World, time: StillClock
) -> None:
    sale = world.sale(stock=5)
    order = world.place(sale)
    time.move_on(minutes=15)
    end = ending.end_unpaid

    def paid_just_before(*args: Any) -> Any:
        assert world.pay(order).status == 200
        return end(*args)

    with mock.patch.object(ending, "end_unpaid", paid_just_before):
        invoke("order_expire")
    assert status(world, order) == "paid"
    assert held(world, sale) == (4, 0, 4)


def test_one_order_that_cannot_end_does_not_hold_back_the_others(
    world: World, time: StillClock
) -> None:
    sale = world.sale()
    poison = world.place(sale)
    time.move_on(seconds=1)
    others = [world.place(sale, world.customer(f"cus_{n}")) for n in range(3)]
    time.move_on(minutes=15)
    with failing_for(poison), pytest.raises(RuntimeError, match="poison"):
        invoke("order_expire")
    assert [status(world, order) for order in others] == ["expired"] * 3
    assert status(world, poison) == "pending_payment"
    invoke("order_expire")
    assert status(world, poison) == "expired"
    assert findings() == []


def test_stock_that_a_cancelled_order_owes_is_put_back_after_a_crash(world: World) -> None:
    sale = world.sale(stock=5)
    order = world.paid_order(sale, quantity=2)
    with mock.patch.object(ending, "restock", side_effect=RuntimeError("crash")):
        assert world.operator.post(f"/v1/orders/{order['id']}/cancel", {}).status == 500
    assert world.stock(sale.sku_ids[0])["committed"] == 2
    for _ in range(2):
        invoke("order_expire")
    assert held(world, sale) == (5, 0, 5)
    assert world.stock(sale.sku_ids[0])["committed"] == 0
    world.work()
    assert findings() == []


def status(world: World, order: Any) -> str:
    return str(world.order(order["id"])["status"])


def held(world: World, sale: Sale) -> tuple[int, int, int]:
    """Units on hand, reserved and available of the sale's first SKU."""
    stock = world.stock(sale.sku_ids[0])
    return stock["on_hand"], stock["reserved"], stock["available"]


@contextmanager
def failing_for(poison: Any) -> Iterator[None]:
    look = ending._look_at

    def look_or_fail(order: Order, *args: Any) -> None:
        if order.id == poison["id"]:
            raise RuntimeError("poison")
        look(order, *args)

    with mock.patch.object(ending, "_look_at", look_or_fail):
        yield
