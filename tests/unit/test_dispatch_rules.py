"""A dispatch's moves, what a repeated call means, and when a delivery may have been."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

import pytest

from chalicelib.dispatch.moves import check_delivered_at, repeats
from chalicelib.dispatch.parcels import Parcel
from chalicelib.dispatch.rules import Dispatch, dispatch_id, dispatches_of, units, with_units
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.ordering.rules import DispatchStatus, Order
from chalicelib.parties.terms import Terms
from tests.support.made import HOME, NOW, a_dispatch, a_line, a_parcel, an_order

STATES: tuple[DispatchStatus, ...] = get_args(DispatchStatus)
CALLS: tuple[DispatchStatus, ...] = ("accepted", "shipped", "delivered", "rejected", "cancelled")

# What the contract's section 4 allows: from, and what it may become.
ALLOWED = {
    ("created", "accepted"),
    ("created", "rejected"),
    ("created", "cancelled"),
    ("accepted", "shipped"),
    ("accepted", "rejected"),
    ("accepted", "cancelled"),
    ("shipped", "delivered"),
}
MOVES = [(state, to) for state in STATES for to in CALLS if state != to]
USUAL = ("sup_1", "sup_2")
SHIPPED_AT = NOW - timedelta(days=3)


@pytest.mark.parametrize(("state", "to"), [move for move in MOVES if move in ALLOWED])
def test_an_allowed_move_is_no_repeat(state: DispatchStatus, to: DispatchStatus) -> None:
    assert not repeats(a_dispatch(state), to, {})


@pytest.mark.parametrize(("state", "to"), [move for move in MOVES if move not in ALLOWED])
def test_any_other_move_is_refused_and_names_both_states(
    state: DispatchStatus, to: DispatchStatus
) -> None:
    with pytest.raises(Conflict) as refused:
        repeats(a_dispatch(state), to, {})
    assert refused.value.code == "invalid_transition"
    assert state in refused.value.detail
    assert to in refused.value.detail


@pytest.mark.parametrize(
    ("state", "said", "otherwise"),
    [
        ("rejected", {"reason": "sold out"}, {"reason": "broken"}),
        (
            "shipped",
            {"carrier": "DHL", "tracking_number": "T1"},
            {"carrier": "DHL", "tracking_number": "T2"},
        ),
        ("delivered", {"delivered_at_given": None}, {"delivered_at_given": NOW}),
        ("delivered", {"delivered_at_given": NOW}, {"delivered_at_given": None}),
    ],
)
def test_a_repeat_says_the_same_or_is_refused(
    state: DispatchStatus, said: dict[str, object], otherwise: dict[str, object]
) -> None:
    dispatch = a_dispatch(state, **said)
    assert repeats(dispatch, state, said)
    with pytest.raises(Conflict) as refused:
        repeats(dispatch, state, otherwise)
    assert refused.value.code == f"already_{state}"


def test_accepting_has_no_words_and_can_only_repeat() -> None:
    assert repeats(a_dispatch("accepted"), "accepted", {})


def test_a_move_raises_the_version_and_tells_the_feed() -> None:
    moved = a_dispatch(version=4).moved("accepted", NOW + timedelta(hours=1))
    assert (moved.status, moved.version) == ("accepted", 5)
    assert moved.updated_at == NOW + timedelta(hours=1)
    assert moved.created_at == NOW


@pytest.mark.parametrize(
    "given",
    [NOW, NOW - timedelta(milliseconds=1), NOW - timedelta(hours=24)],
    ids=["now", "just now", "a day ago to the millisecond"],
)
@pytest.mark.parametrize("by_operator", [True, False])
def test_a_delivery_of_the_last_day_may_be_told_by_anyone(
    given: datetime, by_operator: bool
) -> None:
    check_delivered_at(sent(), given, NOW, by_operator=by_operator)


def test_an_older_delivery_may_be_told_by_an_operator_alone() -> None:
    older = NOW - timedelta(hours=24, milliseconds=1)
    check_delivered_at(sent(), older, NOW, by_operator=True)
    with pytest.raises(Invalid, match="only an operator"):
        check_delivered_at(sent(), older, NOW, by_operator=False)


@pytest.mark.parametrize("by_operator", [True, False])
def test_nothing_was_delivered_in_the_future(by_operator: bool) -> None:
    with pytest.raises(Invalid, match="future"):
        check_delivered_at(sent(), NOW + timedelta(milliseconds=1), NOW, by_operator=by_operator)


def test_nothing_was_delivered_before_it_was_shipped() -> None:
    check_delivered_at(sent(), SHIPPED_AT, NOW, by_operator=True)
    with pytest.raises(Invalid, match="before the shipping"):
        check_delivered_at(sent(), SHIPPED_AT - timedelta(milliseconds=1), NOW, by_operator=True)


def test_what_is_wrong_with_a_delivery_is_told_by_its_field() -> None:
    with pytest.raises(Invalid) as refused:
        check_delivered_at(sent(), NOW + timedelta(days=1), NOW, by_operator=True)
    assert [each.field for each in refused.value.errors] == ["delivered_at"]


def test_each_supplier_of_an_order_gets_one_dispatch_of_its_lines() -> None:
    bought = (("a", "sup_1", 2), ("b", "sup_2", 1), ("c", "sup_1", 5))
    order = an_order(tuple(a_line(n, sku_id=sku, supplier_id=sup) for sku, sup, n in bought))
    one, two = made_of(order, NOW)
    assert (one.supplier_id, units(one.lines)) == ("sup_1", {"a": 2, "c": 5})
    assert (two.supplier_id, units(two.lines)) == ("sup_2", {"b": 1})
    assert [line.unit_cost for line in one.lines] == [700, 700]
    assert (one.status, one.version, one.ship_to) == ("created", 1, HOME)


def test_a_dispatch_has_the_same_id_however_often_it_is_made() -> None:
    later = NOW + timedelta(hours=2)
    assert made_of(an_order(), NOW)[0].id == made_of(an_order(), later)[0].id
    assert dispatch_id("ord_1", "sup_1") != dispatch_id("ord_1", "sup_2")
    assert dispatch_id("ord_1", "sup_1") != dispatch_id("ord_2", "sup_1")


def test_refunded_units_are_not_dispatched() -> None:
    order = an_order((a_line(3, sku_id="a"), a_line(1, sku_id="b", supplier_id="sup_2")))
    (left,) = made_of(order.after_refund({"a": 1, "b": 1}), NOW)
    assert units(left.lines) == {"a": 2}


def test_an_open_dispatch_shrinks_with_the_orders_refunds() -> None:
    order = an_order((a_line(3, sku_id="a"), a_line(1, sku_id="b")))
    (made,) = made_of(order, NOW)
    assert with_units(made, order) == made.lines
    after = with_units(made, order.after_refund({"a": 2, "b": 1}))
    assert after == (replace(made.lines[0], quantity=1),)


def made_of(order: Order, now: datetime) -> tuple[Dispatch, ...]:
    """By the usual terms."""
    return dispatches_of(order, now, {each: Terms(each) for each in USUAL})


def sent() -> list[Parcel]:
    return [a_parcel(shipped_at=clock.to_text(SHIPPED_AT))]
