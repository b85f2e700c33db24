"""A dispatch's clocks: which there are, how long they give, and which comes next."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest

from chalicelib.dispatch.deadlines import Clock, ClockKind, clocks_of
from chalicelib.dispatch.rules import Dispatch, dispatches_of
from chalicelib.kernel import clock
from chalicelib.ordering.rules import DispatchStatus
from chalicelib.parties.terms import USUAL as STANDARD
from chalicelib.parties.terms import Mode, OpenHours, Terms
from tests.support.made import NOW, a_clock, a_dispatch, a_line, a_parcel, an_order

STATES: tuple[DispatchStatus, ...] = get_args(DispatchStatus)
USUAL = Terms("sup_1")
FRESH = Mode("fresh", 2, 30, 10, "fine", 250)
FRESH_USUAL = Mode("standard", 2, 30, 10, "fine", 250)
SLOW = Mode("slow", 20, 20, 200, "cancel")
# NOW is a Tuesday, 09:30 in UTC.
OFFICE = tuple(OpenHours(day, "09:00", "17:00") for day in ("mon", "tue", "wed", "thu", "fri"))


def hours_from_now(text: str | None) -> float:
    assert text
    return (clock.from_text(text) - NOW) / timedelta(hours=1)


def summed(clocks: tuple[Clock, ...]) -> list[tuple[str, int, str, int | None]]:
    return [(each.kind, each.hours, each.on_missed, each.fine_amount) for each in clocks]


def test_the_usual_clocks() -> None:
    accept, ship, deliver = clocks_of(USUAL, ["standard"], NOW)
    assert summed((accept, ship, deliver)) == [
        ("accept", 12, "escalate", None),
        ("ship", 24, "escalate", None),
        ("deliver", 72, "escalate", None),
    ]
    assert (hours_from_now(accept.half_time_at), hours_from_now(accept.due_at)) == (6, 12)
    assert (hours_from_now(ship.half_time_at), hours_from_now(ship.due_at)) == (12, 24)
    assert (deliver.half_time_at, deliver.due_at, deliver.next_at) == (None, None, None)


def test_half_time_is_half_of_the_open_time() -> None:
    terms = replace(USUAL, opening=OFFICE)
    accept, ship, _ = clocks_of(terms, ["standard"], NOW)
    # 7.5 hours are left of Tuesday: 6 end at 15:30, 12 on Wednesday at 13:30.
    assert (hours_from_now(accept.half_time_at), hours_from_now(accept.due_at)) == (6, 28)
    assert (hours_from_now(ship.half_time_at), hours_from_now(ship.due_at)) == (28, 72)


def test_each_mode_has_its_clocks_and_an_unknown_one_the_standard_ones() -> None:
    terms = replace(USUAL, modes=(STANDARD, FRESH))
    assert summed(clocks_of(terms, ["fresh"], NOW)) == [
        ("accept", 2, "fine", 250),
        ("ship", 30, "fine", 250),
        ("deliver", 10, "fine", 250),
    ]
    assert clocks_of(terms, ["frozen"], NOW) == clocks_of(USUAL, ["standard"], NOW)


def test_of_several_modes_each_clock_is_the_shortest() -> None:
    terms = replace(USUAL, modes=(STANDARD, FRESH, SLOW))
    assert summed(clocks_of(terms, ["slow", "standard", "fresh"], NOW)) == [
        ("accept", 2, "fine", 250),
        ("ship", 20, "cancel", None),
        ("deliver", 10, "fine", 250),
    ]


def test_a_dispatch_has_the_clocks_of_its_own_lines() -> None:
    terms = {"sup_1": replace(USUAL, version=3, modes=(STANDARD, FRESH)), "sup_2": Terms("sup_2")}
    lines = (
        a_line(1, sku_id="a"),
        a_line(2, sku_id="b", fulfilment_mode="fresh"),
        a_line(1, sku_id="c", supplier_id="sup_2", fulfilment_mode="fresh"),
    )
    one, two = dispatches_of(an_order(lines), NOW, terms)
    assert [each.hours for each in one.clocks] == [2, 24, 10]
    assert [each.hours for each in two.clocks] == [12, 24, 72]
    assert (one.terms_version, two.terms_version) == (3, 0)
    assert (one.accept_by, one.ship_by) == (NOW + timedelta(hours=2), NOW + timedelta(hours=24))
    refunded = an_order(lines).after_refund({"b": 2})
    assert [each.hours for each in dispatches_of(refunded, NOW, terms)[0].clocks] == [12, 24, 72]


def test_clocks_begin_when_the_supplier_can_know_of_them() -> None:
    """The order was paid at NOW."""
    made_at = NOW + timedelta(hours=6)
    (made,) = dispatches_of(an_order(), made_at, {"sup_1": USUAL})
    assert made.accept_by == made_at + timedelta(hours=12)
    assert made.ship_by == made_at + timedelta(hours=24)


def with_all_clocks(status: DispatchStatus) -> Dispatch:
    clocks = clocks_of(USUAL, ["standard"], NOW)
    arrived = a_parcel(delivered_at=clock.to_text(NOW))
    parcels = {"shipped": (a_parcel(),), "delivered": (arrived,)}.get(status, ())
    made = a_dispatch(status, clocks=clocks, parcels=parcels)
    return made.delivering("prc_1", NOW, USUAL.calendar)


@pytest.mark.parametrize("status", STATES)
def test_which_clocks_run_in_which_state(status: DispatchStatus) -> None:
    running: dict[DispatchStatus, list[ClockKind]] = {
        "created": ["accept", "ship"],
        "accepted": ["ship"],
        "shipped": ["deliver"],
    }
    found = with_all_clocks(status)
    assert [each.kind for each in found.running_clocks] == running.get(status, [])
    assert (found.due_at is not None) == (status in running)


def test_what_is_not_in_a_parcel_yet_is_still_to_be_shipped_in_time() -> None:
    clocks = clocks_of(USUAL, ["standard"], NOW)
    sent = (a_parcel(units={"sku_1": 1}),)
    made = a_dispatch("shipped", clocks=clocks, parcels=sent)
    begun = made.delivering("prc_1", NOW, USUAL.calendar)
    assert [each.name for each in begun.running_clocks] == ["ship", "deliver:prc_1"]


def test_delivering_is_begun_by_shipping() -> None:
    made = a_dispatch("shipped", clocks=clocks_of(USUAL, ["standard"], NOW), parcels=(a_parcel(),))
    assert (made.deliver_by, made.due_at) == (None, None)
    later = NOW + timedelta(hours=10)
    begun = made.delivering("prc_1", later, USUAL.calendar)
    assert begun.deliver_by == later + timedelta(hours=72)
    assert begun.due_at == later + timedelta(hours=36)
    assert begun.clocks[:2] == made.clocks[:2]


def of_two_parcels(**second: Any) -> Dispatch:
    """The second was sent ten hours after the first."""
    parcels = (a_parcel(units={"sku_1": 1}), a_parcel("prc_2", units={"sku_1": 1}, **second))
    clocks = clocks_of(replace(USUAL, modes=(FRESH_USUAL,)), ["standard"], NOW)
    made = a_dispatch("shipped", clocks=clocks, parcels=parcels)
    first = made.delivering("prc_1", NOW, USUAL.calendar)
    return first.delivering("prc_2", NOW + timedelta(hours=10), USUAL.calendar)


def test_each_parcel_has_a_clock_on_the_same_terms_from_its_own_shipping_on() -> None:
    first, second = (each for each in of_two_parcels().clocks if each.kind == "deliver")
    assert summed((first, second)) == [("deliver", 10, "fine", 250)] * 2
    assert (hours_from_now(first.due_at), hours_from_now(second.due_at)) == (10, 20)


def test_what_was_done_for_one_parcel_leaves_the_other_its_half_time_and_end() -> None:
    found = of_two_parcels()
    first, second = found.running_clocks
    fired = found.with_clock(first.reminded(NOW).fired(NOW, 250))
    assert [each.next_at for each in fired.running_clocks] == [None, second.half_time_at]
    again = fired.delivering("prc_3", NOW, USUAL.calendar).clocks[-1]
    assert (again.parcel_id, again.reminded_at, again.fired_at, again.fined) == (
        "prc_3",
        None,
        None,
        None,
    )


@pytest.mark.parametrize("end", [{"delivered_at": clock.to_text(NOW)}, {"is_refunded": True}])
def test_a_parcel_that_nobody_awaits_owes_nothing(end: dict[str, Any]) -> None:
    found = of_two_parcels(**end)
    assert [each.name for each in found.running_clocks] == ["deliver:prc_1"]
    assert found.deliver_by == NOW + timedelta(hours=10)


def test_a_dispatch_without_clocks_owes_nothing_by_any_time() -> None:
    made = a_dispatch("shipped")
    assert made.delivering("prc_1", NOW, USUAL.calendar) == made
    assert (made.due_at, made.next_clock, made.deliver_by) == (None, None, None)
    assert not made.is_due_by(NOW + timedelta(days=1000))


def test_what_comes_next_is_the_half_time_then_the_end_then_nothing() -> None:
    running = a_clock()
    assert running.next_at == running.half_time_at
    reminded = running.reminded(NOW)
    assert reminded.next_at == running.due_at
    assert reminded.fired(NOW, None).next_at is None
    assert running.fired(NOW, None).next_at is None


def test_the_clock_with_the_nearest_instant_comes_first() -> None:
    accept, ship, deliver = clocks_of(USUAL, ["standard"], NOW)
    order = []
    found = a_dispatch(clocks=(accept, ship, deliver))
    while (upcoming := found.next_clock) and upcoming.next_at:
        half = upcoming.next_at == upcoming.half_time_at
        order.append((upcoming.kind, hours_from_now(upcoming.next_at)))
        done = upcoming.reminded(NOW) if half else upcoming.fired(NOW, None)
        found = found.with_clock(done)
    assert order == [("accept", 6), ("accept", 12), ("ship", 12), ("ship", 24)]


def test_a_clock_is_over_at_its_end_and_not_before() -> None:
    end = NOW + timedelta(hours=12)
    assert a_clock().is_over_at(end)
    assert not a_clock().is_over_at(end - timedelta(milliseconds=1))
    assert not a_clock(due_at=None).is_over_at(end)


def test_what_is_due_by_an_instant_has_a_running_clock_that_ends_by_then() -> None:
    made = with_all_clocks("created")
    assert made.is_due_by(NOW + timedelta(hours=12))
    assert not made.is_due_by(NOW + timedelta(hours=11))
    accepted = replace(made, status="accepted")
    assert not accepted.is_due_by(NOW + timedelta(hours=12))
    assert accepted.is_due_by(NOW + timedelta(hours=24))


def test_the_second_half_begins_with_the_reminder_and_ends_with_the_clock() -> None:
    running = a_clock()
    assert not running.is_in_its_second_half
    assert running.reminded(NOW).is_in_its_second_half
    assert not running.reminded(NOW).fired(NOW, None).is_in_its_second_half


def test_a_clock_that_is_not_begun_has_no_end() -> None:
    with pytest.raises(LookupError):
        _ = a_clock(due_at=None).end
    assert a_clock().end == NOW + timedelta(hours=12)
