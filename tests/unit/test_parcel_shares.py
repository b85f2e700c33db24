"""What ships, arrives, is rejected and is refunded of a line, in any order: its shares add up to
the cent, and each parcel's are its own (contract, section 6)."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.dispatch.earned import Days, earned_lines
from chalicelib.kernel.money import at_rate
from chalicelib.ordering.lines import OrderLine, Substitute
from chalicelib.ordering.pricing import price
from chalicelib.ordering.shares import Shares
from chalicelib.plans.rules import Basis, Share, Terms
from chalicelib.stock.rules import Part
from tests.support.made import a_basket, a_line, an_offer, an_order

# A hundred minor units of each kind for three equal units: nothing divides without a rest.
THIRDS = replace(a_line(quantity=3), net=100, cost=50, commission=10, shipping=4, amount=100)


@st.composite
def divided_terms(draw: st.DrawFn) -> Terms:
    """A plan's, by which others have their parts of what the line brings."""
    rate = draw(st.integers(1, 4_000))
    first = draw(st.integers(1, 5_000))
    others = [
        Share("pickup_point", "ldr_2", rate, first),
        Share("hub", "ldr_3", rate, draw(st.integers(0, 10_000 - first))),
        Share("upline_1", "ldr_4", draw(st.integers(1, 1_000))),
    ][: draw(st.integers(1, 3))]
    split = sum(each.share_bps for each in others if each.role != "upline_1")
    basis: Basis = draw(st.sampled_from(["sales", "gross_profit"]))
    floor = draw(st.none() | st.integers(1, 300))
    return Terms(
        basis, rate, "default", "cpl_1", 1, 10_000 - split, tuple(others), line_floor=floor
    )


@st.composite
def lines(draw: st.DrawFn) -> OrderLine:
    offer = an_offer(
        price=draw(st.integers(1, 5_000)),
        unit_cost=draw(st.integers(0, 6_000)),
        rate_bps=draw(st.integers(0, 10_000)),
        basis=draw(st.sampled_from(["sales", "gross_profit"])),
    )
    quantity = draw(st.integers(1, 12))
    basket = a_basket(offer, quantity, draw(st.none() | st.integers(1, 9_000)))
    if draw(st.booleans()):
        basket = replace(basket, terms=draw(divided_terms()))
    discount = draw(st.integers(0, offer.price))
    shipping = draw(st.integers(0, 2_000))
    least = min(discount, basket.price.amount)
    return price([basket], plan_version=1, discount=least, shipping=shipping)[0]


def of_money(line: OrderLine) -> list[Shares]:
    """All pieces of the line: refunded, held, and of each delivered parcel."""
    return [line.refunded, line.held, *line.posted.values()]


def refund_some_amount(data: st.DataObject, line: OrderLine) -> OrderLine:
    net = data.draw(st.integers(0, line.left.net))
    shipping = data.draw(st.integers(0, line.left.shipping)) if net == line.left.net else 0
    return line.after_refund_of_amount(net, shipping)


def a_step(data: st.DataObject, line: OrderLine, n: int) -> OrderLine:
    """The line after something that may happen to it."""
    steps = ["amount"]
    steps += ["ship"] if line.waiting else []
    steps += ["deliver"] if line.on_the_way else []
    steps += ["units"] if line.units_left else []
    steps += ["parcel"] if line.arrived else []
    step = data.draw(st.sampled_from(steps))
    if step == "ship":
        return line.after_shipping(f"prc_{n}", data.draw(st.integers(1, line.waiting)))
    if step == "deliver":
        return line.after_delivery(data.draw(st.sampled_from(line.on_the_way))[0])
    if step == "units":
        return line.after_refund(data.draw(st.integers(1, line.units_left)))
    if step == "parcel":
        return line.after_refund_of_parcel(data.draw(st.sampled_from(line.arrived))[0])
    return refund_some_amount(data, line)


def some_steps(data: st.DataObject, line: OrderLine, first: int = 0) -> list[OrderLine]:
    """The line, and as it is after each of some steps, whose parcels are numbered from `first`."""
    seen = [line]
    for n in range(data.draw(st.integers(1, 8))):
        seen.append(a_step(data, seen[-1], first + n))
    return seen


def numbers(shares: Shares) -> list[int]:
    *amounts, others = vars(shares).values()
    return [*amounts, *(others or (0, 0, 0)), *(0,) * (3 - len(others or (0, 0, 0)))]


def grows(before: Shares, after: Shares, whole: Shares) -> bool:
    """Whether each share goes away from nothing, or stays; a spread may lie below zero."""
    return all(
        min(0, total) <= now - was <= max(0, total)
        for was, now, total in zip(*map(numbers, (before, after, whole)), strict=True)
    )


def total(pieces: Sequence[Shares]) -> Shares:
    return sum(pieces, Shares())


@given(lines(), st.data())
def test_every_cent_is_refunded_held_or_posted(line: OrderLine, data: st.DataObject) -> None:
    for each in some_steps(data, line):
        assert total(of_money(each)) == line.whole


