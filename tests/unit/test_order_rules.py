"""An order's states and what refunds leave of it (contract, sections 4 and 6)."""

from dataclasses import replace
from itertools import permutations
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ordering import held_units
from chalicelib.ordering.lines import OrderLine, limited_units
from chalicelib.ordering.pricing import price
from chalicelib.ordering.rules import DispatchStatus, Order, OrderStatus, status_after
from chalicelib.ordering.shares import Shares
from chalicelib.stock.rules import from_first
from tests.support.made import NOW, a_basket, a_line, an_offer, an_order, summaries

STATES: tuple[DispatchStatus, ...] = get_args(DispatchStatus)

# Rows and columns are the states of an order's two dispatches. Both ended without a delivery
# is left out: nothing is then left unrefunded.
OF_TWO = """
            created  accepted  shipped  delivered  rejected  cancelled
created     paid     paid      shipped  shipped    paid      paid
accepted    paid     paid      shipped  shipped    paid      paid
shipped     shipped  shipped   shipped  shipped    shipped   shipped
delivered   shipped  shipped   shipped  delivered  delivered delivered
rejected    paid     paid      shipped  delivered  -         -
cancelled   paid     paid      shipped  delivered  -         -
"""


def table(text: str) -> list[tuple[str, str, str]]:
    header, *rows = [line.split() for line in text.strip().splitlines()]
    return [
        (row[0], column, cell)
        for row in rows
        for column, cell in zip(header, row[1:], strict=True)
        if cell != "-"
    ]


@st.composite
def lines(draw: st.DrawFn) -> OrderLine:
    offer = an_offer(
        price=draw(st.integers(1, 10**6)),
        unit_cost=draw(st.integers(0, 10**6)),
        rate_bps=draw(st.integers(0, 10_000)),
        basis=draw(st.sampled_from(["sales", "gross_profit"])),
    )
    quantity = draw(st.integers(1, 300))
    discount = draw(st.integers(0, offer.price * quantity))
    shipping = draw(st.integers(0, 10_000))
    basket = [a_basket(offer, quantity)]
    return price(basket, plan_version=1, discount=discount, shipping=shipping)[0]


def amounts(shares: Shares) -> tuple[int, int, int, int]:
    return shares.net, shares.shipping, shares.cost, shares.commission


@pytest.mark.parametrize(("one", "other", "status"), table(OF_TWO))
def test_two_dispatches_make_an_orders_status(
    one: DispatchStatus, other: DispatchStatus, status: OrderStatus
) -> None:
    assert status_after(an_order(dispatches=summaries(one, other))) == status


@pytest.mark.parametrize(
    ("state", "status"),
    [("created", "paid"), ("accepted", "paid"), ("shipped", "shipped"), ("delivered", "delivered")],
)
def test_a_single_dispatch_makes_an_orders_status(
    state: DispatchStatus, status: OrderStatus
) -> None:
    assert status_after(an_order(dispatches=summaries(state))) == status


def test_an_order_whose_dispatches_are_not_made_yet_is_paid() -> None:
    assert status_after(an_order()) == "paid"


@given(st.lists(st.sampled_from(STATES), min_size=3, max_size=4))
def test_the_order_of_dispatches_does_not_matter(states: list[DispatchStatus]) -> None:
    found = {status_after(an_order(dispatches=summaries(*each))) for each in permutations(states)}
    assert len(found) == 1


@given(st.lists(st.sampled_from(STATES), min_size=1, max_size=4))
def test_a_dispatch_that_ended_unshipped_changes_no_status(states: list[DispatchStatus]) -> None:
    before = status_after(an_order(dispatches=summaries(*states)))
    for ended in ("rejected", "cancelled"):
        assert status_after(an_order(dispatches=summaries(*states, ended))) == before


@given(st.lists(st.sampled_from(STATES), max_size=3))
def test_an_order_is_refunded_once_nothing_is_left(states: list[DispatchStatus]) -> None:
    order = an_order((a_line(quantity=3),), dispatches=summaries(*states))
    part = order.after_refund({"sku_1": 2})
    assert status_after(part) == status_after(order) != "refunded"
    assert status_after(part.after_refund({"sku_1": 1})) == "refunded"


@pytest.mark.parametrize(
    ("status", "paid", "payment"),
    [
        ("pending_payment", False, "pending"),
        ("paid", True, "succeeded"),
        ("shipped", True, "succeeded"),
        ("delivered", True, "succeeded"),
        ("completed", True, "succeeded"),
        ("expired", False, "cancelled"),
        ("cancelled", False, "cancelled"),
        ("refunded", True, "refunded"),
    ],
)
def test_a_payment_follows_its_order(status: OrderStatus, paid: bool, payment: str) -> None:
    order = an_order(id="ord_7", status=status, paid_at=NOW if paid else None)
    assert (order.payment.id, order.payment.status) == ("pay_7", payment)
    assert (order.payment.amount, order.payment.method) == (order.total, "card")


