"""What refunds by units and by amounts leave of an order, in any order (contract, section 6)."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise, permutations
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.pricing import price
from chalicelib.ordering.rules import Order
from chalicelib.ordering.shares import Shares
from tests.support.made import a_basket, a_line, an_offer, an_order

Step = Callable[[Order], Order]


def of_amount(amount: int) -> Step:
    return lambda order: order.after_refund_of_amount(amount)


def of_units(**units: int) -> Step:
    return lambda order: order.after_refund(units)


def after(order: Order, *steps: Step) -> Order:
    for step in steps:
        order = step(order)
    return order


def shares(order: Order) -> Shares:
    """What is refunded of all lines together."""
    return sum((line.refunded for line in order.lines), Shares())


def whole(order: Order) -> Shares:
    return sum((line.whole for line in order.lines), Shares())


def each_share(part: Shares) -> tuple[int, ...]:
    *amounts, others = vars(part).values()
    return (*amounts, *others)


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """Paid orders of a few lines, with a discount and shipping to be divided."""
    baskets = [
        a_basket(
            an_offer(
                sku_id=f"sku_{n}",
                price=draw(st.integers(1, 5_000)),
                unit_cost=draw(st.integers(0, 6_000)),
                rate_bps=draw(st.integers(0, 10_000)),
                basis=draw(st.sampled_from(["sales", "gross_profit"])),
            ),
            draw(st.integers(1, 12)),
            leader_price=draw(st.none() | st.integers(5_000, 9_000)),
        )
        for n in range(draw(st.integers(1, 4)))
    ]
    subtotal = sum(basket.offer.price * basket.quantity for basket in baskets)
    discount = draw(st.integers(0, subtotal))
    shipping = draw(st.integers(0, 2_000))
    return an_order(price(baskets, plan_version=1, discount=discount, shipping=shipping))


def a_step(data: st.DataObject, order: Order) -> Order:
    """The order after some refund that it allows."""
    if order.amount_left and data.draw(st.booleans()):
        return order.after_refund_of_amount(data.draw(st.integers(1, order.amount_left)))
    left = order.everything_left()
    sku_id = data.draw(st.sampled_from(sorted(left)))
    return order.after_refund({sku_id: data.draw(st.integers(1, left[sku_id]))})


def some_steps(data: st.DataObject, order: Order, most: int = 5) -> list[Order]:
    """The order, and as it is after each of some refunds."""
    seen = [order]
    for _ in range(data.draw(st.integers(1, most))):
        if seen[-1].everything_left():
            seen.append(a_step(data, seen[-1]))
    return seen


def two_lines(**changes: Any) -> Order:
    """Eggs, 3 at 10.00, and milk, 1 at 5.00: costs 7.00 and 4.00, commissions 10 %."""
    eggs = a_line(3, sku_id="eggs")
    milk = a_line(1, sku_id="milk", price=500, unit_cost=400)
    return an_order((replace(eggs, **changes), replace(milk, **changes)))


def test_an_amount_is_divided_over_what_the_lines_have_left() -> None:
    refunded = after(two_lines(), of_amount(700))
    assert [line.refunded_amount for line in refunded.lines] == [600, 100]
    assert [line.refunded.cost for line in refunded.lines] == [420, 80]
    assert [line.refunded.commission for line in refunded.lines] == [60, 10]
    assert [line.refunded_quantity for line in refunded.lines] == [0, 0]
    assert refunded.everything_left() == {"eggs": 3, "milk": 1}


def test_the_remainder_goes_where_it_is_largest() -> None:
    refunded = after(two_lines(), of_amount(100))  # 85.7 and 14.3
    assert [line.refunded_amount for line in refunded.lines] == [86, 14]


def test_units_after_an_amount_divide_what_it_left() -> None:
    order = after(two_lines(), of_amount(700))  # eggs have 24.00 left, for 3 units
    seen = []
    for _ in range(3):
        order = after(order, of_units(eggs=1))
        seen.append(order.lines[0].refunded_amount)
    assert seen == [1400, 2200, 3000]


def test_an_amount_after_units_is_divided_by_what_they_left() -> None:
    order = after(two_lines(), of_units(eggs=2), of_amount(300))  # 10.00 and 5.00 are left
    assert [line.refunded_amount for line in order.lines] == [2200, 100]
    assert [line.refunded_quantity for line in order.lines] == [2, 0]


def test_shipping_goes_back_once_the_nets_have() -> None:
    order = two_lines(shipping=200)
    nets = after(order, of_amount(3500))
    assert [line.left for line in nets.lines] == [Shares(shipping=200)] * 2
    assert nets.everything_left() == {"eggs": 3, "milk": 1}
    some = after(nets, of_amount(150))
    assert [line.left.shipping for line in some.lines] == [125, 125]
    assert after(some, of_amount(250)).everything_left() == {}


def test_a_line_without_money_left_has_no_units_left() -> None:
    order = after(two_lines(), of_units(eggs=3), of_amount(500))
    assert order.everything_left() == {}
    assert [line.refunded_quantity for line in order.lines] == [3, 1]


def test_a_unit_may_be_worth_nothing_any_more() -> None:
    order = after(an_order((a_line(3, sku_id="eggs"),)), of_amount(2999))
    assert after(order, of_units(eggs=1)).refunded_amount == 2999
    assert after(order, of_units(eggs=3)).refunded_amount == 3000


@pytest.mark.parametrize("amount", [0, -1, 3501])
def test_no_amount_beyond_what_is_left_is_refunded(amount: int) -> None:
    with pytest.raises(ValueError, match="cannot be refunded"):
        two_lines().after_refund_of_amount(amount)


@given(orders(), st.data())
def test_an_amount_is_refunded_to_the_cent(order: Order, data: st.DataObject) -> None:
    before = some_steps(data, order)[-1]
    assume(before.amount_left)
    amount = data.draw(st.integers(1, before.amount_left))
    assert after(before, of_amount(amount)).refunded_amount == before.refunded_amount + amount


@given(orders(), st.data())
def test_never_more_is_refunded_than_was_paid(order: Order, data: st.DataObject) -> None:
    for each in some_steps(data, order):
        assert 0 <= each.refunded_amount <= order.total
        assert each.refunded_amount + each.amount_left == order.total


@given(orders(), st.data())
def test_no_share_is_negative_or_more_than_there_was(order: Order, data: st.DataObject) -> None:
    for each in some_steps(data, order):
        for line in each.lines:
            for refunded, there_was in zip(
                each_share(line.refunded), each_share(line.whole), strict=True
            ):
                assert 0 <= refunded <= there_was


@given(orders(), st.data())
def test_each_refund_only_adds_to_what_was_refunded(order: Order, data: st.DataObject) -> None:
    seen = some_steps(data, order)
    for before, now in pairwise(seen):
        for line, now_line in zip(before.lines, now.lines, strict=True):
            assert min(each_share(now_line.refunded - line.refunded)) >= 0
            assert now_line.refunded_quantity >= line.refunded_quantity


@given(orders(), st.data())
def test_whatever_came_before_all_units_take_all_that_is_left(
    order: Order, data: st.DataObject
) -> None:
    before = some_steps(data, order)[-1]
    ended = before.after_refund(before.everything_left())
    assert shares(ended) == whole(order)
    assert [line.left for line in ended.lines] == [Shares()] * len(order.lines)


@given(orders(), st.data())
def test_whatever_came_before_the_amount_that_is_left_takes_all_units(
    order: Order, data: st.DataObject
) -> None:
    before = some_steps(data, order)[-1]
    assume(before.amount_left)
    ended = after(before, of_amount(before.amount_left))
    assert ended.everything_left() == {}
    assert shares(ended) == whole(order)


@given(orders(), st.data())
def test_steps_in_another_order_refund_as_much(order: Order, data: st.DataObject) -> None:
    """Three amounts of a quarter of all at most: none of them can end the order."""
    most = order.total // 4
    assume(most)
    amounts = [data.draw(st.integers(1, most)) for _ in range(3)]
    found = {
        after(order, *(of_amount(amount) for amount in turn)).refunded_amount
        for turn in permutations(amounts)
    }
    assert found == {sum(amounts)}


@given(orders(), st.data())
def test_all_refunded_in_any_steps_leaves_the_same(order: Order, data: st.DataObject) -> None:
    ends = []
    for _ in range(2):
        last = some_steps(data, order)[-1]
        ends.append(last.after_refund(last.everything_left()))
    assert [line.refunded for line in ends[0].lines] == [line.refunded for line in ends[1].lines]
    assert {line.units_left for end in ends for line in end.lines} == {0}


@given(orders(), st.data())
def test_an_amount_takes_in_proportion_to_what_a_line_has_left(
    order: Order, data: st.DataObject
) -> None:
    nets = [line.net for line in order.lines]
    assume(sum(nets) > 1)
    amount = data.draw(st.integers(1, sum(nets) - 1))
    for line, net in zip(after(order, of_amount(amount)).lines, nets, strict=True):
        assert abs(line.refunded.net * sum(nets) - amount * net) < sum(nets)


@given(orders(), st.data())
def test_cost_and_commission_fall_with_the_net(order: Order, data: st.DataObject) -> None:
    assume(order.total > 1)
    refunded = after(order, of_amount(data.draw(st.integers(1, order.total - 1))))
    for line in refunded.lines:
        if line.net and line.units_left:
            for share, there_was in (
                (line.refunded.cost, line.cost),
                (line.refunded.commission, line.commission),
            ):
                off = share * line.net - there_was * line.refunded.net
                assert 2 * abs(off) <= line.net  # half a minor unit


@given(orders(), st.data())
def test_shipping_is_not_touched_while_there_are_nets(order: Order, data: st.DataObject) -> None:
    nets = sum(line.net for line in order.lines)
    assume(nets > 1)
    refunded = after(order, of_amount(data.draw(st.integers(1, nets - 1))))
    assert all(not line.refunded.shipping for line in refunded.lines if line.units_left)


@given(orders(), st.data())
def test_an_amount_takes_no_units_but_of_lines_without_money(
    order: Order, data: st.DataObject
) -> None:
    before = some_steps(data, order)[-1]
    assume(before.amount_left > 1)
    refunded = after(before, of_amount(data.draw(st.integers(1, before.amount_left - 1))))
    for sku_id in refunded.units_since(before):
        (line,) = [line for line in refunded.lines if line.sku_id == sku_id]
        assert (line.units_left, line.left) == (0, Shares())


@given(orders(), st.data())
def test_without_amounts_units_are_worth_what_they_always_were(
    order: Order, data: st.DataObject
) -> None:
    line: OrderLine = order.lines[0]
    units = data.draw(st.integers(1, line.quantity))
    refunded = order.after_refund({line.sku_id: units}).lines[0].refunded
    assert refunded == line.whole.portion(units, line.quantity)
