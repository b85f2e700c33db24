"""The ledger store: entries written once, balances that follow, and the steps of the fold."""

import itertools
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.ledger import (
    fold_store,
    history_store,
    income_store,
    period_store,
    posted_store,
    rules,
    service,
    waiting_store,
)
from chalicelib.ledger import store as ledger
from chalicelib.ledger.fold_store import FoldRow
from chalicelib.ledger.income_store import Brought, Earned
from chalicelib.ledger.periods import Period
from chalicelib.ledger.rules import Books, Bound, Entry, Posting, Sums
from chalicelib.ledger.seals import Seal
from chalicelib.ledger.store import OutOfBounds
from chalicelib.ledger.trade import Traded
from chalicelib.platform import settings as platform
from chalicelib.platform import store
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.transaction import write
from tests.support.made import NOW

LEADER, SUPPLIER = "leader:ldr_1", "supplier:sup_1"


def entry(
    entry_id: str, amounts: dict[str, int], at: datetime = NOW, currency: str = "EUR"
) -> Entry:
    return rules.entry(entry_id, currency, "ord_1", at, amounts)


def receipt(n: int, at: datetime = NOW) -> Entry:
    return entry(f"receipt:{n}", {"cash:local": n, "customer_prepayments": -n}, at)


def test_an_entry_comes_back_as_it_was_written() -> None:
    posted = entry("e1", {"cash:local": 10**15, "customer_prepayments": -(10**15)})
    write(*ledger.post(posted))
    assert ledger.get_entry("e1") == posted
    assert ledger.get_entry("e2") is None


def test_an_entry_is_written_once_and_balances_with_it() -> None:
    earned = {f"{LEADER}:pending": -600, "supplier:sup_1:payable": -400, "platform:revenue": 1000}
    write(*ledger.post(entry("e1", earned)))
    with pytest.raises(Stale):
        write(*ledger.post(entry("e1", {f"{LEADER}:pending": -1, "platform:revenue": 1})))
    assert ledger.accounts_of(LEADER).pending == -600
    assert ledger.accounts_of("supplier:sup_1").payable == -400


def test_balances_add_up_over_entries_and_purposes() -> None:
    write(*ledger.post(entry("e1", {f"{LEADER}:pending": -600, "platform:revenue": 600})))
    write(*ledger.post(entry("e2", {f"{LEADER}:pending": 400, f"{LEADER}:available": -400})))
    write(*ledger.post(entry("e3", {f"{LEADER}:collected": 900, "customer_prepayments": -900})))
    accounts = ledger.accounts_of(LEADER)
    assert (accounts.pending, accounts.available, accounts.collected) == (-200, -400, 900)
    assert (accounts.payable, accounts.in_payout) == (0, 0)


def test_two_entries_of_one_transaction_move_one_balance_item() -> None:
    write(
        *ledger.post(
            entry("e1", {f"{LEADER}:pending": -600, "platform:revenue": 600}),
            entry("e2", {f"{LEADER}:pending": 100, "refunds_in_flight": -100}),
        )
    )
    assert ledger.accounts_of(LEADER).pending == -500


def test_a_party_keeps_to_its_currency() -> None:
    write(*ledger.post(entry("e1", {f"{LEADER}:pending": -600, "platform:revenue": 600})))
    foreign = entry("e2", {f"{LEADER}:pending": -1, "platform:revenue": 1}, currency="USD")
    with pytest.raises(ValueError, match="USD"):
        write(*ledger.post(foreign))
    assert ledger.get_entry("e2") is None


def collect(n: int, amount: int, within: Bound | None = None) -> None:
    taken = {f"{LEADER}:collected": amount, "customer_prepayments": -amount}
    write(*ledger.post(entry(f"collected:{n}", taken), within=within))


