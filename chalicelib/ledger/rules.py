"""Accounts, journal entries and what must hold of them (contract, section 6).

Debit is positive, credit is negative. Amounts are integers in the currency's minor unit.
"""

import textwrap
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from chalicelib.ledger import kinds

CUSTOMER_PREPAYMENTS = "customer_prepayments"
REFUNDS_IN_FLIGHT = "refunds_in_flight"
UNMATCHED_RECEIPTS = "unmatched_receipts"
# What customers' banks took back beyond what orders had left, until it is known to be lost.
UNMATCHED_CHARGEBACKS = "unmatched_chargebacks"
PLATFORM_REVENUE = "platform:revenue"
# What a person has yet to find out whose it is.
PLATFORM_SUSPENSE = "platform:suspense"
# What whoever owns the platform has put in or taken out: no income, and nobody's claim.
PLATFORM_CAPITAL = "platform:capital"


def cash(provider: str) -> str:
    return f"cash:{provider}"


def supplier_payable(supplier_id: str) -> str:
    return f"supplier:{supplier_id}:payable"


def supplier_held(supplier_id: str) -> str:
    """What is payable once a dispute is over, if it is dismissed."""
    return f"supplier:{supplier_id}:held"


def supplier_owed(supplier_id: str) -> str:
    """What the supplier owes in fees, a debit; a payout nets it."""
    return f"supplier:{supplier_id}:owed"


def supplier_deposit(supplier_id: str) -> str:
    """What is held of the supplier as a security, a credit."""
    return f"supplier:{supplier_id}:deposit"


def leader_account(leader_id: str, purpose: str) -> str:
    """`purpose` is one of pending, available, in_payout and collected."""
    return f"leader:{leader_id}:{purpose}"


@dataclass(frozen=True)
class Posting:
    """`of` are ids of what it came of beside its entry's subject: a dispatch, its parcels. `parts`
    are rows that add up to it, as whoever posts it knows to read them."""

    account: str
    amount: int
    of: Sequence[str] = ()
    parts: Sequence[Sequence[Any]] = ()


@dataclass(frozen=True)
class Entry:
    """One journal entry. Its id follows from what happened, so that it can be written only once.

    It is dated by `posted_at`. `belongs_to` is the month, such as 2026-10, of what it tells of,
    where that lies before the month of its own date. `note` is the reference or the reason that it
    was posted with, short and in one line, for those who read the journal.
    """

    id: str
    currency: str
    postings: tuple[Posting, ...]
    posted_at: datetime
    subject: str
    belongs_to: str | None = None
    note: str | None = None


# A journal is read in tables; the whole of a long note stands where it was written.
NOTE_AT_MOST = 128


def entry(
    entry_id: str,
    currency: str,
    subject: str,
    posted_at: datetime,
    amounts: Mapping[str, int],
    of: Mapping[str, Sequence[str]] | None = None,
    belongs_to: str | None = None,
    parts: Mapping[str, Sequence[Sequence[Any]]] | None = None,
    note: str | None = None,
) -> Entry:
    """An entry of non-zero postings by account; `of` says what some of them came of, and `parts`
    what some add up.

    Raises ValueError unless they sum to zero.
    """
    if sum(amounts.values()) != 0:
        raise ValueError(f"entry {entry_id} does not balance: {dict(amounts)}")
    postings = tuple(
        Posting(account, amount, tuple((of or {}).get(account, ())), _parts(parts, account))
        for account, amount in amounts.items()
        if amount
    )
    if not postings:
        raise ValueError(f"entry {entry_id} moves nothing")
    short = textwrap.shorten(note or "", NOTE_AT_MOST, placeholder=" ...") or None
    return Entry(entry_id, currency, postings, posted_at, subject, belongs_to, short)


def reversal(of: Entry, entry_id: str, posted_at: datetime, *, note: str | None = None) -> Entry:
    """The entry that takes back all that another has posted."""
    amounts = {each.account: -each.amount for each in of.postings}
    return entry(entry_id, of.currency, of.subject, posted_at, amounts, note=note)


def _parts(
    parts: Mapping[str, Sequence[Sequence[Any]]] | None, account: str
) -> tuple[tuple[Any, ...], ...]:
    return tuple(tuple(each) for each in (parts or {}).get(account, ()))


class Position(NamedTuple):
    """Where an entry stands in the journal: by instant, and within one cause before effect."""

    posted_at: datetime
    rank: int
    id: str

    @classmethod
    def at(cls, posted_at: datetime, entry_id: str) -> "Position":
        return cls(posted_at, kinds.rank(entry_id), entry_id)


def position(of: Entry) -> Position:
    return Position.at(of.posted_at, of.id)


def party_of(account: str) -> tuple[str, str] | None:
    """The party and purpose of `leader:<id>:<purpose>` or `supplier:<id>:<purpose>`, else None.

    A party's balances are guarded items; accounts that every order touches are only folded.
    """
    kind, _, rest = account.partition(":")
    if kind not in ("leader", "supplier"):
        return None
    party_id, _, purpose = rest.partition(":")
    return f"{kind}:{party_id}", purpose


def keeps_history(party: str) -> bool:
    """Whether what is posted to the party is kept as its history: a leader's lies elsewhere."""
    return party.startswith("supplier:")


@dataclass(frozen=True)
class Change:
    """What one entry moved of one party's balances."""

    party: str
    entry_id: str
    currency: str
    subject: str
    posted_at: datetime
    postings: tuple[Posting, ...]


def changes(posted: Iterable[Entry]) -> list[Change]:
    """What the entries move of parties whose history is kept; what it adds up the entry says."""
    found = []
    for each in posted:
        of_party: dict[str, list[Posting]] = defaultdict(list)
        for posting in each.postings:
            party = party_of(posting.account)
            if party and keeps_history(party[0]):
                of_party[party[0]].append(replace(posting, parts=()))
        found += [
            Change(party, each.id, each.currency, each.subject, each.posted_at, tuple(postings))
            for party, postings in of_party.items()
        ]
    return found


# Farther than money reaches: where a balance is not bounded.
_FAR = 10**30


@dataclass(frozen=True)
class Bound:
    """Between what a party's balance must lie once entries have moved it, in the minor unit."""

    party: str
    purpose: str
    at_least: int = -_FAR
    at_most: int = _FAR

    def admits(self, balance: int) -> bool:
        return self.at_least <= balance <= self.at_most


@dataclass(frozen=True)
class Sums:
    """What was posted to an account of one currency: both sides as non-negative sums."""

    debits: int = 0
    credits: int = 0

    @property
    def balance(self) -> int:
        return self.debits - self.credits

    def plus(self, amount: int) -> "Sums":
        return Sums(self.debits + max(amount, 0), self.credits + max(-amount, 0))


Books = dict[tuple[str, str], Sums]


def fold(books: Mapping[tuple[str, str], Sums], entries: Iterable[Entry]) -> Books:
    """`books`, by currency and account, after some more entries."""
    after = dict(books)
    for each in entries:
        for posting in each.postings:
            key = (each.currency, posting.account)
            after[key] = after.get(key, Sums()).plus(posting.amount)
    return after
