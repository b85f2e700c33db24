"""The ledger store: entries written once, balances that follow, and the steps of the fold."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.kernel.errors import Stale
from chalicelib.ledger import rules
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Books, Bound, Entry, Sums
from chalicelib.ledger.store import FoldRow, OutOfBounds
from chalicelib.platform import store
from chalicelib.platform.transaction import write
from tests.support.made import NOW

LEADER = "leader:ldr_1"


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
    assert len(ledger.post(entry("e1", {**shared, "platform:revenue": -1}))) == 1


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
    assert ledger.folded() == (None, {})
    ledger.keep_fold(None, NOW, books(5))
    assert ledger.folded() == (NOW, books(5))
    later = NOW + timedelta(hours=1)
    ledger.keep_fold(NOW, later, books(9))
    assert ledger.folded() == (later, books(9))


@pytest.mark.parametrize("before", [None, NOW - timedelta(hours=1)])
def test_a_step_from_where_the_fold_no_longer_is_is_not_kept(before: datetime | None) -> None:
    ledger.keep_fold(None, NOW, books(5))
    with pytest.raises(Stale):
        ledger.keep_fold(before, NOW + timedelta(hours=1), books(7))
    assert ledger.folded() == (NOW, books(5))


def test_a_step_of_many_accounts_is_kept_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger, "ACCOUNTS_A_PAGE", 3)
    many: Books = {("EUR", f"supplier:sup_{n}:payable"): Sums(0, n + 1) for n in range(10)}
    ledger.keep_fold(None, NOW, many)
    assert ledger.folded() == (NOW, many)


def test_only_steps_that_were_left_behind_expire() -> None:
    ledger.keep_fold(None, NOW, books(5))
    ledger.keep_fold(NOW, NOW + timedelta(hours=1), books(9))
    rows = [row for row in FoldRow.scan() if row.pk.startswith("fold")]
    expiring = [row.through for row in rows if row.ttl]
    assert expiring == [NOW]
    assert len(rows) == 3
    assert store.get(FoldRow, "fold", "head") is not None