@pytest.mark.parametrize(
    ("bound", "fits", "too_much"),
    [
        (Bound(LEADER, "collected", at_most=500), 200, 201),
        (Bound(LEADER, "collected", at_least=0), -300, -301),
        (Bound(LEADER, "collected", at_least=100, at_most=400), 100, 101),
    ],
)
def test_a_balance_reaches_its_bound_and_not_a_cent_beyond(
    bound: Bound, fits: int, too_much: int
) -> None:
    collect(1, 300)
    with pytest.raises(OutOfBounds):
        collect(2, too_much, bound)
    assert (ledger.get_entry("collected:2"), ledger.accounts_of(LEADER).collected) == (None, 300)
    collect(2, fits, bound)
    assert ledger.accounts_of(LEADER).collected == 300 + fits


@pytest.mark.parametrize("other_balances", [True, False])
def test_a_balance_that_nothing_was_posted_to_is_zero_to_its_bound(other_balances: bool) -> None:
    if other_balances:
        write(*ledger.post(entry("e1", {f"{LEADER}:pending": -600, "platform:revenue": 600})))
    for bound, amount in (
        (Bound(LEADER, "collected", at_most=99), 100),
        (Bound(LEADER, "collected", at_least=0), -1),
    ):
        with pytest.raises(OutOfBounds):
            collect(1, amount, bound)
    collect(1, 100, Bound(LEADER, "collected", at_most=100))
    assert ledger.accounts_of(LEADER).collected == 100


MOVES = st.lists(st.integers(-300, 300).filter(bool), min_size=1, max_size=6)
_parties = itertools.count()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at_least=st.integers(-300, 0), at_most=st.integers(0, 300), moves=MOVES)
def test_a_bounded_balance_takes_just_what_its_bound_admits(
    at_least: int, at_most: int, moves: list[int]
) -> None:
    party, balance = f"leader:ldr_any_{next(_parties)}", 0
    bound = Bound(party, "collected", at_least, at_most)
    for n, moved in enumerate(moves):
        posted = entry(f"{party}:{n}", {f"{party}:collected": moved, "cash:bank": -moved})
        if at_least <= balance + moved <= at_most:
            write(*ledger.post(posted, within=bound))
            balance += moved
        else:
            with pytest.raises(OutOfBounds):
                write(*ledger.post(posted, within=bound))
        assert ledger.accounts_of(party).collected == balance


def test_a_bound_holds_for_one_party_and_one_balance_alone() -> None:
    bound = Bound(LEADER, "collected", at_most=0)
    moved = {f"{LEADER}:pending": 7, "leader:ldr_2:collected": 7, "platform:revenue": -14}
    write(*ledger.post(entry("e1", moved), within=bound))
    assert ledger.accounts_of(LEADER).pending == 7
    assert ledger.accounts_of("leader:ldr_2").collected == 7


def test_a_bound_of_a_party_that_nothing_is_posted_to_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="ldr_2"):
        collect(1, 100, Bound("leader:ldr_2", "collected", at_most=50))


def test_an_entry_written_before_is_stale_whatever_its_bound() -> None:
    bound = Bound(LEADER, "collected", at_most=100)
    collect(1, 100, bound)
    with pytest.raises(Stale):
        collect(1, 100, bound)


def test_nothing_was_posted_to_a_party_nobody_knows() -> None:
    accounts = ledger.accounts_of("leader:ldr_none")
    assert (accounts.pending, accounts.available, accounts.collected) == (0, 0, 0)


def test_no_transaction_touches_a_balance_of_an_account_that_every_order_touches() -> None:
    shared = {"cash:local": 3, "customer_prepayments": -1, "refunds_in_flight": -1}
    moved = {**shared, "platform:revenue": -1}
    assert len(ledger.post(entry("e1", moved, clock.now()))) == 1


