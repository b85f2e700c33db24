"""What the bank says an account closes with, what the books say, and what stands between them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Conflict
from chalicelib.ledger import service as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.service import TrialBalance
from chalicelib.reconciliation import claim_store, piece_store
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.rules import NumberedDifference, Reconciliation
from chalicelib.reconciliation.taking import reconciliation_of


@dataclass(frozen=True)
class BalanceShown:
    """Of one currency, in the minor unit. What stands between the books and the statement's closing
    balance is what the statement has more; `opening` and `closing` are None where it says none."""

    currency: str
    opening: int | None
    closing: int | None
    books: int
    in_transit: int
    dated_later: int
    unresolved: int
    resolved_since: int

    @property
    def expected(self) -> int:
        """What it should close with, by the books and all that is known to stand between."""
        return (
            self.books + self.in_transit + self.dated_later + self.unresolved + self.resolved_since
        )

    @property
    def unexplained(self) -> int | None:
        return None if self.closing is None else self.closing - self.expected


@dataclass(frozen=True)
class BalancesShown:
    account: str
    as_of: datetime
    balances: tuple[BalanceShown, ...]


def balances(reconciliation_id: str) -> BalancesShown:
    """As the statement's last day ended, or as it is now where that is not over.

    Raises NotFound, or Conflict while the reconciliation is under way.
    """
    made = reconciliation_of(reconciliation_id)
    if not made.is_done:
        raise Conflict(f"The reconciliation is {made.status}.", code="reconciliation_under_way")
    last = date.fromisoformat(made.last)
    is_over = books.end_of(last) < clock.now()
    found = books.trial_balance(made.account, last if is_over else None)
    of_books = _of_account(found, made.account)
    between = _between([made, *reconciliations.taken_before(made)], found.as_of)
    return BalancesShown(made.account, found.as_of, _shown(made, of_books, between))


def _of_account(found: TrialBalance, account: str) -> Counter[str]:
    of_currency = ((of.currency, each) for of in found.currencies for each in of.accounts)
    return Counter(
        {currency: each.balance for currency, each in of_currency if each.account == account}
    )


def _shown(
    made: Reconciliation, of_books: Counter[str], between: dict[str, Counter[str]]
) -> tuple[BalanceShown, ...]:
    opening = {each.currency: each.amount for each in made.opening}
    closing = {each.currency: each.amount for each in made.closing}
    currencies = {*of_books, *closing, *(currency for of in between.values() for currency in of)}
    return tuple(
        BalanceShown(
            currency,
            opening.get(currency),
            closing.get(currency),
            of_books[currency],
            **{name: amounts[currency] for name, amounts in between.items()},
        )
        for currency in sorted(currencies)
    )


def _between(chain: Sequence[Reconciliation], as_of: datetime) -> dict[str, Counter[str]]:
    made, ids = chain[0], {each.id for each in chain}
    sums = {
        "in_transit": _in_transit(made, ids),
        "dated_later": _dated_later(made, ids),
        "unresolved": Counter[str](),
        "resolved_since": Counter[str](),
    }
    differences = [each for one in chain for each in reconciliations.every_difference(one.id)]
    posted = _posted_by(as_of, made.account, differences)
    for each in differences:
        name = "resolved_since" if each.is_resolved else "unresolved"
        sums[name].update(_pending(each, ids, posted))
    return sums


def _in_transit(made: Reconciliation, ids: set[str]) -> Counter[str]:
    """Without those that a person has matched since with a line of a statement up to this one."""
    some = {(made.account, each.entry_id): each for each in piece_store.in_transit(made.id)}
    claims = claim_store.claimed_entries(some)
    sums = Counter[str]()
    for name, each in some.items():
        if name not in claims or claims[name].reconciliation_id not in ids:
            sums[each.currency] -= each.amount
    return sums


def _dated_later(made: Reconciliation, ids: set[str]) -> Counter[str]:
    """Entries that lines are of and that were posted behind the statement's end."""
    steps = [n for n, day in enumerate(made.days) if day.isoformat() > made.last]
    found = [each for n in steps for each in piece_store.booked_on(made.id, n)]
    here = {each.name: each for each in found if each.account == made.account}
    claims = claim_store.claimed_entries(here)
    sums = Counter[str]()
    for name, each in here.items():
        if name in claims and claims[name].reconciliation_id in ids and ":" in claims[name].by:
            sums[each.currency] += each.amount
    return sums


def _pending(
    each: NumberedDifference, ids: set[str], posted: dict[str, tuple[str, int]]
) -> Counter[str]:
    """What of a difference the books did not have: all, less what was posted of it by then. What a
    statement up to this one has had is none any more."""
    is_found = each.found_in in ids
    sums = Counter({} if is_found else {of.currency: of.amount for of in each.changes})
    for entry_id in _of(each):
        if entry_id in posted:
            currency, amount = posted[entry_id]
            sums[currency] -= amount
    return sums


def _posted_by(
    as_of: datetime, account: str, differences: Sequence[NumberedDifference]
) -> dict[str, tuple[str, int]]:
    entries = ledger.get_entries({entry_id for each in differences for entry_id in _of(each)})
    return {
        entry_id: (
            entry.currency,
            sum(posting.amount for posting in entry.postings if posting.account == account),
        )
        for entry_id, entry in entries.items()
        if entry.posted_at <= as_of
    }


def _of(each: NumberedDifference) -> set[str]:
    """The entries by which it was settled: posted, taken back, or said to be what a line is of."""
    decided = {of.entry_id for of in each.decided if of.entry_id not in each.entries}
    return {*each.ever_posted, *each.ever_undone, *decided}
