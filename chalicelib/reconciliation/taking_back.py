"""What was posted for a difference, posted the other way round: what waited for a person by it
waits no more, neither side of it."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from chalicelib.kernel import clock, ids
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry
from chalicelib.ledger.service import belongs_to
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Transaction
from chalicelib.reconciliation import item_store
from chalicelib.reconciliation.clearing import offset_in
from chalicelib.reconciliation.open_items import Clearing, Item, item_of
from chalicelib.reconciliation.rules import NumberedDifference


def taken_back(before: NumberedDifference, why: str, now: datetime) -> dict[str, Entry]:
    """What was posted, the other way round, and of the months that it is of; each by the entry that
    it takes back."""
    zone = settings().zone
    return {
        each.id: books.entry(
            f"reconciled-undone:{before.named(each.currency)}",
            each.currency,
            before.reconciliation_id,
            now,
            {posting.account: -posting.amount for posting in each.postings},
            belongs_to=each.belongs_to
            or belongs_to(clock.business_date(each.posted_at, zone).isoformat(), now),
            note=why,
        )
        for each in ledger.get_entries(before.posted).values()
    }


def items(taken: Mapping[str, Entry]) -> Iterator[tuple[Item, Item]]:
    """What entries that are taken back have left, each with what takes it back."""
    cleared = item_store.cleared(taken)
    for entry in ledger.get_entries(taken).values():
        item = item_of(entry, cleared.get(entry.id, 0))
        back = item_of(taken[entry.id], 0)
        if item and back:
            yield item, back


def make_up_in(
    transaction: Transaction, item: Item, back: Item, reference: str, cleared_by: str
) -> None:
    """Let the two make each other up in all that is left."""
    made = Clearing(
        id=ids.derived("clr", item.entry.id, back.entry.id),
        entry_id=item.entry.id,
        amount=item.uncleared,
        goes="item",
        about=back.entry.id,
        reference=reference,
        cleared_at=back.entry.posted_at,
        cleared_by=cleared_by,
    )
    offset_in(transaction, item, back, made)