def test_entries_of_a_window_are_those_after_its_begin_up_to_its_end() -> None:
    midnight = datetime(2026, 3, 10, tzinfo=UTC)
    moment = timedelta(milliseconds=1)
    instants = [
        midnight - timedelta(days=2),
        midnight - moment,
        midnight,
        midnight + moment,
        midnight + timedelta(hours=30),
    ]
    for n, at in enumerate(instants, start=1):
        write(*ledger.post(receipt(n, at)))

    def found(after: datetime | None, through: datetime) -> list[str]:
        return sorted(each.id for each in ledger.entries_between(after, through))

    assert found(midnight - moment, midnight) == ["receipt:3"]
    assert found(midnight - timedelta(days=2), midnight + moment) == [
        "receipt:2",
        "receipt:3",
        "receipt:4",
    ]
    assert found(None, midnight) == ["receipt:1", "receipt:2", "receipt:3"]
    assert len(found(None, midnight + timedelta(days=9))) == 5


def books(n: int) -> Books:
    return {("EUR", "cash:local"): Sums(n, 0), ("EUR", "customer_prepayments"): Sums(0, n)}


def test_a_step_that_was_kept_is_where_the_next_begins() -> None:
    assert fold_store.folded() == (None, {})
    fold_store.keep_fold(None, NOW, books(5))
    assert fold_store.folded() == (NOW, books(5))
    later = NOW + timedelta(hours=1)
    fold_store.keep_fold(NOW, later, books(9))
    assert fold_store.folded() == (later, books(9))


@pytest.mark.parametrize("before", [None, NOW - timedelta(hours=1)])
def test_a_step_from_where_the_fold_no_longer_is_is_not_kept(before: datetime | None) -> None:
    fold_store.keep_fold(None, NOW, books(5))
    with pytest.raises(Stale):
        fold_store.keep_fold(before, NOW + timedelta(hours=1), books(7))
    assert fold_store.folded() == (NOW, books(5))


def test_a_step_of_many_accounts_is_kept_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold_store, "ACCOUNTS_A_PAGE", 3)
    many: Books = {("EUR", f"supplier:sup_{n}:payable"): Sums(0, n + 1) for n in range(10)}
    fold_store.keep_fold(None, NOW, many)
    assert fold_store.folded() == (NOW, many)


def test_only_steps_that_were_left_behind_expire() -> None:
    fold_store.keep_fold(None, NOW, books(5))
    fold_store.keep_fold(NOW, NOW + timedelta(hours=1), books(9))
    rows = [row for row in FoldRow.scan() if row.pk.startswith("fold")]
    expiring = [row.through for row in rows if row.ttl]
    assert expiring == [NOW]
    assert len(rows) == 3
    assert store.get(FoldRow, "fold", "head") is not None


SUPPLIER = "supplier:sup_1"


def deliver(n: int, cost: int, at: datetime = NOW) -> Entry:
    """A delivery whose cost the supplier is owed, from a parcel of a dispatch."""
    amounts = {"customer_prepayments": cost, f"{SUPPLIER}:payable": -cost}
    of = {f"{SUPPLIER}:payable": ("dsp_1", f"prc_{n}")}
    return rules.entry(f"delivered:prc_{n}", "EUR", f"ord_{n}", at, amounts, of)


def history(
    first: date, last: date, after: str | None = None, limit: int = 100
) -> tuple[list[str], str | None]:
    found, position = history_store.history(SUPPLIER, after, first, last, limit)
    return [each.entry_id for each in found], position


def test_what_is_posted_to_a_supplier_is_its_history_with_what_it_came_of() -> None:
    write(*ledger.post(deliver(1, 700)))
    (change,), _ = history_store.history(SUPPLIER, None, NOW.date(), NOW.date(), 10)
    assert (change.entry_id, change.subject, change.posted_at) == ("delivered:prc_1", "ord_1", NOW)
    assert change.postings == (Posting(f"{SUPPLIER}:payable", -700, ("dsp_1", "prc_1")),)


