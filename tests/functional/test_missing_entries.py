"""Each entry on cash is matched, in transit or missing sooner or later, however statements follow
each other; and what was missing may turn up."""

from typing import Any
from unittest import mock

import pytest

from chalicelib.reconciliation import going_on
from chalicelib.reconciliation import store as reconciliations
from tests.functional.conftest import Clock
from tests.functional.test_reconciliations import day_of, open_cases, paid_out, rows_of
from tests.support.invariants import findings
from tests.support.payouts import earned, payout_to, sent, tell
from tests.support.statements import (
    balance,
    camt,
    csv_file,
    differences,
    entry,
    reconcile,
    resolve,
    send,
)
from tests.support.world import World

pytestmark = pytest.mark.usefixtures("days_to_come")

GONE = {"currency": "EUR", "amount": 300}


def statement(world: World, time: Clock, first: int, last: int, *parts: str, own_id: str) -> Any:
    period = (day_of(time, first), day_of(time, last))
    return reconcile(world, camt(*parts, period=period, own_id=own_id), format="camt.053")


def told(world: World, made: Any) -> list[tuple[str, list[str]]]:
    return [(each["kind"], each["entries"]) for each in differences(world, made)]


def missing(world: World, time: Clock) -> tuple[Any, Any, str]:
    """A payout that two statements have not had: the second, the payout, and its entry."""
    (payout,) = paid_out(world, time, 3)
    statement(world, time, -10, 0, own_id="1")
    made = statement(world, time, 1, 10, own_id="2")
    entry_id = f"payout-paid:{payout['id']}"
    assert told(world, made) == [("missing", [entry_id])]
    return made, payout, entry_id


def turn_up(world: World, time: Clock, payout: Any) -> Any:
    line = entry("-3.00", day=day_of(time, 11), reference=payout["id"], ref="LATE")
    return statement(world, time, 11, 12, line, own_id="3")


def test_what_is_booked_after_its_days_statement_is_looked_for_in_the_next(
    world: World, time: Clock
) -> None:
    sales = earned(world, time, 3, 2)
    batch = sent(world)
    first, second = (payout_to(world, batch, sale.leader_id) for sale in sales)
    tell(world, first, "paid", "B1")
    assert reconcile(world, csv_file(*rows_of(time, first)))["matched"] == 1
    tell(world, second, "paid", "B2")
    time.move_on(days=7)
    late = statement(world, time, -6, 0, own_id="1")
    assert told(world, late) == [("missing", [f"payout-paid:{second['id']}"])]
    assert told(world, statement(world, time, 1, 7, own_id="2")) == []
    assert findings() == []


def test_day_by_day_an_entry_is_in_transit_and_then_missing_once(world: World, time: Clock) -> None:
    paid_out(world, time, 3)
    seen = []
    for n in range(8):
        made = statement(world, time, n, n, own_id=str(n))
        seen.append((made["in_transit"], made["differences"]))
    assert seen == [(1, 0)] * 5 + [(0, 1)] + [(0, 0)] * 2


def test_a_statement_that_was_never_taken_is_a_case_and_its_entries_are_missing(
    world: World, time: Clock
) -> None:
    (payout,) = paid_out(world, time, 3)
    booked = f"payout-paid:{payout['id']}"
    statement(world, time, -10, -7, own_id="1")
    time.move_on(days=20)
    made = statement(world, time, -14, 0, own_id="2")
    assert told(world, made) == [("missing", [booked]), ("gap", [])]
    gap = differences(world, made)[1]
    assert gap["detail"] == f"No statement tells of {day_of(time, -26)} to {day_of(time, -15)}."
    assert resolve(world, made, gap["n"], "accept").status == 200
    # The one between is found after all.
    line = entry("-3.00", day=day_of(time, -19), reference=payout["id"])
    between = statement(world, time, -26, -15, line, own_id="3")
    assert (between["matched"], between["differences"]) == (1, 0)
    assert open_cases(world) == []
    assert findings() == []


