"""A line that another statement had is passed over; what has its bank's own id and says something
else is no such line."""

from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.functional.test_reconciled_lines import listed
from tests.functional.test_reconciled_references import deposit
from tests.functional.test_reconciliations import day_of, open_cases, paid_out, rows_of
from tests.support.invariants import findings
from tests.support.statements import (
    camt,
    csv_file,
    differences,
    entry,
    reconcile,
    resolve,
)
from tests.support.world import World

COLUMNS = "date,amount,currency,reference,bank_ref"


def told(world: World, made: Any) -> list[tuple[str, list[int]]]:
    return [(each["kind"], each["lines"]) for each in differences(world, made)]


def entry_of(world: World, supplier_id: str) -> str:
    """By which its only deposit was booked."""
    deposits = world.operator.get(f"/v1/suppliers/{supplier_id}/deposits").json["items"]
    return f"deposit_received:{deposits[0]['id']}"


def test_two_deposits_of_a_day_by_the_same_id_of_the_banks_are_both_seen(
    world: World, time: Clock
) -> None:
    """A bank that counts its lines anew in each file gives both the number 1."""
    first, second = (deposit(world, 50000, reference) for reference in ("D-1", "D-2"))
    rows = [(day_of(time), "500.00", "EUR", reference, "1") for reference in ("D-1", "D-2")]
    assert reconcile(world, csv_file(rows[0], columns=COLUMNS))["matched"] == 1
    made = reconcile(world, csv_file(rows[1], columns=COLUMNS))
    assert (made["repeated"], told(world, made)) == (0, [("reused_reference", [1])])
    other = resolve(world, made, 1, "match", entry_id=entry_of(world, first))
    assert (other.status, other.json["code"]) == (409, "found_meanwhile")
    assert resolve(world, made, 1, "match", entry_id=entry_of(world, second)).status == 200
    assert findings() == []


def test_what_a_file_has_twice_may_be_two_deposits(world: World, time: Clock) -> None:
    """Two transfers of which the bank says the same, its own id with it."""
    one, other = (deposit(world, 50000, reference) for reference in ("D-1", "D-2"))
    row = (day_of(time), "500.00", "EUR", "", "7")
    made = reconcile(world, csv_file(row, row, columns=COLUMNS))
    duplicate, ambiguous = differences(world, made)
    assert (duplicate["kind"], ambiguous["kind"]) == ("duplicate", "ambiguous")
    for each, supplier_id in ((ambiguous, one), (duplicate, other)):
        entry_id = entry_of(world, supplier_id)
        matched = resolve(world, made, each["n"], "match", entry_id=entry_id)
        assert matched.status == 200, matched.text
    assert findings() == []


def test_a_line_without_an_id_says_which_one_it_may_be_once_more(world: World, time: Clock) -> None:
    row = (day_of(time), "7.77", "EUR", "abc")
    first = reconcile(world, csv_file(row))
    assert resolve(world, first, 1, "post_to_suspense").status == 200
    new = (day_of(time), "1.00", "EUR", "new")
    made = reconcile(world, csv_file(new, row, row))
    found = differences(world, made)
    details = [each["detail"] for each in found]
    same = f"Line 1 of {first['id']} says the same (extra, resolved by post_to_suspense)."
    assert [same in each for each in details] == [False, True, False]
    (case,) = [each for each in open_cases(world) if each["id"] == found[1]["case_id"]]
    assert same in case["detail"]
    third = reconcile(world, csv_file(row, new))
    assert same in differences(world, third)[0]["detail"]


def test_a_line_without_an_id_is_not_matched_once_more_unseen(world: World, time: Clock) -> None:
    """Its deposit is booked after a person has put the money aside, so it would be there twice."""
    row = (day_of(time), "500.00", "EUR", "D-1")
    first = reconcile(world, csv_file(row))
    assert resolve(world, first, 1, "post_to_suspense").status == 200
    supplier_id = deposit(world, 50000, "D-1")
    made = reconcile(world, csv_file(row, (day_of(time), "1.00", "EUR", "new")))
    duplicate = differences(world, made)[0]
    assert (made["matched"], duplicate["kind"], duplicate["lines"]) == (0, "duplicate", [1])
    assert entry_of(world, supplier_id) in duplicate["detail"]
    assert f"Line 1 of {first['id']} says the same (extra, resolved" in duplicate["detail"]
    # Where it is another transfer after all, a person says so.
    entry_id = entry_of(world, supplier_id)
    assert resolve(world, made, duplicate["n"], "match", entry_id=entry_id).status == 200
    assert findings() == []