def test_a_refund_of_some_units_is_a_rounded_part_of_the_line() -> None:
    line = replace(a_line(quantity=3), net=100, cost=50, commission=10, shipping=4)
    assert amounts(line.worth(1)) == (33, 1, 17, 3)  # 33.3, 1.3, 16.7, 3.3
    assert amounts(line.worth(2)) == (67, 3, 33, 7)  # 66.7, 2.7, 33.3, 6.7
    assert amounts(line.worth(3)) == (100, 4, 50, 10)


def test_each_refund_takes_the_difference_to_the_one_before() -> None:
    order = an_order((replace(a_line(quantity=3), net=100),))
    shown = []
    for _ in range(3):
        order = order.after_refund({"sku_1": 1})
        shown.append(order.refunded_amount)
    assert shown == [33, 67, 100]


@given(lines(), st.data())
def test_refunds_in_any_steps_add_up_to_what_was_paid(line: OrderLine, data: st.DataObject) -> None:
    paid, taken, refunded = line.net + line.shipping, Shares(), [0]
    while line.units_left:
        before = line.refunded
        line = line.after_refund(data.draw(st.integers(1, line.units_left)))
        taken += line.refunded - before
        refunded.append(line.refunded_amount)
        assert amounts(taken + line.left) == (line.net, line.shipping, line.cost, line.commission)
    assert amounts(taken) == (line.net, line.shipping, line.cost, line.commission)
    assert refunded == sorted(refunded)
    assert refunded[-1] == paid


@given(lines())
def test_no_number_of_units_is_worth_more_than_the_line(line: OrderLine) -> None:
    whole = amounts(line.worth(line.quantity))
    assert whole == (line.net, line.shipping, line.cost, line.commission)
    for units in range(line.quantity + 1):
        assert all(
            0 <= some <= all_ for some, all_ in zip(amounts(line.worth(units)), whole, strict=True)
        )


@pytest.mark.parametrize("units", [0, -1, 4])
def test_no_more_can_be_refunded_than_is_left(units: int) -> None:
    with pytest.raises(ValueError, match="cannot be refunded"):
        a_line(quantity=3).after_refund(units)


def test_a_refund_of_one_line_leaves_the_others() -> None:
    order = an_order((a_line(2, sku_id="a"), a_line(5, sku_id="b", price=300)))
    after = order.after_refund({"b": 2})
    assert [line.refunded_quantity for line in after.lines] == [0, 2]
    assert (after.refunded_amount, after.everything_left()) == (600, {"a": 2, "b": 3})
    assert after.total == order.total


def test_stock_that_a_cancelled_order_owes_is_what_was_not_refunded() -> None:
    order = an_order((a_line(5, sku_id="a"), a_line(1, sku_id="b"))).after_refund({"a": 2, "b": 1})
    owing = held_units.to_restock(order, NOW)
    assert (held_units.parts_to_restock(owing), owing.due_at) == (
        {"a": from_first(3), "b": ()},
        NOW,
    )
    paid_back = held_units.restocked(owing)
    assert (held_units.parts_to_restock(paid_back), paid_back.due_at) == ({"a": (), "b": ()}, None)


def test_only_an_unpaid_order_waits_for_its_expiry() -> None:
    order = an_order(status="pending_payment", paid_at=None)
    assert order.due_at == order.expires_at
    assert order.changed("paid").due_at is None


def test_every_change_of_state_raises_the_version_by_one() -> None:
    order: Order = an_order(version=7)
    assert order.changed("shipped").version == 8
    assert held_units.restocked(held_units.to_restock(order, NOW)).version == 8


def test_suppliers_are_named_once_in_the_order_of_their_lines() -> None:
    bought = (("a", "sup_2"), ("b", "sup_1"), ("c", "sup_2"))
    order = an_order(tuple(a_line(sku_id=sku, supplier_id=sup) for sku, sup in bought))
    assert order.supplier_ids() == ("sup_2", "sup_1")
    assert [line.sku_id for line in order.lines_of("sup_2")] == ["a", "c"]


def test_limits_count_only_lines_that_have_one() -> None:
    bought = (a_line(2, sku_id="a", limit_per_customer=3), a_line(9, sku_id="b"))
    assert limited_units(bought) == {"a": (2, 3)}
