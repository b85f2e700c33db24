"""A batch that one file has whole and another in parts: whichever comes second says so, since both
would be in the books."""

from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.functional.test_reconciled_undone import undo
from tests.functional.test_reconciliations import day_of, open_cases, paid_out
from tests.support.invariants import findings
from tests.support.statements import (
    batch_entry,
    camt,
    csv_file,
    differences,
    entry,
    reconcile,
    resolve,
)
from tests.support.world import World

COLUMNS = "date,amount,currency,reference,bank_ref"
NO_IDS = ("", "")


def whole_in(form: str, day: str, *, amount: str = "-5.00", ref: str = "R") -> bytes:
    """Two transfers that were sent together, in one line."""
    if form == "csv":
        return csv_file((day, amount, "EUR", "", ref), columns=COLUMNS)
    return camt(entry(amount, day=day, ref=ref), own_id="WHOLE")


def in_parts(
    day: str, references: tuple[str, str], own: tuple[str, str] = NO_IDS, *, ref: str = "R"
) -> bytes:
    """Likewise, each in its own."""
    parts = zip(("3.00", "2.00"), references, own, strict=True)
    return camt(batch_entry("-5.00", *parts, day=day, ref=ref), own_id="PARTS")


def two_payouts(world: World, time: Clock) -> tuple[str, str]:
    one, other = paid_out(world, time, 3, 2)
    assert (one["amount"], other["amount"]) == (300, 200)
    return one["id"], other["id"]


def details(world: World, made: Any) -> list[str]:
    return [each["detail"] for each in differences(world, made)]


# What the whole has for an id, what the parts have, and what the entry that they are in has.
BY_ID = pytest.mark.parametrize(
    ("form", "whole", "own", "entry_ref"),
    [
        ("camt.053", "R", NO_IDS, "R"),
        ("camt.053", "R", ("P-1", "P-2"), "R"),
        ("csv", "R", NO_IDS, "R"),
        ("csv", "R", ("P-1", "P-2"), "R"),
        ("csv", "R", ("R", "R"), ""),
        ("csv", "", NO_IDS, ""),
        ("csv", "", ("P-1", "P-2"), "R"),
        ("csv", "R", ("P-1", "P-2"), ""),
        ("camt.053", "", NO_IDS, ""),
    ],
)


@BY_ID
def test_parts_of_what_was_told_whole_are_not_matched_unseen(
    world: World, time: Clock, form: str, whole: str, own: tuple[str, str], entry_ref: str
) -> None:
    payouts = two_payouts(world, time)
    first = reconcile(world, whole_in(form, day_of(time), ref=whole), format=form)
    assert resolve(world, first, 1, "post_to_suspense").status == 200
    parts = in_parts(day_of(time), payouts, own, ref=entry_ref)
    made = reconcile(world, parts, format="camt.053")
    assert (made["matched"], made["repeated"], made["differences"]) == (0, 0, 2)
    other = "" if form == "camt.053" else ", a csv file,"
    said = (
        f"Line 1 of {first['id']}{other} may be the whole of it "
        "(extra, resolved by post_to_suspense)."
    )
    assert all(said in each for each in details(world, made))
    assert all(
        said in each["detail"] for each in open_cases(world) if each["subject"] == made["id"]
    )
    assert findings() == []


@BY_ID
def test_a_whole_says_which_parts_were_told(
    world: World, time: Clock, form: str, whole: str, own: tuple[str, str], entry_ref: str
) -> None:
    payouts = two_payouts(world, time)
    parts = in_parts(day_of(time), payouts, own, ref=entry_ref)
    first = reconcile(world, parts, format="camt.053")
    assert first["matched"] == 2
    made = reconcile(world, whole_in(form, day_of(time), ref=whole), format=form)
    other = "" if form == "camt.053" else ", a camt.053 file,"
    became = "; ".join(f"matched with payout-paid:{each}" for each in payouts)
    (detail,) = details(world, made)
    assert f"Lines 1 to 2 of {first['id']}{other} may be its parts ({became})." in detail


def test_the_parts_are_matched_once_what_was_posted_of_the_whole_is_taken_back(
    world: World, time: Clock
) -> None:
    payouts = two_payouts(world, time)
    first = reconcile(world, whole_in("camt.053", day_of(time)), format="camt.053")
    assert resolve(world, first, 1, "post_to_suspense").status == 200
    made = reconcile(world, in_parts(day_of(time), payouts), format="camt.053")
    assert undo(world, first, why="The bank has told its parts").status == 200
    assert resolve(world, first, 1, "accept").status == 200
    for each, payout_id in zip(differences(world, made), payouts, strict=True):
        matched = resolve(world, made, each["n"], "match", payout_id=payout_id)
        assert matched.status == 200, matched.text
    balances = world.trial_balance()
    assert (balances["cash:bank"], balances.get("platform:suspense", 0)) == (-500, 0)
    assert open_cases(world) == []
    assert findings() == []


@pytest.mark.parametrize(
    ("amount", "whole", "entry_ref", "plus"),
    [
        ("-5.00", "R", "S", 0),
        ("-7.00", "R", "R", 0),
        ("-7.00", "", "", 0),
        ("5.00", "", "", 0),
        ("-5.00", "", "", 1),
    ],
    ids=["other id", "id counted anew", "amount", "direction", "day"],
)
def test_what_is_not_the_whole_keeps_no_part_from_its_payout(
    world: World, time: Clock, amount: str, whole: str, entry_ref: str, plus: int
) -> None:
    payouts = two_payouts(world, time)
    other = whole_in("camt.053", day_of(time, plus), amount=amount, ref=whole)
    reconcile(world, other, format="camt.053", last=day_of(time, plus))
    parts = in_parts(day_of(time), payouts, ("P-1", "P-2"), ref=entry_ref)
    made = reconcile(world, parts, format="camt.053", last=day_of(time, plus))
    assert (made["matched"], made["differences"]) == (2, 0)


def test_of_two_batches_of_a_day_and_amount_only_one_is_what_was_told_whole(
    world: World, time: Clock
) -> None:
    reconcile(world, whole_in("csv", day_of(time), ref=""))
    batches = [
        batch_entry("-5.00", *((each, "", "") for each in amounts), day=day_of(time), ref="")
        for amounts in (("3.00", "2.00"), ("4.00", "1.00"))
    ]
    made = reconcile(world, camt(*batches), format="camt.053")
    is_part = ["may be the whole" in each for each in details(world, made)]
    assert is_part == [True, True, False, False]