def test_of_a_line_that_was_told_it_says_which_entry_it_was_of(world: World, time: Clock) -> None:
    """Matched by itself, by a person, or by an earlier statement."""
    row, by_hand = (day_of(time), "500.00", "EUR", "D-1"), (day_of(time), "7.77", "EUR", "abc")
    suppliers = (deposit(world, 50000, "D-1"), deposit(world, 777, "D-7"))
    entries = [entry_of(world, each) for each in suppliers]
    first = reconcile(world, csv_file(row, by_hand))
    assert first["matched"] == 1
    assert resolve(world, first, 1, "match", entry_id=entries[1]).status == 200
    new = (day_of(time), "1.00", "EUR", "new")
    details = [
        each["detail"] for each in differences(world, reconcile(world, csv_file(row, by_hand, new)))
    ]
    for n, entry_id in enumerate(entries, 1):
        assert f"Line {n} of {first['id']} says the same (matched with {entry_id})." in " ".join(
            details
        )


def test_what_has_the_id_of_a_line_that_was_told_hides_nothing(world: World, time: Clock) -> None:
    """A bank counts anew: its 1 is another line by now, and what was 1 may be told with no id."""
    first = reconcile(world, csv_file((day_of(time), "500.00", "EUR", "D-1", "1"), columns=COLUMNS))
    assert resolve(world, first, 1, "post_to_suspense").status == 200
    deposit(world, 50000, "D-1")
    other = (day_of(time), "1.00", "EUR", "x", "1")
    again = (day_of(time), "500.00", "EUR", "D-1", "")
    made = reconcile(world, csv_file(other, again, columns=COLUMNS))
    assert (made["matched"], made["repeated"]) == (0, 0)
    assert told(world, made) == [("reused_reference", [1]), ("duplicate", [2])]
    assert f"Line 1 of {first['id']} says the same" in differences(world, made)[1]["detail"]


def test_what_is_passed_over_is_no_line_that_another_may_be(world: World, time: Clock) -> None:
    deposit(world, 50000, "D-1")
    row = (day_of(time), "500.00", "EUR", "D-1")
    reconcile(world, csv_file((*row, "1"), columns=COLUMNS))
    deposit(world, 50000, "D-1")
    made = reconcile(world, csv_file((*row, "1"), (*row, ""), columns=COLUMNS))
    assert (made["matched"], made["repeated"], made["differences"]) == (1, 1, 0)


@pytest.mark.parametrize("form", ["csv", "camt.053"])
@pytest.mark.parametrize("none", ["NONREF", "NOTPROVIDED", "Not provided"])
def test_what_banks_write_where_there_is_no_id_is_none(
    world: World, time: Clock, form: str, none: str
) -> None:
    """Neither of the line nor of the transfer: two of them are not one by it, and it names nothing,
    so that amount and day may match the one that came."""
    deposit(world, 50000, "D-1")
    deposit(world, 40000, "D-2")
    amounts = ("500.00", "400.00")
    if form == "csv":
        rows = [(day_of(time), each, "EUR", none, none) for each in amounts]
        raw = csv_file(*rows, columns=COLUMNS)
    else:
        entries = [entry(each, day=day_of(time), reference=none, ref=none) for each in amounts]
        raw = camt(*entries)
    made = reconcile(world, raw, format=form)
    assert (made["matched"], made["differences"]) == (2, 0)
    shown = listed(world, made, "lines")
    assert {(each["bank_ref"], each["reference"]) for each in shown} == {("", "")}


WORDS = "date,amount,currency,reference,text,counterparty,type,bank_ref"


@pytest.mark.parametrize(
    "words",
    [
        ("R-2", "Eggs", "Erna", ""),
        ("R-1", "Bread", "Erna", ""),
        ("R-1", "Eggs", "Otto", ""),
        ("R-1", "Eggs", "Erna", "return"),
    ],
    ids=["reference", "text", "counterparty", "type"],
)
def test_other_words_with_an_id_of_the_banks_are_another_line(
    world: World, time: Clock, words: tuple[str, ...]
) -> None:
    moved = (day_of(time), "7.77", "EUR")
    reconcile(world, csv_file((*moved, "R-1", "Eggs", "Erna", "", "1"), columns=WORDS))
    made = reconcile(world, csv_file((*moved, *words, "1"), columns=WORDS))
    assert (made["repeated"], told(world, made)) == (0, [("reused_reference", [1])])
    both = csv_file((*moved, *words, "1"), (*moved, "R-1", "Eggs", "Erna", "", "1"), columns=WORDS)
    again = reconcile(world, both)
    assert (again["repeated"], again["differences"]) == (2, 0)
    assert findings() == []


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


