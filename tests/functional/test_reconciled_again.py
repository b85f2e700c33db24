"""A line that another statement had is passed over; what has its bank's own id and says something
else is no such line."""

from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.functional.test_reconciled_lines import listed
from tests.functional.test_reconciliations import day_of, open_cases, paid_out, rows_of
from tests.support.invariants import findings
from tests.support.statements import csv_file, differences, reconcile, resolve
from tests.support.world import World

COLUMNS = "date,amount,currency,reference,bank_ref"


def told(world: World, made: Any) -> list[tuple[str, list[int]]]:
    return [(each["kind"], each["lines"]) for each in differences(world, made)]


@pytest.mark.parametrize(
    "other",
    [(0, "-5000.00", "EUR"), (0, "3.00", "EUR"), (0, "-3.00", "USD"), (1, "-3.00", "EUR")],
    ids=["amount", "direction", "currency", "day"],
)
def test_an_id_of_the_banks_that_another_line_has_hides_nothing(
    world: World, time: Clock, other: tuple[int, str, str]
) -> None:
    first = (day_of(time), "-3.00", "EUR", "", "1")
    reconcile(world, csv_file(first, columns=COLUMNS))
    plus, amount, currency = other
    second = (day_of(time, plus), amount, currency, "theft", "1")
    made = reconcile(world, csv_file(second, columns=COLUMNS))
    assert (made["repeated"], told(world, made)) == (0, [("reused_reference", [1])])
    assert made["id"] in {each["subject"] for each in open_cases(world)}
    assert [each["status"] for each in listed(world, made, "lines")] == ["difference"]
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    # Each of both is known again.
    both = reconcile(world, csv_file(second, first, columns=COLUMNS))
    assert (both["repeated"], both["differences"]) == (2, 0)
    assert listed(world, both, "lines")[0]["by"] == made["id"]
    assert findings() == []


def test_a_payout_of_that_amount_is_not_taken_for_it(world: World, time: Clock) -> None:
    """What the bank corrects has its line already, whatever day it says now."""
    paid_out(world, time, 3, 3)
    first = (day_of(time), "-3.00", "EUR", "RENT", "1")
    reconcile(world, csv_file(first, columns=COLUMNS))
    corrected = (day_of(time, 1), "-3.00", "EUR", "", "1")
    made = reconcile(world, csv_file(corrected, columns=COLUMNS))
    assert (made["matched"], told(world, made)) == (0, [("reused_reference", [1])])


def test_of_one_statement_too_each_is_known_again(world: World, time: Clock) -> None:
    (payout,) = paid_out(world, time, 3)
    line = (*rows_of(time, payout)[0], "1")
    other = (day_of(time), "-2.00", "EUR", "RENT", "1")
    made = reconcile(world, csv_file(line, line, other, columns=COLUMNS))
    assert made["matched"] == 1
    assert told(world, made) == [("duplicate", [2]), ("reused_reference", [3])]
    more = (day_of(time), "-9.00", "EUR", "x", "2")
    again = reconcile(world, csv_file(other, line, line, line, more, columns=COLUMNS))
    assert (again["repeated"], told(world, again)) == (3, [("duplicate", [4]), ("extra", [5])])
    assert [each["status"] for each in listed(world, again, "lines")] == [
        *["repeated"] * 3,
        *["difference"] * 2,
    ]
    assert findings() == []