@pytest.mark.parametrize(("opening", "kinds"), [("7.00", []), ("8.00", ["gap"])])
def test_balances_say_whether_a_statement_was_left_out(
    world: World, time: Clock, opening: str, kinds: list[str]
) -> None:
    line = entry("-3.00", day=day_of(time))
    statement(
        world, time, -1, 0, line, balance("OPBD", "10.00"), balance("CLBD", "7.00"), own_id="1"
    )
    # Banks send none for days on which nothing moves.
    after = statement(
        world, time, 4, 4, balance("OPBD", opening), balance("CLBD", opening), own_id="2"
    )
    assert [each["kind"] for each in differences(world, after)] == kinds


def test_what_was_missing_and_turns_up_is_no_case_any_more(world: World, time: Clock) -> None:
    made, payout, _ = missing(world, time)
    found = turn_up(world, time, payout)
    assert (found["matched"], found["differences"]) == (1, 0)
    (was_missing,) = differences(world, made)
    assert (was_missing["resolution"], was_missing["found_in"]) == ("found", found["id"])
    assert open_cases(world) == []
    read = world.operator.get(f"/v1/reconciliations/{made['id']}").json
    assert (read["differences"], read["unresolved"]) == (1, 0)
    refused = resolve(world, made, 1, "post_to_suspense")
    assert (refused.status, refused.json["code"]) == (409, "already_resolved")
    assert world.trial_balance()["cash:bank"] == -300
    assert findings() == []


def test_what_was_posted_against_it_is_taken_back(world: World, time: Clock) -> None:
    made, payout, _ = missing(world, time)
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    assert world.trial_balance().get("cash:bank", 0) == 0
    found = turn_up(world, time, payout)
    assert (found["matched"], found["differences"]) == (1, 0)
    (was_missing,) = differences(world, made)
    assert (was_missing["resolution"], was_missing["found_in"]) == ("post_to_suspense", found["id"])
    assert was_missing["posted"] == [
        f"reconciled:{made['id']}:1:EUR",
        f"reconciled-undone:{made['id']}:1:EUR",
    ]
    books = world.trial_balance()
    assert (books["cash:bank"], books.get("platform:suspense", 0)) == (-300, 0)
    # None of the two is missed later.
    assert statement(world, time, 13, 30, own_id="4")["differences"] == 0
    assert findings() == []


def test_what_was_accepted_may_turn_up_as_well(world: World, time: Clock) -> None:
    made, payout, _ = missing(world, time)
    assert resolve(world, made, 1, "accept").status == 200
    found = turn_up(world, time, payout)
    assert (found["matched"], found["differences"]) == (1, 0)
    (was_missing,) = differences(world, made)
    assert (was_missing["resolution"], was_missing["posted"]) == ("accept", [])
    assert findings() == []


def test_what_turns_up_otherwise_than_booked_is_that_difference_alone(
    world: World, time: Clock
) -> None:
    made, payout, entry_id = missing(world, time)
    line = entry("-3.50", day=day_of(time, 11), reference=payout["id"])
    found = statement(world, time, 11, 12, line, own_id="3")
    assert told(world, found) == [("amount", [entry_id])]
    assert differences(world, made)[0]["resolution"] == "found"
    assert resolve(world, found, 1, "post_fee").status == 200
    assert world.trial_balance()["cash:bank"] == -350
    assert findings() == []


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        (("gathering", 0), 200),
        (("matching", 0), 200),
        (("writing", 0), 200),
        (("writing", 1), 409),
        (("done", 1), 409),
    ],
)
def test_it_is_posted_against_and_turns_up_at_once(
    world: World, time: Clock, moment: tuple[str, int], status: int
) -> None:
    """In whatever order, the books have in the end what the bank has."""
    made, payout, _ = missing(world, time)
    time.move_on(days=11)
    line = csv_file((day_of(time), "-3.00", "EUR", payout["id"]))
    found = send(world.operator, line).json
    world.messages("RECONCILE")
    with mock.patch.object(going_on, "STEPS_A_MESSAGE", 1):
        while stands(found) != moment:
            going_on.go_on(found["id"])
    posted = resolve(world, made, 1, "post_to_suspense")
    assert posted.status == status
    assert world.trial_balance().get("platform:suspense", 0) == (-300 if status == 200 else 0)
    going_on.go_on(found["id"])
    (was_missing,) = differences(world, made)
    assert was_missing["found_in"] == found["id"]
    books = world.trial_balance()
    assert (books["cash:bank"], books.get("platform:suspense", 0)) == (-300, 0)
    assert open_cases(world) == []
    assert findings() == []


