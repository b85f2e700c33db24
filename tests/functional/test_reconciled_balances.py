"""What the bank closes with, what the books say, and what stands between: to the last cent."""

from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.functional.test_reconciliations import day_of, paid_out
from tests.support.statements import balance, camt, csv_file, entry, reconcile, resolve, send
from tests.support.world import World, created


def between(world: World, made: Any) -> Any:
    answer = world.operator.get(f"/v1/reconciliations/{made['id']}/balances")
    assert answer.status == 200, answer.text
    (found,) = answer.json["balances"]
    assert found["unexplained"] == found["closing"] - found["expected"]
    return found


def statement(
    world: World,
    time: Clock,
    opens: str,
    closes: str,
    *lines: str,
    own_id: str = "1",
    days: int = 0,
) -> Any:
    of_balances = (balance("OPBD", opens), balance("CLBD", closes))
    period = (day_of(time, -days), day_of(time))
    raw = camt(*of_balances, *lines, own_id=own_id, period=period)
    return reconcile(world, raw, format="camt.053")


def test_a_payout_in_transit_and_an_unresolved_line_explain_the_bank(
    world: World, time: Clock
) -> None:
    """3.00 went out by the bank, 2.00 are on their way, and 7.00 came of which nothing is known."""
    first, _ = paid_out(world, time, 3, 2)
    gone = entry("-3.00", day=day_of(time), reference=first["id"], ref="B1")
    came = entry("7.00", day=day_of(time), reference="x", ref="B2")
    made = statement(world, time, "0.00", "4.00", gone, came)
    assert between(world, made) == {
        "currency": "EUR",
        "opening": 0,
        "closing": 400,
        "books": -500,
        "in_transit": 200,
        "dated_later": 0,
        "unresolved": 700,
        "resolved_since": 0,
        "expected": 400,
        "unexplained": 0,
    }


@pytest.mark.parametrize("resolution", ["post_to_suspense", "accept"])
def test_what_was_resolved_after_the_end_stands_between(
    world: World, time: Clock, resolution: str
) -> None:
    came = entry("7.00", day=day_of(time), reference="x", ref="B1")
    made = statement(world, time, "0.00", "7.00", came)
    time.move_on(days=1)
    resolve(world, made, 1, resolution)
    found = between(world, made)
    assert (found["books"], found["unresolved"], found["resolved_since"]) == (0, 0, 700)
    assert found["unexplained"] == 0
    undo = f"/v1/reconciliations/{made['id']}/differences/1/undo"
    assert world.operator.post(undo, {"note": "wrong"}).status == 200
    again = between(world, made)
    assert (again["unresolved"], again["resolved_since"], again["unexplained"]) == (700, 0, 0)


def test_statements_before_it_explain_what_they_have_left(world: World, time: Clock) -> None:
    """Of 7.00 and 1.00 of the first day the 7.00 are posted on the third, the 1.00 on none."""
    lines = [
        entry(amount, day=day_of(time), reference=f"x{n}", ref=f"B{n}")
        for n, amount in enumerate(("7.00", "1.00"))
    ]
    first = statement(world, time, "0.00", "8.00", *lines)
    time.move_on(days=1)
    second = statement(world, time, "8.00", "8.00", own_id="2")
    time.move_on(days=1)
    resolve(world, first, 1, "post_to_suspense")
    third = statement(world, time, "8.00", "8.00", own_id="3")
    time.move_on(days=1)
    seen = [
        (found["books"], found["unresolved"], found["resolved_since"], found["unexplained"])
        for found in (between(world, made) for made in (first, second, third))
    ]
    assert seen == [(0, 100, 700, 0), (0, 100, 700, 0), (700, 100, 0, 0)]


def test_what_is_booked_after_its_line_is_dated_later(world: World, time: Clock) -> None:
    supplier = f"/v1/suppliers/{world.sale().supplier_id}"
    day = day_of(time)
    time.move_on(days=1)
    created(world.operator.post(f"{supplier}/deposits", {"amount": 1000, "reference": "DEP-7"}))
    raw = camt(
        balance("OPBD", "0.00"),
        balance("CLBD", "10.00"),
        entry("10.00", day=day, reference="DEP-7", ref="B1"),
        period=(day, day),
    )
    made = reconcile(world, raw, format="camt.053")
    assert made["matched"] == 1
    found = between(world, made)
    assert (found["books"], found["dated_later"], found["unexplained"]) == (0, 1000, 0)


def test_what_a_person_has_matched_is_in_transit_no_more(world: World, time: Clock) -> None:
    (payout,) = paid_out(world, time, 3)
    gone = entry("-3.00", day=day_of(time), reference="x", ref="B1")
    made = statement(world, time, "0.00", "-3.00", gone)
    before = between(world, made)
    assert (before["in_transit"], before["unresolved"], before["unexplained"]) == (300, -300, 0)
    assert resolve(world, made, 1, "match", payout_id=payout["id"]).status == 200
    after = between(world, made)
    assert (after["in_transit"], after["unresolved"], after["unexplained"]) == (0, 0, 0)


def test_what_was_missing_and_is_found_stands_between_no_more(world: World, time: Clock) -> None:
    (payout,) = paid_out(world, time, 3)
    time.move_on(days=8)
    first = statement(world, time, "0.00", "0.00", days=8)
    resolve(world, first, 1, "post_to_suspense")
    found = between(world, first)
    assert (found["books"], found["resolved_since"], found["unexplained"]) == (0, 0, 0)
    time.move_on(days=1)
    gone = entry("-3.00", day=day_of(time), reference=payout["id"], ref="B1")
    second = statement(world, time, "0.00", "-3.00", gone, own_id="2")
    found = between(world, second)
    assert (found["books"], found["expected"], found["unexplained"]) == (-300, -300, 0)
    time.move_on(days=1)
    assert between(world, first)["unexplained"] == 0


def test_what_nothing_explains_is_told(world: World, time: Clock) -> None:
    """The account was there before the books."""
    came = entry("7.00", day=day_of(time), reference="x", ref="B1")
    made = statement(world, time, "50.00", "57.00", came)
    assert between(world, made)["unexplained"] == 5000


def test_a_file_without_balances_says_what_it_should_close_with(world: World, time: Clock) -> None:
    made = reconcile(world, csv_file((day_of(time), "7.00", "EUR", "x")))
    (found,) = world.operator.get(f"/v1/reconciliations/{made['id']}/balances").json["balances"]
    assert (found["closing"], found["expected"], found["unexplained"]) == (None, 700, None)


def test_what_is_under_way_has_no_balances_yet(world: World, time: Clock) -> None:
    begun = send(world.operator, csv_file((day_of(time), "7.00", "EUR", "x"))).json
    refused = world.operator.get(f"/v1/reconciliations/{begun['id']}/balances")
    assert (refused.status, refused.json["code"]) == (409, "reconciliation_under_way")
    assert world.operator.get("/v1/reconciliations/rec_none/balances").status == 404
