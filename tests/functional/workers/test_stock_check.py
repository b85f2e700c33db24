"""At night the stock is held against the orders: differences become cases, none is mended."""

from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

from chalicelib.ordering import checking
from chalicelib.ordering import store as ordering
from chalicelib.platform.transaction import Update, write
from chalicelib.stock.store import StockRow
from tests.functional.workers.conftest import StillClock
from tests.support.granted import running_as
from tests.support.invariants import findings
from tests.support.lambdas import invoke
from tests.support.snapshot import snapshot
from tests.support.world import Json, Sale, World


@pytest.fixture(autouse=True)
def between_looks() -> Iterator[mock.Mock]:
    """What happens between two looks; no test waits for it."""
    with mock.patch("chalicelib.ordering.checking.time.sleep") as slept:
        yield slept


def check(world: World) -> list[Json]:
    """The cases that a night has opened."""
    invoke("stock_check")
    cases = world.operator.get("/v1/cases").json["items"]
    return [case for case in cases if case["kind"] == "stock_difference"]


def distort(sku_id: str, **units: int) -> None:
    row = StockRow
    actions = [getattr(row, kind).add(n) for kind, n in units.items()]
    with running_as(None):
        write(Update(row.at(sku_id, "stock"), [*actions, row.version.add(1)]))


def in_every_state(world: World) -> Sale:
    """A hot SKU with orders unpaid, paid, in part refunded, rejected, shipped and cancelled."""
    sale = world.sale(stock=100)
    patched = world.operator.patch(f"/v1/skus/{sale.sku_ids[0]}", {"stock_shards": 3})
    assert patched.status == 200
    world.place(sale, quantity=2)
    world.paid_order(sale, quantity=3)
    partly = world.paid_order(sale, quantity=4)
    lines = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
    body = {"lines": lines, "reason": "broken"}
    assert world.operator.post(f"/v1/orders/{partly['id']}/refunds", body).status == 201
    rejected, shipped = (world.paid_order(sale, quantity=n)["dispatches"][0]["id"] for n in (5, 6))
    reason = {"reason": "sold out"}
    assert world.operator.post(f"/v1/dispatches/{rejected}/reject", reason).status == 200
    world.move(shipped, "accept", "ship")
    world.delivered_order(sale)
    cancelled = world.place(sale, quantity=7)
    assert world.customer().post(f"/v1/orders/{cancelled['id']}/cancel", {}).status == 200
    return sale


def test_orders_in_every_state_agree_with_the_stock(world: World, between_looks: mock.Mock) -> None:
    in_every_state(world)
    assert check(world) == []
    assert findings() == []
    between_looks.assert_not_called()


def test_units_that_a_cancelled_order_still_owes_are_held_by_it(world: World) -> None:
    from chalicelib.ordering import ending

    order = world.paid_order(world.sale(stock=10), quantity=2)
    with mock.patch.object(ending, "restock", side_effect=RuntimeError("crash")):
        assert world.operator.post(f"/v1/orders/{order['id']}/cancel", {}).status == 500
    assert check(world) == []


@pytest.mark.parametrize("kind", ["reserved", "committed"])
@pytest.mark.parametrize("units", [1, -1])
def test_a_difference_is_reported_and_not_mended(world: World, kind: str, units: int) -> None:
    sale = in_every_state(world)
    distort(sale.sku_ids[0], **{kind: units})
    before = snapshot(world.environment)
    (case,) = check(world)
    assert (case["subject"], case["status"]) == (sale.sku_ids[0], "open")
    assert f"units {kind}" in case["detail"]
    after = snapshot(world.environment)
    assert after["STOCK_TABLE"] == before["STOCK_TABLE"]
    assert after["ORDERING_TABLE"] == before["ORDERING_TABLE"]


def test_a_night_reports_once_and_the_next_one_again(world: World, time: StillClock) -> None:
    sale = world.sale()
    distort(sale.sku_ids[0], reserved=1)
    assert len(check(world)) == 1
    assert len(check(world)) == 1
    time.move_on(days=1)
    assert len(check(world)) == 2


def test_an_order_that_an_index_does_not_show_yet_is_no_difference(
    world: World, between_looks: mock.Mock
) -> None:
    sale = world.sale()
    world.place(sale)
    looks: list[Any] = [[], list(ordering.live_orders())]
    with mock.patch.object(ordering, "live_orders", side_effect=looks):
        assert check(world) == []
    between_looks.assert_called_once()


def test_a_sku_that_never_stands_still_is_left_to_the_next_night(
    world: World, between_looks: mock.Mock
) -> None:
    sale = world.sale()
    distort(sale.sku_ids[0], reserved=1)
    between_looks.side_effect = lambda _: distort(sale.sku_ids[0], available=-1)
    assert check(world) == []
    assert between_looks.call_count == checking.LOOKS


def test_an_order_placed_while_orders_are_read_is_no_difference(world: World) -> None:
    sale = world.sale()
    read: Callable[[], Any] = ordering.live_orders

    def placed_first() -> Any:
        seen = list(read())
        world.place(sale)
        return seen

    with mock.patch.object(ordering, "live_orders", placed_first):
        assert check(world) == []


def test_orders_that_hold_nothing_are_not_read(world: World, time: StillClock) -> None:
    sale = world.sale()
    delivered = world.delivered_order(sale)
    assert list(ordering.live_orders()) == []
    time.move_on(days=8)
    invoke("order_expire")
    assert world.order(delivered["id"])["status"] == "completed"
    assert list(ordering.live_orders()) == []


def test_stock_and_orders_are_read_in_pages(world: World) -> None:
    sales = [in_every_state(world) for _ in range(2)]
    distort(sales[0].sku_ids[0], reserved=1)
    with (
        mock.patch.object(checking, "SKUS_A_READ", 1),
        mock.patch("chalicelib.platform.store.GET_LIMIT", 2),
    ):
        (case,) = check(world)
    assert case["subject"] == sales[0].sku_ids[0]
