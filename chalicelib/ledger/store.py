"""The ledger table: journal entries, and balances of parties."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.kernel import ids
from chalicelib.ledger import fold_store, posted_store, waiting, waiting_store
from chalicelib.ledger.history_store import HISTORY, HistoryRow
from chalicelib.ledger.period_store import months_open
from chalicelib.ledger.rules import (
    Bound,
    Entry,
    Position,
    Posting,
    changes,
    party_of,
    position,
)
from chalicelib.ledger.sides import LedgerMeta, Sides
from chalicelib.platform import store
from chalicelib.platform.retries import retrying
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordsAttribute,
    Row,
)
from chalicelib.platform.transaction import Update, Write, create

ENTRY, ACCOUNTS, PAID_OUT = "entry", "accounts", "paid_out"
# At 10,000 entries a second none of the shards takes more than 1,000 write units.
BOOK_SHARDS = 32
ENTRIES_A_READ = 100
# So few days are read as they are: to ask which of them have entries costs as much.
FEW_DAYS = 3


class ByTime(GlobalSecondaryIndex[Any]):
    """Entries of a day (in UTC), spread over shards, by the instant of posting."""

    class Meta:
        index_name = "by_time"
        projection = AllProjection()

    book = UnicodeAttribute(hash_key=True)
    posted_at = InstantAttribute(range_key=True)


class EntryRow(EntityRow[Entry]):
    Meta = LedgerMeta
    entity = Entry

    book = UnicodeAttribute()
    by_time = ByTime()
    id = UnicodeAttribute()
    currency = UnicodeAttribute()
    postings = RecordsAttribute(Posting)
    posted_at = InstantAttribute()
    subject = UnicodeAttribute()
    belongs_to = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)

    @classmethod
    def keys(cls, entity: Entry) -> dict[str, Any]:
        shard = ids.shard(entity.id, BOOK_SHARDS)
        return {"pk": entity.id, "sk": ENTRY, "book": _book(entity.posted_at.date(), shard)}


class AccountsRow(Sides):
    """A party's balances, each the sum of its postings at every moment."""

    currency = UnicodeAttribute(null=True)


class PaidOutRow(Row):
    """What was paid out to a party in all, without what came back."""

    Meta = LedgerMeta

    currency = UnicodeAttribute()
    amount = IntegerAttribute(default=0)


class JournalRow(Sides):
    """An entry, what it has moved of a party's balances, or these themselves, as a look at the
    whole table finds them."""

    id = UnicodeAttribute(null=True)
    currency = UnicodeAttribute(null=True)
    postings = RecordsAttribute(Posting, null=True)
    posted_at = InstantAttribute(null=True)
    subject = UnicodeAttribute(null=True)
    belongs_to = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)

    @property
    def is_entry(self) -> bool:
        return bool(self.sk == ENTRY)

    @property
    def is_history(self) -> bool:
        return str(self.sk).startswith(HISTORY)

    def to_entry(self) -> Entry:
        about = (self.subject, self.belongs_to, self.note)
        return Entry(self.id, self.currency, self.postings, self.posted_at, *about)


class OutOfBounds(Exception):
    """What was to be posted would have taken a party's balance beyond its bound."""


def post(*entries: Entry, within: Bound | Sequence[Bound] | None = None) -> list[Write]:
    """The writes that post entries: each entry once, each party's balances by what it posts, what
    a supplier's statements tell of it, and its place in the list of money that waits for a person.

    `within` bounds balances that they move: the commit raises OutOfBounds rather than pass one. It
    is Stale where an entry is dated into a month that is closed: taken up again, it has a later
    date.
    """
    bounds = (within,) if isinstance(within, Bound) else within or ()
    return [
        *(create(EntryRow.of(entry)) for entry in entries),
        *_balance_updates(entries, bounds),
        *(create(HistoryRow.of(each)) for each in changes(entries)),
        *(create(waiting_store.of(each)) for each in waiting.leaving(entries)),
        *months_open(entries),
    ]


def get_entry(entry_id: str) -> Entry | None:
    row = store.get(EntryRow, entry_id, ENTRY)
    return row.to_entity() if row else None


def get_entries(entry_ids: Iterable[str]) -> dict[str, Entry]:
    """Those of these entries that have been written."""
    rows = store.get_many(EntryRow, [(each, ENTRY) for each in entry_ids])
    return {row.pk: row.to_entity() for row in rows}


def posted(entry_ids: Iterable[str]) -> set[str]:
    """Which of these entries have been written."""
    return {row.pk for row in store.get_many(EntryRow, [(each, ENTRY) for each in entry_ids])}


def accounts_of(party: str) -> AccountsRow:
    """The balances of `leader:<id>` or `supplier:<id>`; all zero where nothing was ever posted."""
    return store.get(AccountsRow, party, ACCOUNTS) or AccountsRow(party, ACCOUNTS)


def accounts_of_each(parties: Iterable[str]) -> dict[str, AccountsRow]:
    """The balances of those parties to which anything was ever posted."""
    rows = store.get_many(AccountsRow, [(party, ACCOUNTS) for party in parties])
    return {row.pk: row for row in rows}


