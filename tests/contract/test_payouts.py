"""The payouts store, and what a payout posts: batches, pages, tallies, one open payout a party."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.kernel.errors import Stale
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Bound
from chalicelib.ledger.store import OutOfBounds
from chalicelib.payouts import account_store, batch_store, postings
from chalicelib.payouts import store as payouts
from chalicelib.payouts.rules import Party, Payout, SealedAccount, Standing, Tally
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.transaction import write
from chalicelib.settlement import store as settlement
from chalicelib.settlement.rules import Statement
from tests.support.made import NOW
from tests.unit.test_payout_rules import a_batch, a_payout

LEADER, SUPPLIER = Party("leader", "ldr_1"), Party("supplier", "sup_1")
FIRST = PageRequest("list")


def give(party: Party, purpose: str, amount: int, name: str = "given") -> None:
    """A balance from nowhere that matters here."""
    amounts = {party.account(purpose): amount, books.PLATFORM_REVENUE: -amount}
    write(*ledger.post(books.entry(f"{name}:{party.key}:{purpose}", "EUR", name, NOW, amounts)))


def balances(party: Party) -> dict[str, int]:
    row = ledger.accounts_of(party.key)
    names = (party.coming, party.owed, "in_payout")
    return {name: getattr(row, name) for name in names}


def test_a_batch_is_read_as_it_was_written() -> None:
    batch = a_batch(approved_by="op_2", approved_at=NOW, sent_at=NOW, payouts=3, amount=700)
    write(batch_store.add_batch(batch))
    assert batch_store.get_batch("pob_1") == batch
    assert batch_store.get_batches(["pob_1", "pob_2"]) == {"pob_1": batch}
    assert batch_store.batches(FIRST).items == (batch,)
    assert batch_store.get_batch("pob_2") is None


def test_of_two_changes_of_a_batch_one_is_stale() -> None:
    batch = a_batch()
    write(batch_store.add_batch(batch))
    write(batch_store.replace_batch(batch.after("sent", NOW)))
    with pytest.raises(Stale):
        write(batch_store.replace_batch(batch.after("cancelling", NOW)))
    with pytest.raises(Stale):
        write(batch_store.add_batch(batch))


def test_batches_are_watched_while_they_go_on_by_themselves() -> None:
    batch = a_batch(status="preparing")
    write(batch_store.add_batch(batch))
    assert batch_store.batches_going_on() == ["pob_1"]
    write(batch_store.replace_batch(batch.after("prepared", NOW)))
    assert batch_store.batches_going_on() == []


def test_a_page_is_listed_once_and_closed_once() -> None:
    write(batch_store.add_page("pob_1", 0, ["ldr_1", "ldr_2"], is_last=False))
    write(batch_store.add_page("pob_1", 1, [], is_last=True))
    with pytest.raises(Stale):
        write(batch_store.add_page("pob_1", 0, ["ldr_3"], is_last=True))
    first, last = batch_store.pages("pob_1")
    assert (first.number, first.party_ids, first.is_last, first.is_open) == (
        0,
        ("ldr_1", "ldr_2"),
        False,
        True,
    )
    assert (last.number, last.party_ids, last.is_last) == (1, (), True)
    write(batch_store.still_open(first))
    write(batch_store.close_page(first))
    for late in (batch_store.close_page(first), batch_store.still_open(first)):
        with pytest.raises(Stale):
            write(late)
    batch_store.note_sent_again(first)
    batch_store.pass_page(first, "sent")
    again = batch_store.get_page("pob_1", 0)
    assert again is not None
    assert (again.stage, again.times_sent) == ("sent", 2)


def test_what_pages_count_adds_up() -> None:
    for page, amount in ((0, 100), (1, 200), (8, 400)):
        write(batch_store.count("pob_1", page, payouts=1, amount=amount, netted=0))
    write(batch_store.count("pob_1", 1, **batch_store.counted("paid", a_payout(amount=200))))
    write(batch_store.count("pob_2", 0, payouts=7))
    expected = Tally(payouts=3, amount=700, paid=1, paid_amount=200)
    assert batch_store.tally("pob_1") == expected


def test_a_party_has_one_open_payout() -> None:
    first, second = a_payout(), a_payout(id="pyt_2", batch_id="pob_2")
    write(*payouts.add_payout(first))
    for again in (first, second):
        with pytest.raises(Stale):
            write(*payouts.add_payout(again))
    assert payouts.has_open(LEADER)
    with pytest.raises(Stale):
        write(payouts.end(second))
    write(payouts.end(first))
    assert not payouts.has_open(LEADER)
    write(*payouts.add_payout(second))
    assert [each.id for each in payouts.payouts_to(LEADER, FIRST).items] == ["pyt_2", "pyt_1"]
    assert [each.id for each in payouts.payouts_in("pob_1", FIRST).items] == ["pyt_1"]
    assert payouts.get_payouts(["pyt_2", "pyt_3", "pyt_1"]) == [second, first]


def test_a_payout_that_is_over_from_the_start_is_not_open() -> None:
    offset = a_payout(amount=0, netted=500, outcome="offset", told_at=NOW)
    write(*payouts.add_payout(a_payout(id="pyt_2", batch_id="pob_2")))
    write(*payouts.add_payout(offset))
    assert payouts.get_payout("pyt_1") == offset
    with pytest.raises(Stale):
        write(*payouts.add_payout(offset))
    with pytest.raises(Stale):
        write(payouts.end(offset))


def test_what_is_said_of_a_payout_holds_while_it_is_unchanged() -> None:
    payout = a_payout()
    write(*payouts.add_payout(payout))
    write(payouts.unchanged(payout), batch_store.count("pob_1", 0, payouts=1))
    write(payouts.replace_payout(payout.told("paid", "B1", NOW)))
    with pytest.raises(Stale):
        write(payouts.unchanged(payout), batch_store.count("pob_1", 0, payouts=1))


def test_all_payouts_and_batches_are_found_page_by_page() -> None:
    batch = a_batch()
    made = [a_payout(), a_payout(id="pyt_2", party="supplier:sup_1")]
    write(batch_store.add_batch(batch), *(each for one in made for each in payouts.add_payout(one)))
    found: list[Any] = []
    after = None
    while True:
        some, batches, after = batch_store.scanned(after, 1)
        found += [*some, *batches]
        if after is None:
            break
    assert {each.id for each in found} == {"pob_1", *(each.id for each in made)}
    opened = payouts.open_ids(["leader:ldr_1", "supplier:sup_1", "leader:ldr_2"])
    assert opened == {each.party: each.id for each in made}


def test_payouts_in_doubt_are_looked_at_when_they_are_due() -> None:
    payout = a_payout()
    write(*payouts.add_payout(payout))
    unknown = payout.told("unknown", None, NOW)
    later = NOW + timedelta(minutes=5)
    write(payouts.replace_payout(unknown, later))
    assert payouts.to_look_at(NOW, 10) == []
    assert payouts.to_look_at(later, 10) == [unknown]
    write(payouts.look_again("pyt_1", later + timedelta(minutes=5)))
    assert payouts.to_look_at(later, 10) == []
    write(payouts.stop_looking("pyt_1"))
    with pytest.raises(Stale):
        write(payouts.stop_looking("pyt_1"))
    with pytest.raises(Stale):
        write(payouts.replace_payout(unknown))
    write(payouts.replace_payout(unknown.told("paid", "tr_1", NOW)))
    assert payouts.to_look_at(NOW + timedelta(days=1), 10) == []


def test_each_version_of_an_account_is_set_once_and_kept() -> None:
    first = SealedAccount("leader:ldr_1", "iban", "1.abc", "3000", 1, NOW, "leader:ldr_1")
    write(*account_store.set_account(first))
    second = replace(first, sealed="1.def", version=2, changed_by="operator:op_1")
    write(*account_store.set_account(second))
    for late in (first, second):
        with pytest.raises(Stale):
            write(*account_store.set_account(late))
    assert account_store.get_account(LEADER) == second
    assert account_store.get_account(SUPPLIER) is None
    assert account_store.account_changes(LEADER, PageRequest("changes")).items == (second, first)
    newest = account_store.account_changes(LEADER, PageRequest("changes", 1))
    older = account_store.account_changes(LEADER, PageRequest("changes", 1, newest.next_after))
    assert (newest.items, older.items, older.next_after) == ((second,), (first,), None)
    assert account_store.account_changes(SUPPLIER, PageRequest("changes")).items == ()


@pytest.mark.parametrize("party", [LEADER, SUPPLIER], ids=["leader", "supplier"])
def test_a_payout_takes_what_is_coming_and_pays_what_is_owed(party: Party) -> None:
    give(party, party.coming, -1500)
    give(party, party.owed, 1000)
    payout = a_payout(party=party.key, amount=500, netted=1000)
    write(*postings.prepared(payout))
    assert balances(party) == {party.coming: 0, party.owed: 0, "in_payout": -500}
    write(*postings.paid(payout, NOW))
    assert (balances(party)["in_payout"], ledger.paid_out(party.key)) == (0, 500)
    assert ledger.paid_out_to_each([party.key, "leader:ldr_9"]) == {party.key: 500}
    paid = payout.told("paid", "B1", NOW)
    write(*postings.sent_back(paid, NOW))
    assert balances(party) == {party.coming: -500, party.owed: 0, "in_payout": 0}
    assert ledger.paid_out(party.key) == 0


@pytest.mark.parametrize("party", [LEADER, SUPPLIER], ids=["leader", "supplier"])
def test_a_payout_that_is_cancelled_leaves_no_trace(party: Party) -> None:
    give(party, party.coming, -1500)
    give(party, party.owed, 1000)
    before = balances(party)
    payout = a_payout(party=party.key, amount=500, netted=1000)
    write(*postings.prepared(payout))
    write(*postings.cancelled(payout, NOW))
    assert balances(party) == before


# What a leader has available and holds, as accounts, before and after what a payout of it takes.
NETTED = [
    ((-1500, 1000), (0, 0), 500),
    ((-700, 1000), (0, 300), 0),
    ((-300, -1000), (0, 0), 1300),
    ((0, -1000), (0, 0), 1000),
    ((200, -1000), (0, 0), 800),
    ((1200, -1000), (200, 0), 0),
]


@pytest.mark.parametrize(("before", "after", "amount"), NETTED)
def test_what_is_coming_and_what_is_owed_are_netted_whoever_owes(
    before: tuple[int, int], after: tuple[int, int], amount: int
) -> None:
    for purpose, balance in zip(("available", "collected"), before, strict=True):
        if balance:
            give(LEADER, purpose, balance)
    standing = Standing(-before[0], before[1])
    payout = a_payout(amount=standing.left, netted=standing.netted)
    write(*postings.prepared(payout))
    assert standing.left == amount
    assert balances(LEADER) == {
        "available": after[0],
        "collected": after[1],
        "in_payout": -amount,
    }
    assert sum(each[1] for each in told()) == before[0] - after[0]
    write(*postings.cancelled(payout, NOW))
    assert balances(LEADER) == {"available": before[0], "collected": before[1], "in_payout": 0}
    assert sum(each[1] for each in told()) == 0


@pytest.mark.parametrize(("coming", "owed"), [(-300, -999), (199, -1000), (-700, 699)])
def test_nothing_is_netted_beyond_what_there_is(coming: int, owed: int) -> None:
    """Of a leader that stood otherwise when its payout was worked out."""
    planned = {-300: (-300, -1000), 199: (200, -1000), -700: (-700, 1000)}[coming]
    give(LEADER, "available", coming)
    give(LEADER, "collected", owed)
    standing = Standing(-planned[0], planned[1])
    before = balances(LEADER)
    with pytest.raises(OutOfBounds):
        write(*postings.prepared(a_payout(amount=standing.left, netted=standing.netted)))
    assert balances(LEADER) == before


@pytest.mark.parametrize(("coming", "owed"), [(-1499, 1000), (-1500, 999), (-1, 0)])
def test_no_balance_is_taken_beyond_what_there_is(coming: int, owed: int) -> None:
    give(SUPPLIER, SUPPLIER.coming, coming)
    if owed:
        give(SUPPLIER, SUPPLIER.owed, owed)
    before = balances(SUPPLIER)
    with pytest.raises(OutOfBounds):
        write(*postings.prepared(a_payout(party=SUPPLIER.key, amount=500, netted=1000)))
    assert balances(SUPPLIER) == before


def test_bounds_of_two_balances_hold_together() -> None:
    give(SUPPLIER, "payable", -100)
    within = [
        Bound(SUPPLIER.key, "payable", at_most=0),
        Bound(SUPPLIER.key, "in_payout", at_least=-50),
    ]

    def move(amount: int, name: str) -> None:
        amounts: dict[str, int] = {
            SUPPLIER.account("payable"): amount,
            SUPPLIER.account("in_payout"): -amount,
        }
        write(*ledger.post(books.entry(name, "EUR", "x", NOW, amounts), within=within))

    with pytest.raises(OutOfBounds):
        move(51, "too much in payout")
    move(50, "just so much")
    with pytest.raises(OutOfBounds):
        move(1, "one more")


def told(after: str = "", through: str = "9999-12-31") -> list[tuple[str, int, str]]:
    lines = settlement.earned_between("ldr_1", after, through)
    return [(line.kind, line.amount, line.entry_id) for line in lines]


def test_a_leaders_statement_tells_of_each_step() -> None:
    give(LEADER, "available", -1500)
    give(LEADER, "collected", 1000)
    payout: Payout = a_payout(amount=500, netted=1000)
    write(*postings.prepared(payout))
    write(*postings.sent_back(payout, NOW))
    assert told() == [
        ("payout", -500, "payout:pyt_1"),
        ("netting", -1000, "payout:pyt_1"),
        ("payout_returned", 500, "payout-returned:pyt_1"),
    ]
    days: list[Any] = settlement.maturing_between("ldr_1", "", "9999-12-31")
    assert sum(day.adjusted for day in days) == -1000


def test_a_payout_that_a_run_came_before_is_stale() -> None:
    give(LEADER, "available", -500)
    writes = postings.prepared(a_payout())
    run = Statement("ldr_1", "run_2026-03-10", "2026-03-10", "EUR", "", 0, 0, 0, NOW)
    write(settlement.take(run, settlement.get_earnings("ldr_1")))
    with pytest.raises(Stale):
        write(*writes)
    write(*postings.prepared(a_payout()))
    assert [amount for _, amount, _ in told(after="2026-03-10")] == [-500]