def test_what_a_posting_adds_up_stands_in_its_entry_alone() -> None:
    payable, row = f"{SUPPLIER}:payable", ("sku_1", 2, 1000, 0, 700)
    amounts = {"customer_prepayments": 700, payable: -700}
    write(*ledger.post(rules.entry("e1", "EUR", "ord_1", NOW, amounts, parts={payable: [row]})))
    stored = ledger.get_entry("e1")
    assert stored
    assert [each.parts for each in stored.postings] == [(), (row,)]
    (change,), _ = history_store.history(SUPPLIER, None, NOW.date(), NOW.date(), 10)
    assert change.postings == (Posting(payable, -700),)


def test_one_transactions_entries_are_told_each_and_summed_by_supplier() -> None:
    both = {f"{SUPPLIER}:payable": 5, f"{SUPPLIER}:owed": 9, "supplier:sup_2:held": -14}
    write(*ledger.post(deliver(1, 700), deliver(2, 40), entry("e3", both)))
    today = NOW.date()
    assert history(today, today)[0] == ["delivered:prc_1", "delivered:prc_2", "e3"]
    tomorrow = today + timedelta(days=1)
    assert service.balances_before(SUPPLIER, tomorrow) == {"payable": -735, "owed": 9}
    assert service.balances_before("supplier:sup_2", tomorrow) == {"held": -14}


def test_a_leader_has_its_history_elsewhere() -> None:
    moved = {f"{LEADER}:pending": -600, "platform:revenue": 600}
    assert len(ledger.post(entry("e1", moved, clock.now()))) == 2


def test_history_goes_by_business_dates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMEZONE", "Asia/Shanghai")
    platform.settings.cache_clear()
    midnight = datetime(2026, 3, 9, 16, tzinfo=UTC)
    moment, first, last = timedelta(milliseconds=1), date(2026, 3, 10), date(2026, 3, 11)
    instants = [
        midnight - moment,
        midnight,
        midnight + timedelta(days=2) - moment,
        midnight + timedelta(days=2),
    ]
    for n, at in enumerate(instants, start=1):
        write(*ledger.post(deliver(n, 10**n, at)))
    assert history(first, last)[0] == ["delivered:prc_2", "delivered:prc_3"]
    assert [
        service.balances_before(SUPPLIER, last + timedelta(days=days))["payable"]
        for days in (-2, -1, 0, 1, 2)
    ] == [0, -10, -110, -1110, -11110]