@given(lines(), st.data())
def test_nothing_is_ever_negative(line: OrderLine, data: st.DataObject) -> None:
    for each in some_steps(data, line):
        assert all(grows(Shares(), piece, line.whole) for piece in of_money(each))


@given(lines(), st.data())
def test_every_unit_is_refunded_waiting_on_its_way_or_here(
    line: OrderLine, data: st.DataObject
) -> None:
    for each in some_steps(data, line):
        sent = sum(n for _, n in (*each.on_the_way, *each.arrived))
        assert each.refunded_quantity + each.waiting + sent == line.quantity
        assert each.shipped_quantity + each.waiting <= line.quantity


@given(lines(), st.data())
def test_a_delivery_takes_from_what_is_held_and_from_nothing_else(
    line: OrderLine, data: st.DataObject
) -> None:
    before = some_steps(data, line)[-1]
    if before.waiting:
        before = before.after_shipping("prc_last", data.draw(st.integers(1, before.waiting)))
    for parcel_id, units in before.on_the_way:
        after = before.after_delivery(parcel_id)
        others = {each: shares for each, shares in after.posted.items() if each != parcel_id}
        assert (after.refunded, others) == (before.refunded, before.posted)
        assert after.held + after.posted[parcel_id] == before.held
        assert after.undelivered == before.undelivered - units


@given(lines(), st.data())
def test_a_refund_gives_nobody_more(line: OrderLine, data: st.DataObject) -> None:
    before = some_steps(data, line)[-1]
    if not before.units_left:
        return
    refunds = [before.after_refund(data.draw(st.integers(1, before.units_left)))]
    refunds += [before.after_refund_of_parcel(each) for each, _ in before.arrived[:1]]
    refunds.append(refund_some_amount(data, before))
    for after in refunds:
        assert grows(before.refunded, after.refunded, line.whole)
        assert grows(after.held, before.held, line.whole)
        for parcel_id, shares in before.posted.items():
            assert grows(after.posted.get(parcel_id, Shares()), shares, line.whole)


@given(lines(), st.data())
def test_units_are_taken_before_they_ship_then_on_their_way_then_here(
    line: OrderLine, data: st.DataObject
) -> None:
    before = some_steps(data, line)[-1]
    for _ in range(before.units_left):
        after = before.after_refund(1)
        if before.waiting:
            assert (after.on_the_way, after.arrived) == (before.on_the_way, before.arrived)
        elif before.on_the_way:
            assert (after.waiting, after.arrived) == (0, before.arrived)
        else:
            assert after.held == Shares()
        before = after


@given(lines(), st.data())
def test_a_refund_of_a_parcel_is_what_it_had(line: OrderLine, data: st.DataObject) -> None:
    before = some_steps(data, line)[-1]
    for parcel_id, units in before.arrived:
        after = before.after_refund_of_parcel(parcel_id)
        assert after.refunded == before.refunded + before.posted[parcel_id]
        assert after.refunded_quantity == before.refunded_quantity + units
        assert after.held == before.held
        rest = {each: n for each, n in before.posted.items() if each != parcel_id}
        assert after.posted == rest


@given(lines(), st.data())
def test_all_that_is_left_refunded_leaves_nobody_anything(
    line: OrderLine, data: st.DataObject
) -> None:
    before = some_steps(data, line)[-1]
    after = before.after_refund(before.units_left) if before.units_left else before
    assert (after.refunded, after.held, after.posted) == (line.whole, Shares(), {})


@given(lines(), st.data())
def test_all_that_is_left_delivered_leaves_nothing_held(
    line: OrderLine, data: st.DataObject
) -> None:
    end = some_steps(data, line)[-1]
    if end.waiting:
        end = end.after_shipping("prc_last", end.waiting)
    for parcel_id, _ in end.on_the_way:
        end = end.after_delivery(parcel_id)
    assert end.held == Shares()
    assert total(list(end.posted.values())) + end.refunded == line.whole


@given(lines(), st.data())
def test_steps_that_commute_end_alike(line: OrderLine, data: st.DataObject) -> None:
    """What is refunded before it ships and what is delivered do not mind each other's order."""
    units = data.draw(st.integers(0, line.quantity))
    sent = line.after_shipping("prc_1", units) if units else line
    refunded = data.draw(st.integers(0, sent.waiting))
    if not (units and refunded):
        return
    one = sent.after_delivery("prc_1").after_refund(refunded)
    other = sent.after_refund(refunded).after_delivery("prc_1")
    assert one == other
    split = sent.after_refund(refunded)
    for _ in range(refunded - 1):
        sent = sent.after_refund(1)
    assert sent.after_refund(1) == split


@given(lines(), st.data())
def test_until_an_amount_comes_refunds_are_what_they_were_without_parcels(
    line: OrderLine, data: st.DataObject
) -> None:
    """Refunded after k of n units is round(net x k / n), whatever has shipped or arrived."""
    units = data.draw(st.integers(1, line.quantity))
    end = line.after_shipping("prc_1", units)
    end = end.after_delivery("prc_1") if data.draw(st.booleans()) else end
    refunded = data.draw(st.integers(1, line.quantity))
    assert end.after_refund(refunded).refunded == line.whole.portion(refunded, line.quantity)


