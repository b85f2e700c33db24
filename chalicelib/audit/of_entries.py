"""Some entries, against the rows that they are of, and with what open items among them have left.

Every other look begins with a row, and does not see one that is gone.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from chalicelib.audit import paying_out
from chalicelib.audit.checks import entry_checks
from chalicelib.audit.entry_rows import rows_of
from chalicelib.audit.store import Journal, Page
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Entry, Posting
from chalicelib.platform import store
from chalicelib.reconciliation import item_store
from chalicelib.reconciliation.open_items import item_of


def look_at(some: Sequence[Entry], page: Page) -> Iterator[Finding]:
    _add_left(page.journal, some, page.audit.through)
    yield from _rows_kept(some)


def _rows_kept(some: Sequence[Entry]) -> Iterable[Finding]:
    """A row that is gone is found once, however many of those read together are of it."""
    rows = [(entry, list(rows_of(entry))) for entry in some]
    missing = store.missing(each.key for _, kept in rows for each in kept)
    found = (each for of in rows for each in entry_checks.rows_kept(*of, missing))
    return {each.subject: each for each in found}.values()


def _add_left(journal: Journal, some: Sequence[Entry], through: datetime) -> None:
    """Add what open items among them had left at an instant."""
    items = {entry.id: item for entry in some if (item := item_of(entry, 0))}
    touched = item_store.cleared(items)
    for name, item in items.items():
        gone = _cleared(name, through) if name in touched else 0
        left = Posting(item.account, item.amount - item.signed(gone))
        paying_out.add(journal.left, item.entry.currency, [left])


def _cleared(entry_id: str, through: datetime) -> int:
    some = item_store.clearings(entry_id)
    return sum(each.amount for each in some if each.cleared_at <= through)