def count_paid_out(party: str, currency: str, amount: int) -> Update:
    """Count what a party was paid, or, negative, what came back."""
    row = PaidOutRow
    return Update(row.at(party, PAID_OUT), [row.currency.set(currency), row.amount.add(amount)])


def paid_out(party: str) -> int:
    row = store.get(PaidOutRow, party, PAID_OUT)
    return row.amount if row else 0


def paid_out_to_each(parties: Iterable[str]) -> dict[str, int]:
    """The same of those parties to which anything ever was."""
    rows = store.get_many(PaidOutRow, [(party, PAID_OUT) for party in parties])
    return {row.pk: row.amount for row in rows}


def entries_between(after: datetime | None, through: datetime) -> Iterator[Entry]:
    """Entries posted in (after, through], in no order; from the first where after is None."""
    if after is None:
        yield from _entries_from_the_beginning(through)
        return
    if through <= after:
        return  # DynamoDB refuses bounds that are not in order
    begins = after + timedelta(milliseconds=1)
    window = EntryRow.posted_at.between(begins, through)
    for day in days_with_entries(begins.date(), through.date()):
        for shard in range(BOOK_SHARDS):
            for row in _entries(_book(day, shard), window):
                yield row.to_entity()


def entries_in_order(first: datetime, last: datetime, behind: Position | None) -> Iterator[Entry]:
    """Entries posted from `first` to `last`, by their positions, behind one; read as they are asked
    for."""
    begins = max(first, behind.posted_at) if behind else first
    window = EntryRow.posted_at.between(begins, last)
    for day in days_with_entries(begins.date(), last.date()):
        shards = (_by_instant(_book(day, shard), window) for shard in range(BOOK_SHARDS))
        for entry in heapq.merge(*shards, key=position):
            if behind is None or position(entry) > behind:
                yield entry


def days_with_entries(first: date, last: date) -> list[date]:
    """Days in UTC that may have entries: of many those that have some, as far as the fold has come,
    and all behind it."""
    days = list(_days(first, last))
    if len(days) <= FEW_DAYS:
        return days
    through = fold_store.folded_through()
    if through is None:
        known, since = {row.posted_at.date() for row in _scanned_entries()}, date.max
    else:
        known, since = posted_store.posted(first, last), through.date()
    return [day for day in days if day in known or day >= since]


def scanned(after: Sequence[str] | None, size: int) -> tuple[list[JournalRow], Any]:
    """Entries, histories and parties' balances among the next `size` items of the table; where to
    go on."""
    return store.scan_page(JournalRow, (ENTRY, ACCOUNTS), size, after, prefix=HISTORY)


def _balance_updates(entries: Iterable[Entry], bounds: Sequence[Bound]) -> list[Update]:
    moved: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for entry in entries:
        for posting in entry.postings:
            if party := party_of(posting.account):
                moved[party[0], entry.currency][party[1]] += posting.amount
    for still in {bound.party for bound in bounds} - {party for party, _ in moved}:
        raise ValueError(f"{still} has no balance here that could be bounded")
    return [
        _balance_update(party, currency, amounts, bounds)
        for (party, currency), amounts in moved.items()
    ]


def _balance_update(
    party: str, currency: str, amounts: Mapping[str, int], bounds: Sequence[Bound]
) -> Update:
    row = AccountsRow
    when = row.currency.does_not_exist() | (row.currency == currency)
    otherwise: Exception = ValueError(f"{party} has another currency than {currency}")
    for bound in (each for each in bounds if each.party == party):
        when &= _admitted(bound, amounts.get(bound.purpose, 0))
        otherwise = OutOfBounds(f"{party}:{bound.purpose}")
    moves = [getattr(row, purpose).add(amount) for purpose, amount in amounts.items()]
    return Update(row.at(party, ACCOUNTS), [row.currency.set(currency), *moves], when, otherwise)


def _admitted(bound: Bound, moved: int) -> Condition:
    """That the bound admits the balance once `moved` is added; one not stored yet is zero."""
    balance = getattr(AccountsRow, bound.purpose)
    fits: Condition = balance.between(bound.at_least - moved, bound.at_most - moved)
    return fits | balance.does_not_exist() if bound.admits(moved) else fits


def _entries(book: str, window: Any) -> list[EntryRow]:
    return retrying(lambda: list(EntryRow.by_time.query(book, range_key_condition=window)))


def _by_instant(book: str, window: Any) -> Iterator[Entry]:
    """The entries of one shard of a day, by position: of one instant they lie in no order."""
    pages = store.pages(EntryRow.by_time, book, ENTRIES_A_READ, window)
    rows = (row for page in pages for row in page)
    for _, same in groupby(rows, key=lambda row: row.posted_at):
        yield from sorted((row.to_entity() for row in same), key=position)


def _entries_from_the_beginning(through: datetime) -> Iterator[Entry]:
    return (row.to_entity() for row in _scanned_entries() if row.posted_at <= through)


def _scanned_entries() -> list[EntryRow]:
    # Before the first step is kept, within an hour of the first deployment, the table is small.
    return retrying(lambda: list(EntryRow.scan(EntryRow.sk == ENTRY, consistent_read=True)))


def _book(day: date, shard: int) -> str:
    return f"{day.isoformat()}#{shard}"


def _days(first: date, last: date) -> Iterator[date]:
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)