def test_parcels_of_a_line_that_does_not_divide_add_up() -> None:
    line, seen = THIRDS, []
    for parcel in ("prc_1", "prc_2", "prc_3"):
        line = line.after_shipping(parcel, 1).after_delivery(parcel)
        seen.append(line.posted[parcel].net)
    # What is held falls from 100 to 67, 33 and 0.
    assert seen == [33, 34, 33]
    assert (line.held, total(list(line.posted.values()))) == (Shares(), line.whole)


def test_a_delivery_after_a_refund_posts_its_part_of_what_is_left() -> None:
    line = THIRDS.after_shipping("prc_1", 1).after_refund(1).after_delivery("prc_1")
    assert (line.refunded.net, line.posted["prc_1"].net, line.held.net) == (33, 33, 34)


def test_an_amount_is_taken_from_what_is_held_and_from_each_parcel() -> None:
    line = replace(a_line(quantity=4), net=4000).after_shipping("prc_1", 1).after_delivery("prc_1")
    after = line.after_refund_of_amount(400, 0)
    assert (after.held.net, after.posted["prc_1"].net) == (2700, 900)
    assert (after.held.cost, after.posted["prc_1"].cost) == (1890, 630)
    again = after.after_refund(1)
    assert (again.refunded.net, again.held.net, again.posted["prc_1"].net) == (1300, 1800, 900)


@pytest.mark.parametrize("units", [0, -1, 4])
def test_no_more_ships_than_waits(units: int) -> None:
    with pytest.raises(ValueError, match="cannot be shipped"):
        THIRDS.after_shipping("prc_1", units)


BROWN = Substitute("sku_2", "sup_2", "BR-1", "Brown eggs", 800, (Part(0, 1),), "dsp_2", "chilled")


@given(lines(), st.data())
def test_a_substitute_takes_its_part_of_what_is_held_and_nothing_else(
    line: OrderLine, data: st.DataObject
) -> None:
    before = some_steps(data, line)[-1]
    if not before.waiting:
        return
    units = data.draw(st.integers(1, before.waiting))
    rest = before.without_next(units)
    brown = before.in_place(rest, BROWN)
    assert (rest.quantity + brown.quantity, brown.quantity) == (before.quantity, units)
    assert (rest.refunded, rest.posted) == (before.refunded, before.posted)
    assert rest.held + replace(brown.whole, cost=before.held.cost - rest.held.cost) == before.held
    assert (brown.cost, brown.fulfilment_mode) == (800 * units, "chilled")
    assert brown.amount - brown.discount == brown.net
    for name in ("amount", "discount", "net", "shipping", "tax", "commission", "spread"):
        assert getattr(rest, name) + getattr(brown, name) == getattr(before, name)
    assert (rest.waiting, rest.on_the_way) == (before.waiting - units, before.on_the_way)
    assert (brown.held, brown.waiting) == (brown.whole, units)


@given(lines(), st.data())
def test_what_was_agreed_is_divided_where_a_substitute_is_replaced_in_turn(
    line: OrderLine, data: st.DataObject
) -> None:
    brown = line.in_place(line.without_next(data.draw(st.integers(1, line.quantity))), BROWN)
    rest = brown.without_next(data.draw(st.integers(1, brown.quantity)))
    white = brown.in_place(rest, BROWN._replace(sku_id="sku_3"))
    assert (rest.agreed_cost or 0) + (white.agreed_cost or 0) == brown.agreed_cost


@given(lines(), st.data())
def test_what_was_rejected_leaves_a_line_that_goes_on_as_any_other(
    line: OrderLine, data: st.DataObject
) -> None:
    before = some_steps(data, line)[-1]
    if not before.waiting:
        return
    rest = before.without_next(data.draw(st.integers(1, before.waiting)))
    for each in some_steps(data, rest, 10) if rest.units_left else [rest]:
        assert total(of_money(each)) == rest.whole
        assert all(grows(Shares(), piece, rest.whole) for piece in of_money(each))


@given(lines(), st.data())
def test_what_was_agreed_is_told_of_a_substitutes_commission(
    line: OrderLine, data: st.DataObject
) -> None:
    """By its own cost a commission on gross profit would not be the rate's."""
    units = data.draw(st.integers(1, line.quantity))
    brown = line.in_place(line.without_next(units), BROWN)
    days = Days("2026-03-10", "2026-03-03")
    (_, told), *others = earned_lines(an_order((brown,)), brown, brown.whole, days)
    assert told.amount == brown.whole.commission
    of_all = [told, *(each for _, each in others if each.kind == "commission")]
    assert sum(each.amount for each in of_all) == brown.commission
    if units == line.quantity and not line.spread and line.rule == "offer":
        assert at_rate(told.basis_amount, told.rate_bps) == line.commission
