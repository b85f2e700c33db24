"""Posting, and the books as a whole."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from chalicelib.kernel import clock
from chalicelib.ledger import rules
from chalicelib.ledger import store as ledger
from chalicelib.ledger.periods import earlier
from chalicelib.ledger.rules import Books
from chalicelib.platform.settings import settings

# An entry's instant is taken just before its transaction, and an index follows within a second;
# what is older than this can no longer appear out of order, so a step that ends here is final.
SETTLED_AFTER = timedelta(minutes=15)


@dataclass(frozen=True)
class AccountBalance:
    account: str
    balance: int


@dataclass(frozen=True)
class CurrencyBalance:
    """All accounts of a currency; `debits` and `credits` are non-negative sums of all postings."""

    currency: str
    accounts: tuple[AccountBalance, ...]
    debits: int
    credits: int

    @property
    def balanced(self) -> bool:
        return self.debits == self.credits


@dataclass(frozen=True)
class TrialBalance:
    as_of: datetime
    currencies: tuple[CurrencyBalance, ...]


def trial_balance(prefix: str) -> TrialBalance:
    """The books at this instant, from the last kept step on. `prefix` narrows what is shown."""
    as_of = clock.now()
    through, kept = ledger.folded()
    books = rules.fold(kept, ledger.entries_between(through, as_of))
    return TrialBalance(as_of, _by_currency(books, prefix))


def keep_fold(now: datetime) -> None:
    """Keep one more step, so that the next fold begins there. Stale where another was quicker."""
    before, kept = ledger.folded()
    through = now - SETTLED_AFTER
    if before is None or through > before:
        books = rules.fold(kept, ledger.entries_between(before, through))
        ledger.keep_fold(before, through, books)


def belongs_to(happened_at: datetime, posted_at: datetime) -> str | None:
    """The month of what an entry tells of, where that lies before the one it is dated into."""
    zone = settings().zone
    days = (clock.business_date(each, zone) for each in (happened_at, posted_at))
    return earlier(*days)


def _by_currency(books: Books, prefix: str) -> tuple[CurrencyBalance, ...]:
    rows = sorted(books.items())
    return tuple(
        CurrencyBalance(
            currency,
            tuple(
                AccountBalance(a, sums.balance) for (_, a), sums in group if a.startswith(prefix)
            ),
            debits=sum(sums.debits for _, sums in group),
            credits=sum(sums.credits for _, sums in group),
        )
        for currency, group in ((c, list(g)) for c, g in groupby(rows, key=lambda row: row[0][0]))
    )
