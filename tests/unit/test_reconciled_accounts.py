"""How far the statements of an account reach, and that nothing is lost between them."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.reconciliation.accounts import Account, gap, look_from, reached, since
from chalicelib.reconciliation.lines import Booked, Standing
from chalicelib.reconciliation.matching import Matcher
from chalicelib.reconciliation.rules import Change, Reconciliation
from tests.support.made import NOW

BANK = "cash:bank"
DAY_ONE = date(2026, 3, 1)


def a_reconciliation(**changes: Any) -> Reconciliation:
    usual: dict[str, Any] = {
        "id": "rec_1",
        "account": BANK,
        "format": "camt.053",
        "digest": "d1",
        "own_id": "2026-1",
        "first": "2026-03-01",
        "last": "2026-03-09",
        "lines": 2,
        "made_by": "op_1",
        "made_at": NOW,
        "since": "2026-02-24",
        "opening": (Change("EUR", 1000),),
        "closing": (Change("EUR", 700),),
    }
    return Reconciliation(**{**usual, **changes})


# Days from the first one on; entries and statements come at noon, the latter just before.
booked_on = st.lists(st.integers(0, 40), max_size=8)
# How long after the one before each begins, how long it is, and when after its end it is taken.
statements = st.lists(
    st.tuples(st.integers(-4, 6), st.integers(0, 12), st.integers(0, 3)), min_size=1, max_size=6
)


@settings(max_examples=300, deadline=None)
@given(booked_on, statements)
def test_what_no_statement_ever_has_is_told_once_however_statements_follow(
    entries: list[int], some: list[tuple[int, int, int]]
) -> None:
    books = [
        Booked(f"remittance:ldr_1:{n}", BANK, 100 + n, "EUR", day(of))
        for n, of in enumerate(entries)
    ]
    account: Account | None = None
    left: dict[str, Standing] = {}
    told: list[str] = []
    begins, taken_on = 0, 0
    # The last one is long after all.
    for after, length, taken_after in [*some, (0, 30, 60)]:
        begins = max(begins + after, 0)
        first, last = begins, begins + length
        taken_on = max(taken_on, last + taken_after)
        begins = last + 1
        seen = [
            replace(each, standing=left.get(each.entry_id, "new"))
            for each in books
            if (each.day < day(taken_on) and (each.day >= since(account, day(first))))
            or each.entry_id in left
        ]
        made = a_reconciliation(first=day(first), last=day(last))
        period = (look_from(account, made.first), made.last)
        result = Matcher(BANK, [], seen, period, made.transit_from).run()
        left |= dict.fromkeys(result.in_transit, "in_transit")
        now_missing = [each.entries[0] for each in result.differences]
        left |= dict.fromkeys(now_missing, "missing")
        told += now_missing
        account = reached(account, made, day(taken_on - 1))
    assert len(told) == len(set(told))
    begin = day(max(some[0][0], 0))
    due = {each.entry_id for each in books if begin <= each.day <= day(last - 5)}
    assert due <= set(told)


def day(n: int) -> str:
    return (DAY_ONE + timedelta(days=n)).isoformat()


def an_account(*closing: Change, told_through: str = "2026-03-09") -> Account:
    return Account(BANK, told_through, "2026-03-08", closing, version=3)


@pytest.mark.parametrize(
    ("closing", "first", "opening", "said"),
    [
        ((), "2026-03-10", (), None),
        ((), "2026-03-09", (), None),
        ((), "2026-02-01", (), None),
        ((), "2026-03-12", (), "No statement tells of 2026-03-10 to 2026-03-11."),
        ((Change("EUR", 700),), "2026-03-12", (Change("EUR", 700),), None),
        ((Change("EUR", 700),), "2026-03-12", (), "No statement tells of 2026-03-10"),
        ((), "2026-03-12", (Change("EUR", 700),), "No statement tells of 2026-03-10"),
        ((Change("EUR", 700),), "2026-03-12", (Change("USD", 1),), "No statement tells of"),
        ((Change("EUR", 700),), "2026-03-10", (Change("EUR", 701),), "7.00 EUR, this one opens"),
        ((Change("EUR", 700),), "2026-03-09", (Change("EUR", 701),), None),
    ],
)
def test_a_statement_that_is_lacking_is_told_by_balances_or_by_days(
    closing: tuple[Change, ...], first: str, opening: tuple[Change, ...], said: str | None
) -> None:
    made = a_reconciliation(first=first, last="2026-03-20", opening=opening)
    found = gap(an_account(*closing), made)
    assert (found is None) if said is None else (found is not None and said in found.detail)
    assert gap(None, made) is None


def test_an_account_reaches_no_further_back_and_no_further_than_its_books_were_settled() -> None:
    before = an_account(Change("EUR", 700))
    late = a_reconciliation(first="2026-03-10", last="2026-03-20", closing=(Change("EUR", 1),))
    after = reached(before, late, "2026-03-19")
    assert (after.told_through, after.looked_through) == ("2026-03-20", "2026-03-19")
    assert (after.closing, after.version) == ((Change("EUR", 1),), 4)
    early = a_reconciliation(first="2026-02-10", last="2026-02-20", closing=())
    assert reached(before, early, "2026-03-19") == replace(before, version=4)
