"""What a chargeback took of a line, given back after whatever has happened to it since: to the cent
what was taken of units that are not refunded otherwise, of each parcel its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ordering import charged_back
from chalicelib.ordering.charged_back import ChargedBack, Taken
from chalicelib.ordering.lines import OrderLine, Piece
from chalicelib.ordering.shares import Shares
from tests.unit.test_parcel_shares import a_step, lines, of_money, refund_some_amount


def steps(data: st.DataObject, line: OrderLine, first: int) -> OrderLine:
    for n in range(first, first + data.draw(st.integers(0, 5))):
        line = a_step(data, line, n)
    return line


def charge_back(data: st.DataObject, line: OrderLine) -> tuple[OrderLine, ChargedBack]:
    """All of it, or some amount."""
    is_whole = data.draw(st.booleans()) and line.units_left
    after = line.after_refund(line.units_left) if is_whole else refund_some_amount(data, line)
    return after, charged_back.of_refund("rfd_1", [line], [after])


@given(lines(), st.data())
def test_a_line_has_again_what_was_taken_of_what_is_left_of_it(
    line: OrderLine, data: st.DataObject
) -> None:
    taken_from, taken = charge_back(data, steps(data, line, 0))
    before = steps(data, taken_from, 10)
    parts = [each for each in taken.parts if charged_back.can_be_given_back(before, each)]
    after = charged_back.given_back(before, taken.parts)
    assert sum(of_money(after), Shares()) == line.whole
    assert after.held == before.held
    back = sum((each.piece.shares for each in parts), Shares())
    assert after.left - before.left == back
    assert after.units_left - before.units_left == sum(each.piece.units for each in parts)
    gained = {each.parcel_id: each.piece.shares for each in parts}
    for parcel_id, shares in after.posted.items():
        had = before.posted.get(parcel_id, Shares())
        assert shares == had + gained.get(parcel_id, Shares())


@given(lines(), st.data())
def test_a_line_to_which_nothing_else_has_happened_is_as_it_was(
    line: OrderLine, data: st.DataObject
) -> None:
    before = steps(data, line, 0)
    taken_from, taken = charge_back(data, before)
    after = charged_back.given_back(taken_from, taken.parts)
    assert after.posted == before.posted
    assert after.units_left - taken_from.units_left == sum(n.piece.units for n in taken.parts)


@given(lines(), st.data())
def test_what_is_given_back_is_refunded_like_any_other(
    line: OrderLine, data: st.DataObject
) -> None:
    taken_from, taken = charge_back(data, steps(data, line, 0))
    after = charged_back.given_back(steps(data, taken_from, 10), taken.parts)
    later = steps(data, after, 20)
    assert sum(of_money(later), Shares()) == line.whole
    if later.units_left:
        assert later.after_refund(later.units_left).refunded == line.whole


def of_goods(refund_id: str, units: int, net: int) -> ChargedBack:
    part = Taken("sku_1", "prc_1", Piece(units, Shares(net=net)))
    return ChargedBack(refund_id).with_parts([part])


@pytest.mark.parametrize(
    ("own", "other", "own_after", "other_after"),
    [(0, 2, 2, 0), (1, 2, 1, 2), (0, 0, 0, 0)],
)
def test_one_that_took_no_units_has_those_of_another_and_no_amount_of_it(
    own: int, other: int, own_after: int, other_after: int
) -> None:
    taken = [of_goods("rfd_2", other, 700), of_goods("rfd_1", own, 300)]
    assert list(charged_back.lending_to("rfd_1", taken, [])) == [
        of_goods("rfd_2", other_after, 700),
        of_goods("rfd_1", own_after, 300),
    ]
