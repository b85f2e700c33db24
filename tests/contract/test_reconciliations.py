"""The reconciliation store: statements one behind the other, claims, what is left, differences."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.kernel.errors import Conflict, Stale
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.transaction import Write, write
from chalicelib.reconciliation import claim_store, item_store, piece_store, turning_up
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.accounts import Account, Left
from chalicelib.reconciliation.line_names import LineName
from chalicelib.reconciliation.lines import Booked, Format, Line, Statement
from chalicelib.reconciliation.open_items import Clearing, item_of
from chalicelib.reconciliation.rules import (
    Change,
    Difference,
    Match,
    NumberedDifference,
    Outcome,
    Reconciliation,
    Undone,
)
from tests.support.made import NOW
from tests.unit.test_reconciled_accounts import BANK, a_reconciliation

ENTRY = "payout-paid:pyt_1"
FIRST = PageRequest("list")
MISSING = Difference(
    "missing", "It is not in the statement.", (), (ENTRY,), changes=(Change("EUR", 300),)
)


def the_next(**changes: Any) -> Reconciliation:
    other = {"id": "rec_2", "digest": "d2", "own_id": "2026-2", "behind": "rec_1"}
    return a_reconciliation(**other | changes)


def a_difference(**changes: Any) -> NumberedDifference:
    usual: dict[str, Any] = {
        "n": 1,
        "reconciliation_id": "rec_1",
        "difference": MISSING,
        "case_id": "cas_1",
        "owner": "op_1",
        "version": 1,
    }
    return NumberedDifference(**{**usual, **changes})


def test_a_reconciliation_is_read_as_it_was_written() -> None:
    made = a_reconciliation()
    write(*reconciliations.add_reconciliation(made))
    assert reconciliations.get_reconciliation("rec_1") == made
    assert reconciliations.get_reconciliation("rec_2") is None
    assert reconciliations.reconciliations(FIRST).items == (made,)
    after = made.after(status="matching", matched=1)
    write(reconciliations.replace_reconciliation(after))
    with pytest.raises(Stale):
        write(reconciliations.replace_reconciliation(made.after(step=1)))
    write(reconciliations.count_resolved("rec_1"))
    assert reconciliations.get_reconciliation("rec_1") == replace(after, unresolved=-1)
    write(reconciliations.count_reopened("rec_1"))
    assert reconciliations.get_reconciliation("rec_1") == after


@pytest.mark.parametrize("same", [{"digest": "d1"}, {"own_id": "2026-1"}])
def test_a_statement_is_taken_once_an_account(same: dict[str, str]) -> None:
    write(*reconciliations.add_reconciliation(a_reconciliation()))
    with pytest.raises(Stale):
        write(*reconciliations.add_reconciliation(the_next(**same)))
    of_another = replace(the_next(**same), account="cash:stripe", behind=None)
    write(*reconciliations.add_reconciliation(of_another))
    statement = Statement("camt.053", "2026-1", "2026-03-01", "2026-03-09", ())
    assert reconciliations.taken_as(BANK, "d9", statement) == "rec_1"
    assert reconciliations.taken_as(BANK, "d1", replace(statement, own_id="")) == "rec_1"
    assert reconciliations.taken_as(BANK, "d9", replace(statement, own_id="9")) is None


def test_statements_of_an_account_are_one_behind_the_other() -> None:
    assert reconciliations.last_taken(BANK) is None
    write(*reconciliations.add_reconciliation(a_reconciliation()))
    with pytest.raises(Stale):
        write(*reconciliations.add_reconciliation(the_next(behind=None)))
    write(*reconciliations.add_reconciliation(the_next()))
    third = {"id": "rec_3", "digest": "d3", "own_id": "2026-3"}
    with pytest.raises(Stale):
        write(*reconciliations.add_reconciliation(the_next(**third)))
    assert reconciliations.last_taken(BANK) == "rec_2"
    assert reconciliations.last_taken("cash:stripe") is None
    assert reconciliations.taken_behind("rec_1") == "rec_2"
    assert reconciliations.taken_behind("rec_2") is None


def test_how_far_an_account_reaches_is_moved_once() -> None:
    assert reconciliations.get_account(BANK) is None
    account = Account(BANK, "2026-03-09", "2026-03-08", (Change("EUR", 700),), version=1)
    write(reconciliations.replace_account(account))
    with pytest.raises(Stale):
        write(reconciliations.replace_account(account))
    moved = replace(account, told_through="2026-03-16", version=2)
    write(reconciliations.replace_account(moved))
    with pytest.raises(Stale):
        write(reconciliations.replace_account(moved))
    assert reconciliations.get_account(BANK) == moved


def test_of_what_is_kept_twice_the_first_counts() -> None:
    lines = [Line(n, -n, "EUR", "2026-03-02", text="x" * n) for n in range(1, 601)]
    piece_store.keep_lines("rec_1", lines)
    piece_store.keep_lines("rec_1", lines[:1])
    assert piece_store.lines("rec_1") == lines
    booked = [[Booked(f"entry:{n}", BANK, -n, "EUR", "2026-03-02")] for n in range(3)]
    for step, of_day in enumerate([*booked, []]):
        piece_store.keep_booked("rec_1", step, of_day)
    piece_store.keep_booked("rec_1", 0, [])
    assert piece_store.booked("rec_1", 4) == [each for day in booked for each in day]
    pages: list[list[Outcome]] = [[Match(1, "entry:1"), MISSING], [MISSING]]
    assert piece_store.keep_outcomes("rec_1", pages) == 2
    assert piece_store.keep_outcomes("rec_1", []) == 2
    assert [piece_store.outcomes("rec_1", n) for n in (0, 1)] == pages
    with pytest.raises(LookupError):
        piece_store.outcomes("rec_1", 2)


def test_a_line_that_was_kept_before_batches_were_is_of_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def as_it_was(line: Line) -> dict[str, Any]:
        later = ("batch", "batch_ref")
        return {name: value for name, value in vars(line).items() if name not in later}

    part = Line(1, -300, "EUR", "2026-03-02", bank_ref="R/1", batch=1, batch_ref="R")
    monkeypatch.setattr(piece_store, "asdict", as_it_was)
    piece_store.keep_lines("rec_1", [part])
    assert piece_store.lines("rec_1") == [replace(part, batch=0, batch_ref="")]


# By which a line names something: what another does, nothing, something else.
KEYS = {1: ("x",), 2: (), 3: ("pyt2", "y")}


def line_name(ref: str, words: str = "thanks", form: Format = "csv") -> LineName:
    return LineName(ref, form, "2026-11-26 500 EUR", words, (), nth=1, is_first=True)


def claim_line(name: LineName, n: int, *, is_reused: bool = False) -> Write:
    return claim_store.claim_line(BANK, name, "rec_1", n, "match", is_reused=is_reused)


def test_an_entry_and_a_line_are_claimed_once() -> None:
    named, nameless = (line_name(ref) for ref in ("R1", ""))

    def claims(n: int) -> list[Write]:
        return [
            claim_store.claim_entry(BANK, ENTRY, "rec_1", "match"),
            claim_line(named, n),
            claim_line(nameless, n),
        ]

    write(*claims(1))
    for each in claims(1):
        with pytest.raises(Stale):
            write(each)
    # Without the bank's own id it is told by its number; of another account it is another.
    write(claim_line(nameless, 2))
    write(claim_store.claim_entry("cash:stripe", ENTRY, "rec_1", "match"))
    found = claim_store.claimed_entries([(BANK, ENTRY), (BANK, "entry:2")])
    assert {name: row.reconciliation_id for name, row in found.items()} == {(BANK, ENTRY): "rec_1"}
    names = {1: named, 2: line_name("R2"), 3: nameless}
    assert claim_store.claimed_lines(BANK, names).keys() == {1}
    assert claim_store.claims_of_lines(BANK, "rec_1", names | {2: nameless}).keys() == {1, 2}
    taken = Conflict("It is claimed.", code="found_meanwhile")
    with pytest.raises(Conflict):
        write(claim_store.not_claimed(BANK, ENTRY, taken))
    write(claim_store.not_claimed(BANK, "entry:2", taken))


def test_lines_of_one_id_of_the_banks_are_claimed_by_what_they_say() -> None:
    first = line_name("R1")
    again = first._replace(nth=2, is_first=False)
    other = line_name("R1", "more")
    write(claim_line(first, 1), claim_line(again, 2))
    found = claim_store.claimed_lines(BANK, {1: first, 2: again, 3: other})
    assert {n: each.is_same for n, each in found.items()} == {1: True, 2: True, 3: False}
    write(claim_line(other, 3, is_reused=True))
    with pytest.raises(Stale):
        write(claim_line(other, 4, is_reused=True))
    found = claim_store.claimed_lines(BANK, {3: other, 4: other._replace(nth=2)})
    assert {n: each.is_same for n, each in found.items()} == {3: True, 4: False}


def test_a_line_of_another_format_is_known_by_its_id_and_what_it_moved() -> None:
    """Whatever its words are there: but of those that have the id, the first one alone."""
    write(claim_line(line_name("R1"), 1))
    same = line_name("R1", "Thanks!", "camt.053")
    more = same._replace(moved="2026-11-26 501 EUR")
    found = claim_store.claimed_lines(BANK, {1: same, 2: same._replace(is_first=False), 3: more})
    assert {n: each.is_same for n, each in found.items()} == {1: True, 2: False, 3: False}
    write(claim_line(line_name("R2")._replace(keys=("pyt1", "x")), 2))
    names = {n: line_name("R2", form="camt.053")._replace(keys=keys) for n, keys in KEYS.items()}
    found = claim_store.claimed_lines(BANK, names)
    assert {n: each.is_same for n, each in found.items()} == {1: True, 2: True, 3: False}


def test_what_is_left_is_told_to_be_missing_once_and_let_go_of_once() -> None:
    claim_store.leave(BANK, [ENTRY, "entry:2"])
    write(claim_store.leave_missing(BANK, ENTRY, "rec_1", 1))
    claim_store.leave(BANK, [ENTRY])
    missing = Left(ENTRY, ("rec_1", 1))
    assert claim_store.left(BANK) == [Left("entry:2"), missing]
    assert claim_store.left("cash:stripe") == []
    with pytest.raises(Stale):
        write(claim_store.leave_missing(BANK, ENTRY, "rec_2", 1))
    assert claim_store.get_left(BANK, ENTRY) == missing
    write(claim_store.let_go(BANK, ENTRY))
    with pytest.raises(Stale):
        write(claim_store.let_go(BANK, ENTRY))
    assert claim_store.get_left(BANK, ENTRY) is None


def test_a_difference_keeps_the_resolutions_that_stand_no_more() -> None:
    said = ("accept", "ours", "op_1", "2026-03-19T08:02:11.310Z")
    undone = Undone(*said, posted=("e:1",), undone_by="op_2", undone_at=said[-1], why="not ours")
    again = a_difference(undone=(undone, replace(undone, posted=())))
    write(reconciliations.add_difference(again))
    assert reconciliations.get_difference("rec_1", 1) == again
    assert (again.occurrence, again.ever_posted) == ("1#2", ("e:1",))
    assert again.named("EUR") == "rec_1:1:EUR:3"


def test_every_difference_is_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliations, "DIFFERENCES_A_READ", 2)
    some = [a_difference(n=n) for n in range(1, 6)]
    for each in some:
        write(reconciliations.add_difference(each))
    assert list(reconciliations.every_difference("rec_1")) == some[::-1]
    assert list(reconciliations.every_difference("rec_2")) == []


def test_what_a_reconciliation_has_decided_may_be_meant_again() -> None:
    write(claim_store.claim_entry(BANK, ENTRY, "rec_1", "1"))
    with pytest.raises(Stale):
        write(claim_store.undecide_entry(BANK, ENTRY, "rec_2"))
    write(claim_store.undecide_entry(BANK, ENTRY, "rec_1"))
    claims = claim_store.claimed_entries([(BANK, ENTRY)])
    assert claims[BANK, ENTRY].by == claim_store.AMBIGUOUS


def test_a_difference_is_read_as_it_was_written_and_changed_once() -> None:
    first, second = a_difference(), a_difference(n=2, difference=replace(MISSING, kind="extra"))
    for each in (first, second):
        write(reconciliations.add_difference(each))
        with pytest.raises(Stale):
            write(reconciliations.add_difference(each))
    resolved = replace(
        first, resolution="accept", note="ours", resolved_at=NOW, posted=("e:1",), version=2
    )
    write(reconciliations.replace_difference(resolved))
    with pytest.raises(Stale):
        write(reconciliations.replace_difference(resolved))
    assert reconciliations.get_difference("rec_1", 1) == resolved
    assert reconciliations.get_difference("rec_1", 3) is None
    page = reconciliations.differences("rec_1", PageRequest("list", 1))
    assert page.items == (second,)
    rest = reconciliations.differences("rec_1", PageRequest("list", 1, page.next_after))
    assert (rest.items, rest.next_after) == ((resolved,), None)


def test_an_item_is_cleared_as_far_as_it_was_read() -> None:
    amounts = {"cash:local": 700, "unmatched_receipts": -700}
    item = item_of(books.entry("receipt:local:1", "EUR", "pay_1", NOW, amounts), 0)
    assert item is not None
    first = Clearing("clr_1", item.entry.id, 300, "payer", BANK, "T1", NOW, "op_1", "cleared:1:T1")
    second = replace(first, id="clr_2", goes="income", about="", reference="T2", posted="")
    write(*item_store.clear(item, first))
    for stale in (first, second):
        with pytest.raises(Stale):
            write(*item_store.clear(item, stale))
    assert item_store.cleared([item.entry.id, "receipt:local:2"]) == {item.entry.id: 300}
    write(*item_store.clear(replace(item, cleared=300), second))
    with pytest.raises(Stale):
        write(*item_store.clear(replace(item, cleared=600), second))
    assert item_store.clearings(item.entry.id) == [first, second]
    assert item_store.get_clearing(item.entry.id, "clr_2") == second
    assert item_store.get_clearing("receipt:local:2", "clr_2") is None


def test_what_turns_up_is_taken_back_once() -> None:
    write(*reconciliations.add_reconciliation(a_reconciliation(unresolved=0)))
    amounts = {BANK: 300, "platform:suspense": -300}
    posted = books.entry("reconciled:rec_1:1:EUR", "EUR", "rec_1", NOW, amounts)
    resolution: dict[str, Any] = {"resolution": "post_to_suspense", "resolved_at": NOW}
    write(
        *ledger.post(posted),
        reconciliations.add_difference(a_difference(posted=(posted.id,), **resolution)),
        claim_store.leave_missing(BANK, ENTRY, "rec_1", 1),
    )
    turning_up.let_go_of_all_claimed(BANK)
    assert claim_store.get_left(BANK, ENTRY) is not None
    write(claim_store.claim_entry(BANK, ENTRY, "rec_2", "match"))
    for _ in range(2):
        turning_up.let_go_of_all_claimed(BANK)
    found = reconciliations.get_difference("rec_1", 1)
    assert found is not None
    undone = "reconciled-undone:rec_1:1:EUR"
    assert (found.found_in, found.posted) == ("rec_2", (posted.id, undone))
    entry = ledger.get_entry(undone)
    assert entry is not None
    assert {each.account: each.amount for each in entry.postings} == {
        BANK: -300,
        "platform:suspense": 300,
    }
    assert entry.belongs_to == "2026-03"
    assert claim_store.left(BANK) == []