def test_a_long_history_is_added_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three changes a day: a step is kept at the first day that lies behind five of them."""
    monkeypatch.setattr(service, "CHANGES_A_STEP", 5)
    monkeypatch.setattr(service, "CHANGES_A_READ", 2)
    for n in range(12):
        write(*ledger.post(deliver(n, 1, NOW + timedelta(days=n // 3, seconds=n))))
    day = NOW.date()
    for _ in range(2):
        found = [
            service.balances_before(SUPPLIER, day + timedelta(days=n))["payable"] for n in range(6)
        ]
        assert found == [0, -3, -6, -9, -12, -12]
    step = day + timedelta(days=2)
    assert history_store.last_step(SUPPLIER, day + timedelta(days=1)) == (None, {})
    last, sums = history_store.last_step(SUPPLIER, day + timedelta(days=9))
    assert (last, sums["payable"]) == (step, -6)


def test_no_step_is_kept_of_days_to_which_something_may_still_be_posted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "CHANGES_A_STEP", 1)
    midnight = datetime(2026, 3, 11, tzinfo=UTC)
    for n, at in enumerate((midnight - timedelta(hours=1), midnight)):
        write(*ledger.post(deliver(n, 1, at)))
    after = midnight.date() + timedelta(days=1)
    for minutes, kept in ((14, None), (15, midnight.date())):
        monkeypatch.setattr(clock, "now", lambda at=minutes: midnight + timedelta(minutes=at))
        assert service.balances_before(SUPPLIER, after)["payable"] == -2
        assert history_store.last_step(SUPPLIER, after)[0] == kept


def test_history_is_read_page_by_page_without_a_gap() -> None:
    for n in range(5):
        write(*ledger.post(deliver(n, 1, NOW + timedelta(seconds=n))))
    today, seen, after = NOW.date(), list[str](), None
    for most in (2, 2, 2):
        found, after = history(today, today, after, most)
        seen += found
    assert (seen, after) == ([f"delivered:prc_{n}" for n in range(5)], None)
    assert history(today, today, limit=5)[1] is None


def test_a_position_of_another_period_leads_to_no_line_outside_of_this_one() -> None:
    for n in range(3):
        write(*ledger.post(deliver(n, 1, NOW + timedelta(days=n))))
    first, last = NOW.date(), NOW.date() + timedelta(days=2)
    _, after_first = history(first, last, limit=1)
    _, after_second = history(first, last, limit=2)
    assert history(last, last, after_first) == (["delivered:prc_2"], None)
    assert history(first, first, after_second) == ([], None)


def test_two_bounds_of_one_party_both_hold() -> None:
    bounds = (Bound(SUPPLIER, "deposit", at_most=0), Bound(SUPPLIER, "owed", at_least=0))
    write(*ledger.post(entry("e1", {"cash:bank": 500, f"{SUPPLIER}:deposit": -500})))
    write(*ledger.post(entry("e2", {f"{SUPPLIER}:owed": 300, "platform:revenue": -300})))

    def draw(n: int, amount: int) -> None:
        moved = {f"{SUPPLIER}:deposit": amount, f"{SUPPLIER}:owed": -amount}
        write(*ledger.post(entry(f"draw:{n}", moved), within=bounds))

    for too_much in (301, 501):
        with pytest.raises(OutOfBounds):
            draw(too_much, too_much)
    draw(1, 300)
    accounts = ledger.accounts_of(SUPPLIER)
    assert (accounts.deposit, accounts.owed) == (-200, 0)


def test_which_entries_have_been_written() -> None:
    write(*ledger.post(receipt(1)))
    assert ledger.posted(["receipt:1", "receipt:2"]) == {"receipt:1"}


def test_entries_come_in_order_across_days_and_shards_and_go_on_behind_any() -> None:
    made = [receipt(n, NOW + timedelta(hours=12 * (n // 3))) for n in range(1, 13)]
    for each in made:
        write(*ledger.post(each))
    first, last = NOW, NOW + timedelta(days=5)
    due = sorted(made, key=rules.position)
    assert list(ledger.entries_in_order(first, last, None)) == due
    for n, each in enumerate(due):
        behind = list(ledger.entries_in_order(first, last, rules.position(each)))
        assert behind == due[n + 1 :]
    inner = list(ledger.entries_in_order(due[3].posted_at, due[5].posted_at, None))
    assert {each.posted_at for each in inner} == {due[3].posted_at, due[5].posted_at}


def test_a_look_at_the_whole_table_finds_each_entry_history_and_balance_once() -> None:
    shared = {f"{LEADER}:pending": -600, f"{SUPPLIER}:payable": -400, "platform:revenue": 1000}
    made = [receipt(n) for n in range(1, 6)] + [entry("e1", shared)]
    for each in made:
        write(*ledger.post(each))
    for size in (1, 2, 100):
        found, after, pages = [], None, 0
        while pages == 0 or after is not None:
            rows, after = ledger.scanned(after, size)
            found += rows
            pages += 1
        entries = [row.to_entry() for row in found if row.is_entry]
        assert sorted(entries, key=rules.position) == sorted(made, key=rules.position)
        (told,) = [row for row in found if row.is_history]
        assert (told.pk, told.currency, told.posted_at) == (SUPPLIER, "EUR", NOW)
        assert told.postings == (Posting(f"{SUPPLIER}:payable", -400),)
        kept = {row.pk: row.by_purpose for row in found if row.posted_at is None}
        assert kept == {LEADER: {"pending": -600}, SUPPLIER: {"payable": -400}}
        assert len(found) == len(made) + 3


def test_an_entry_is_dated_into_no_closed_month() -> None:
    closed = Period(f"{NOW:%Y-%m}", NOW, "op", "aud_1", 0, "0")
    write(period_store.close_period(closed))
    assert period_store.get_period(closed.month) == closed
    assert period_store.periods() == [closed]
    with pytest.raises(Stale):
        write(period_store.close_period(closed))
    with pytest.raises(Stale):
        write(*ledger.post(receipt(1)))
    write(*ledger.post(receipt(2, NOW + timedelta(days=31))))
    assert set(ledger.get_entries(["receipt:1", "receipt:2"])) == {"receipt:2"}


def test_a_seal_is_kept_once() -> None:
    period_store.keep_seal("2026-03-01", Seal(1, "a"))
    period_store.keep_seal("2026-03-01", Seal(2, "b"))
    assert period_store.seals() == {"2026-03-01": Seal(1, "a")}


def test_a_days_end_is_found_by_that_day_and_those_behind_it() -> None:
    first, second = date(2026, 3, 10), date(2026, 3, 12)
    assert fold_store.folded_by(second) == (None, {})
    ends = [NOW, NOW + timedelta(days=2), NOW + timedelta(days=2, hours=1)]
    fold_store.keep_fold(None, ends[0], {}, first)
    fold_store.keep_fold(ends[0], ends[1], books(5), second)
    fold_store.keep_fold(ends[1], ends[2], books(9))
    assert fold_store.folded_by(first - timedelta(days=1)) == (None, {})
    assert fold_store.folded_by(first) == fold_store.folded_by(date(2026, 3, 11)) == (ends[0], {})
    assert fold_store.folded_by(second) == (ends[1], books(5))
    assert fold_store.folded() == (ends[2], books(9))


def test_days_that_have_entries_are_found_among_others() -> None:
    days = [date(2026, 3, 10), date(2026, 3, 12), date(2026, 4, 1)]
    for _ in range(2):
        posted_store.keep_posted(days)
    assert posted_store.posted(date(2026, 3, 10), date(2026, 3, 31)) == set(days[:2])
    assert posted_store.posted(date(2026, 3, 13), date(2026, 3, 31)) == set()


def test_what_days_have_brought_is_found_by_day() -> None:
    earned = (Earned("EUR", "margin", 2, 5, 700), Earned("JPY", "fines", 1, 0, 90))
    brought = Brought(earned, (Traded("EUR", "deliveries", 700, 100, -30),))
    income_store.keep(date(2026, 3, 10), brought)
    income_store.keep(date(2026, 3, 11), Brought((), ()))
    income_store.keep(date(2026, 3, 11), Brought((), ()))
    assert income_store.kept(date(2026, 3, 9), date(2026, 3, 10)) == {date(2026, 3, 10): brought}
    empty = {date(2026, 3, 11): Brought((), ())}
    assert income_store.kept(date(2026, 3, 11), date(2026, 3, 12)) == empty


def test_what_leaves_money_for_a_person_is_listed_newest_first() -> None:
    """Whatever else posts to such an account leaves none."""
    for n in (1, 2, 3):
        at = NOW + timedelta(days=n)
        amounts = {"cash:local": n, "unmatched_receipts": -n}
        write(*ledger.post(receipt(n + 3, at), entry(f"receipt:{n}", amounts, at)))
    back = {"platform:suspense": -1, "unmatched_receipts": 1}
    write(*ledger.post(entry("cleared:clr_1:item", back), entry("reconciled:rec_1:1:EUR", back)))
    page = waiting_store.entry_ids(PageRequest("list", 2))
    assert page.items == ("receipt:3", "receipt:2")
    rest = waiting_store.entry_ids(PageRequest("list", 2, page.next_after))
    assert (rest.items, rest.next_after) == (("receipt:1", "reconciled:rec_1:1:EUR"), None)