def file_in(form: str, day: str, *references: str, ref: str) -> bytes:
    """Deposits of 500.00, of one day and by one id of the bank's. A camt.053 file has the words
    that a CSV file has not."""
    if form == "csv":
        return csv_file(
            *((day, "500.00", "EUR", each, ref) for each in references), columns=COLUMNS
        )
    return camt(
        *(entry("500.00", day=day, reference=each, text="Thanks", ref=ref) for each in references),
        own_id=f"STMT-{ref}",
    )


FORMS = pytest.mark.parametrize("forms", [("csv", "camt.053"), ("camt.053", "csv")])


@FORMS
def test_a_line_is_known_again_in_a_file_of_another_format(
    world: World, time: Clock, forms: tuple[str, str]
) -> None:
    """Its words are others there: posted once more, it would be in the books twice."""
    deposit(world, 50000, "D-1")
    one, other = (file_in(form, day_of(time), "D-1", ref="7") for form in forms)
    assert reconcile(world, one, format=forms[0])["matched"] == 1
    again = reconcile(world, other, format=forms[1])
    assert (again["repeated"], again["differences"]) == (1, 0)
    strange = [file_in(form, day_of(time), "what", ref="8") for form in forms]
    made = reconcile(world, strange[0], format=forms[0])
    assert resolve(world, made, 1, "post_to_suspense").status == 200
    again = reconcile(world, strange[1], format=forms[1])
    assert (again["repeated"], again["differences"]) == (1, 0)
    assert [each["by"] for each in listed(world, again, "lines")] == [made["id"]]
    assert findings() == []


@FORMS
def test_two_lines_of_a_file_are_not_both_the_one_of_another_format(
    world: World, time: Clock, forms: tuple[str, str]
) -> None:
    first, second = (deposit(world, 50000, reference) for reference in ("D-1", "D-2"))
    reconcile(world, file_in(forms[0], day_of(time), "D-1", ref="7"), format=forms[0])
    both = file_in(forms[1], day_of(time), "D-1", "D-2", ref="7")
    made = reconcile(world, both, format=forms[1])
    assert (made["repeated"], told(world, made)) == (1, [("reused_reference", [2])])
    other = resolve(world, made, 1, "match", entry_id=entry_of(world, first))
    assert (other.status, other.json["code"]) == (409, "found_meanwhile")
    assert resolve(world, made, 1, "match", entry_id=entry_of(world, second)).status == 200
    assert findings() == []


@FORMS
def test_a_line_without_an_id_says_which_one_of_another_format_it_may_be(
    world: World, time: Clock, forms: tuple[str, str]
) -> None:
    one, other = (file_in(form, day_of(time), "what", "more", ref="") for form in forms)
    first = reconcile(world, one, format=forms[0])
    assert resolve(world, first, 2, "post_to_suspense").status == 200
    details = [
        each["detail"] for each in differences(world, reconcile(world, other, format=forms[1]))
    ]
    file = f"of {first['id']}, a {forms[0]} file, moved the same"
    assert f"Line 1 {file} (extra, unresolved)." in details[0]
    assert f"Line 2 {file} (extra, resolved by post_to_suspense)." in details[1]


@pytest.mark.parametrize("refs", [("", "7"), ("7", "")])
@pytest.mark.parametrize("forms", [("csv", "csv"), ("csv", "camt.053"), ("camt.053", "csv")])
def test_a_line_that_has_an_id_in_one_file_alone_says_which_one_it_may_be(
    world: World, time: Clock, forms: tuple[str, str], refs: tuple[str, str]
) -> None:
    """Its deposit is booked after a person has put the money aside, so it would be there twice."""
    one, other = (
        file_in(form, day_of(time), "D-1", ref=ref) for form, ref in zip(forms, refs, strict=True)
    )
    first = reconcile(world, one, format=forms[0])
    assert resolve(world, first, 1, "post_to_suspense").status == 200
    deposit(world, 50000, "D-1")
    made = reconcile(world, other, format=forms[1])
    assert (made["matched"], made["repeated"]) == (0, 0)
    (difference,) = differences(world, made)
    assert f"Line 1 of {first['id']}" in difference["detail"]


def test_what_names_another_payout_is_another_line_in_any_format(world: World, time: Clock) -> None:
    """A bank that counts the lines of each file gives both the number 1."""
    deposit(world, 50000, "D-1")
    second = deposit(world, 50000, "D-2")
    one = file_in("csv", day_of(time), "D-1", ref="1")
    other = file_in("camt.053", day_of(time), "D-2", ref="1")
    assert reconcile(world, one)["matched"] == 1
    made = reconcile(world, other, format="camt.053")
    assert (made["repeated"], told(world, made)) == (0, [("reused_reference", [1])])
    assert resolve(world, made, 1, "match", entry_id=entry_of(world, second)).status == 200
    assert findings() == []
