"""The books' own checks, seals, periods and Beancount names, as arithmetic."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ledger import beancount, checks
from chalicelib.ledger.periods import earlier, first_day_after, month_of
from chalicelib.ledger.rules import Entry, Posting, Sums, entry
from chalicelib.ledger.seals import Seal, seal_of

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ONE = Entry("e1", "EUR", (Posting("cash:a", 5), Posting("cash:b", -5, ("x",))), AT, "ord_1")
OTHER = replace(ONE, id="e2")


@given(st.permutations([replace(ONE, id=f"e{n}") for n in range(6)]))
def test_a_seal_is_the_same_in_any_order(entries: list[Entry]) -> None:
    total = sum(map(seal_of, entries), Seal())
    assert total == sum(map(seal_of, sorted(entries, key=lambda each: each.id)), Seal())
    assert total.entries == 6


@pytest.mark.parametrize(
    "changed",
    [
        replace(ONE, id="e3"),
        replace(ONE, currency="USD"),
        replace(ONE, subject="ord_2"),
        replace(ONE, belongs_to="2026-02"),
        replace(ONE, note="DEP-7"),
        replace(ONE, posted_at=AT.replace(microsecond=1000)),
        replace(ONE, postings=(Posting("cash:a", 6), Posting("cash:b", -6, ("x",)))),
        replace(ONE, postings=(Posting("cash:a", 5), Posting("cash:b", -5, ("y",)))),
        replace(ONE, postings=(Posting("cash:a", 5, (), (("z", 5),)), ONE.postings[1])),
        replace(ONE, postings=tuple(reversed(ONE.postings))),
    ],
)
def test_whatever_is_changed_of_an_entry_changes_its_seal(changed: Entry) -> None:
    assert seal_of(changed) != seal_of(ONE)


def test_two_changes_that_cancel_out_do_not_hide_each_other() -> None:
    before = seal_of(ONE) + seal_of(OTHER)
    up = replace(ONE, postings=(Posting("cash:a", 6), Posting("cash:b", -6, ("x",))))
    down = replace(OTHER, postings=(Posting("cash:a", 4), Posting("cash:b", -4, ("x",))))
    assert seal_of(up) + seal_of(down) != before


@pytest.mark.parametrize(
    ("account", "balance", "wrong"),
    [
        ("leader:ldr_1:in_payout", 1, True),
        ("leader:ldr_1:in_payout", -1, False),
        ("leader:ldr_1:available", 1, False),
        ("leader:ldr_1:collected", -1, False),
        ("supplier:sup_1:deposit", 1, True),
        ("supplier:sup_1:held", 1, True),
        ("supplier:sup_1:in_payout", 1, True),
        ("supplier:sup_1:owed", -1, True),
        ("supplier:sup_1:owed", 1, False),
        ("supplier:sup_1:payable", 1, False),
        ("refunds_in_flight", 1, True),
        ("customer_prepayments", 1, True),
        ("unmatched_receipts", 1, True),
        ("unmatched_receipts", -1, False),
        ("cash:bank", -1, False),
        ("platform:revenue", 1, False),
    ],
)
def test_some_balances_lie_on_one_side_alone(account: str, balance: int, wrong: bool) -> None:
    assert bool(list(checks.wrong_side(account, balance))) is wrong
    assert list(checks.wrong_side(account, 0)) == []


def test_a_party_without_balances_is_held_against_its_postings() -> None:
    (finding,) = checks.party_balances("leader:ldr_1", {}, {"pending": -5})
    assert (finding.subject, finding.amount) == ("leader:ldr_1:pending", 5)
    (finding,) = checks.party_balances("leader:ldr_1", {"pending": -5}, {})
    assert finding.amount == -5


def test_each_currency_has_its_own_refunds_in_flight() -> None:
    books = {("EUR", "refunds_in_flight"): Sums(0, 5), ("JPY", "refunds_in_flight"): Sums(0, 7)}
    assert list(checks.refunds_in_flight("EUR", books, 5)) == []
    (finding,) = checks.refunds_in_flight("JPY", books, 5)
    assert (finding.subject, finding.amount) == ("JPY", 2)
    (finding,) = checks.refunds_in_flight("USD", books, 3)
    assert finding.amount == -3


@pytest.mark.parametrize(
    ("happened", "posted", "month"),
    [
        ("2026-02-28", "2026-03-01", "2026-02"),
        ("2026-03-01", "2026-03-31", None),
        ("2026-04-01", "2026-03-31", None),
        ("2025-12-31", "2026-01-01", "2025-12"),
    ],
)
def test_what_happened_before_the_month_of_posting_belongs_to_its_own(
    happened: str, posted: str, month: str | None
) -> None:
    assert earlier(date.fromisoformat(happened), date.fromisoformat(posted)) == month


def test_months_follow_each_other() -> None:
    days = [date(2026, month, 1) for month in range(1, 13)]
    assert [first_day_after(month_of(day)) for day in days] == [*days[1:], date(2027, 1, 1)]


@pytest.mark.parametrize(
    ("name", "mapped"),
    [
        ("cash:stripe", "Assets:Cash:Stripe"),
        ("customer_prepayments", "Liabilities:Customer-prepayments"),
        ("refunds_in_flight", "Liabilities:Refunds-in-flight"),
        ("unmatched_receipts", "Liabilities:Unmatched-receipts"),
        ("unmatched_chargebacks", "Assets:Unmatched-chargebacks"),
        ("platform:revenue", "Income:Platform:Revenue"),
        ("platform:suspense", "Liabilities:Platform:Suspense"),
        ("platform:capital", "Equity:Platform:Capital"),
        ("supplier:sup_1:deposit", "Liabilities:Supplier:Sup-1:Deposit"),
        ("leader:ldr_1:collected", "Assets:Leader:Ldr-1:Collected"),
        ("leader:ldr_1:in_payout", "Liabilities:Leader:Ldr-1:In-payout"),
        ("supplier:sup_1:owed", "Assets:Supplier:Sup-1:Owed"),
        ("supplier:sup_1:payable", "Liabilities:Supplier:Sup-1:Payable"),
        ("cash:bänk 1", "Assets:Cash:B-nk-1"),
    ],
)
def test_an_account_has_a_name_that_beancount_takes(name: str, mapped: str) -> None:
    assert beancount.account(name) == mapped


def test_a_transaction_is_dated_where_the_platform_is_at_home() -> None:
    late = entry("e", "EUR", "o", datetime(2026, 3, 1, 23, 30, tzinfo=UTC), {"cash:a": 5, "b": -5})
    told = list(beancount.lines([late], date(2026, 3, 2), ZoneInfo("Europe/Berlin")))
    assert '2026-03-02 * "o" "Entry of o" ^o' in told
    assert "  Assets:Cash:A  0.05 EUR" in told
