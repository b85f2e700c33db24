"""Posting, and the books as a whole."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Invalid
from chalicelib.ledger import chart, fold_store, history_store, posted_store, rules
from chalicelib.ledger import store as ledger
from chalicelib.ledger.periods import earlier
from chalicelib.ledger.rules import Books, Change, Entry, Sums
from chalicelib.platform.settings import settings

# An entry's instant is taken just before its transaction, and an index follows within a second;
# what is older than this can no longer appear out of order, so a step that ends here is final.
SETTLED_AFTER = timedelta(minutes=15)
# Nothing was posted before.
EARLIEST = date(2000, 1, 1)
CHANGES_A_READ, CHANGES_A_STEP = 1_000, 1_000


@dataclass(frozen=True)
class AccountBalance:
    account: str
    balance: int


@dataclass(frozen=True)
class Listed:
    """Of the accounts that are shown, all non-negative: `debits` and `credits` are sums of all
    postings to them, the others of their balances of either side."""

    debits: int = 0
    credits: int = 0
    debit_balances: int = 0
    credit_balances: int = 0


@dataclass(frozen=True)
class CurrencyBalance:
    """The accounts of a currency that are shown. `debits` and `credits` are non-negative sums of
    all postings, to these and to all others."""

    currency: str
    accounts: tuple[AccountBalance, ...]
    listed: Listed
    debits: int
    credits: int

    @property
    def balanced(self) -> bool:
        return self.debits == self.credits


@dataclass(frozen=True)
class TrialBalance:
    as_of: datetime
    currencies: tuple[CurrencyBalance, ...]


def trial_balance(prefix: str, day: date | None = None) -> TrialBalance:
    """The books at this instant, from the last kept step on, or as a business date left them.

    `prefix` narrows what is shown. Raises Invalid for a day that is not over, and for what no
    account begins with.
    """
    if not chart.may_begin(prefix):
        raise Invalid.field("prefix", f"no account begins so: {', '.join(chart.BEGINNINGS)} do")
    if day:
        return _trial_balance_of(day, prefix)
    as_of = clock.now()
    through, kept = fold_store.folded()
    books = rules.fold(kept, ledger.entries_between(through, as_of))
    return TrialBalance(as_of, _by_currency(books, prefix))


def has_account(account: str) -> bool:
    """Whether anything was ever posted to it."""
    shown = trial_balance(account).currencies
    return any(each.account == account for of in shown for each in of.accounts)


def keep_fold(now: datetime) -> None:
    """Keep one more step, so that the next fold begins there, and one at the end of each business
    date before it. Stale where another was quicker."""
    before, kept = fold_store.folded()
    last = now - SETTLED_AFTER
    for day in _days_over(before, last):
        before, kept = _keep_step(before, kept, end_of(day), day)
    if before is None or last > before:
        _keep_step(before, kept, last, None)


def end_of(day: date) -> datetime:
    """The last instant of a business date."""
    return clock.begin_of(day + timedelta(days=1), settings().zone) - timedelta(milliseconds=1)


def is_final(day: date, now: datetime) -> bool:
    """Whether nothing can be dated into a business date any more."""
    return end_of(day) <= now - SETTLED_AFTER


def belongs_to(happened_on: str, posted_at: datetime) -> str | None:
    """The month of what an entry tells of, where that lies before the one it is dated into.

    `happened_on` is a business date.
    """
    posted_on = clock.business_date(posted_at, settings().zone)
    return earlier(date.fromisoformat(happened_on), posted_on)


def balances_before(party: str, day: date) -> Counter[str]:
    """A supplier's balances, by purpose, as all business dates before one left them.

    From the last kept step on; where many changes lie behind it another is kept, so that however
    long a history is, no reading of it begins anew.
    """
    zone, now = settings().zone, clock.now()
    last, sums = history_store.last_step(party, day)
    since, behind = last or EARLIEST, 0
    for change in _changes(party, since, clock.day_before(day)):
        on = clock.business_date(change.posted_at, zone)
        is_final = clock.begin_of(on, zone) <= now - SETTLED_AFTER
        if on > since and behind >= CHANGES_A_STEP and is_final:
            history_store.keep_step(party, on, sums)
            behind = 0
        sums.update({each.account.rpartition(":")[2]: each.amount for each in change.postings})
        since, behind = on, behind + 1
    return sums


def _keep_step(
    before: datetime | None, kept: Books, through: datetime, ends: date | None
) -> tuple[datetime, Books]:
    days = set[date]()
    books = rules.fold(kept, _noted(days, ledger.entries_between(before, through)))
    posted_store.keep_posted(days)
    fold_store.keep_fold(before, through, books, ends)
    return through, books


def _noted(days: set[date], entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries, while the days in UTC that they lie by are noted."""
    for each in entries:
        days.add(each.posted_at.date())
        yield each


def _days_over(before: datetime | None, last: datetime) -> Iterator[date]:
    """The business dates that end behind `before` and by `last`; of those before the first step
    only the last one."""
    zone, day = settings().zone, clock.business_date(last, settings().zone)
    first = clock.business_date(before, zone) if before else clock.day_before(day)
    for n in range((day - first).days + 1):
        over = first + timedelta(days=n)
        if end_of(over) <= last and (before is None or before < end_of(over)):
            yield over


def _trial_balance_of(day: date, prefix: str) -> TrialBalance:
    as_of = end_of(day)
    if as_of >= clock.now():
        raise Invalid.field("as_of", "is not over yet; without it the books are as they are now")
    through, kept = fold_store.folded_by(day)
    begins = through or clock.begin_of(EARLIEST, settings().zone)
    books = rules.fold(kept, ledger.entries_between(begins, as_of))
    return TrialBalance(as_of, _by_currency(books, prefix))


def _changes(party: str, first: date, last: date) -> Iterator[Change]:
    after: str | None = None
    while first <= last:
        some, after = history_store.history(party, after, first, last, CHANGES_A_READ)
        yield from some
        if after is None:
            return


def _by_currency(books: Books, prefix: str) -> tuple[CurrencyBalance, ...]:
    rows = sorted(books.items())
    grouped = ((currency, list(of)) for currency, of in groupby(rows, key=lambda row: row[0][0]))
    return tuple(_of_currency(currency, of, prefix) for currency, of in grouped)


def _of_currency(
    currency: str, rows: Sequence[tuple[tuple[str, str], Sums]], prefix: str
) -> CurrencyBalance:
    shown = [(account, sums) for (_, account), sums in rows if account.startswith(prefix)]
    return CurrencyBalance(
        currency,
        tuple(AccountBalance(account, sums.balance) for account, sums in shown),
        Listed(
            debits=sum(sums.debits for _, sums in shown),
            credits=sum(sums.credits for _, sums in shown),
            debit_balances=sum(max(sums.balance, 0) for _, sums in shown),
            credit_balances=sum(max(-sums.balance, 0) for _, sums in shown),
        ),
        debits=sum(sums.debits for _, sums in rows),
        credits=sum(sums.credits for _, sums in rows),
    )