def stands(made: Any) -> tuple[str, int]:
    found = reconciliations.get_reconciliation(made["id"])
    assert found is not None
    return found.status, found.step


def doubtful(world: World, time: Clock) -> tuple[Any, Any, Any, str]:
    """A payout that was missing, what was posted against it, and a statement with two lines of its
    amount, either of which may be its own."""
    made, payout, entry_id = missing(world, time)
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    lines = [entry("-3.00", day=day_of(time, 3), ref=f"L{n}") for n in (1, 2)]
    doubt = statement(world, time, 3, 11, *lines, own_id="3")
    assert told(world, doubt) == [("ambiguous", [entry_id])]
    return made, payout, doubt, entry_id


def in_books(world: World) -> tuple[int, int]:
    books = world.trial_balance()
    return books.get("cash:bank", 0), books.get("platform:suspense", 0)


def test_what_may_be_meant_by_a_line_has_not_turned_up(world: World, time: Clock) -> None:
    made, *_ = doubtful(world, time)
    (was_missing,) = differences(world, made)
    assert (was_missing["found_in"], len(was_missing["posted"])) == (None, 1)
    assert in_books(world) == (0, -300)
    assert findings() == []


def test_it_turns_up_once_a_person_says_that_it_was_meant(world: World, time: Clock) -> None:
    made, payout, doubt, _ = doubtful(world, time)
    done = resolve(world, doubt, 1, "match", payout_id=payout["id"], line=2)
    assert done.status == 200
    assert differences(world, made)[0]["found_in"] == doubt["id"]
    assert in_books(world) == (-300, 0)
    # The other line is of something else.
    assert resolve(world, doubt, 1, "post_to_suspense").status == 200
    assert in_books(world) == (-600, 300)
    assert findings() == []


@pytest.mark.parametrize(
    ("resolution", "books"), [("post_to_suspense", (-600, 300)), ("accept", (-300, 0))]
)
def test_it_turns_up_once_the_difference_that_it_is_part_of_is_resolved(
    world: World, time: Clock, resolution: str, books: tuple[int, int]
) -> None:
    made, _, doubt, _ = doubtful(world, time)
    assert resolve(world, doubt, 1, resolution).status == 200
    assert differences(world, made)[0]["found_in"] == doubt["id"]
    assert in_books(world) == books
    assert findings() == []


def test_what_was_not_meant_stays_as_it_was_missing(world: World, time: Clock) -> None:
    made, _, entry_id = missing(world, time)
    (other,) = paid_out(world, time, 3)
    line = entry("-3.00", day=day_of(time, -5), ref="L1")
    doubt = statement(world, time, -5, 10, line, own_id="3")
    assert told(world, doubt)[0] == ("ambiguous", [entry_id, f"payout-paid:{other['id']}"])
    refused = resolve(world, made, 1, "post_to_suspense")
    assert (refused.status, refused.json["code"]) == (409, "found_meanwhile")
    assert resolve(world, doubt, 1, "match", payout_id=other["id"]).status == 200
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    assert differences(world, made)[0]["found_in"] is None
    assert in_books(world) == (-300, -300)
    assert findings() == []
