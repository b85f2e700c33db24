"""The ledger table: the list of entries that have left money for a person to say whose it is."""

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel import clock
from chalicelib.ledger.rules import Entry
from chalicelib.ledger.sides import LedgerMeta
from chalicelib.platform import store
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.table import Row

WAITING, ITEM = "waiting", "item#"


class WaitingRow(Row):
    """One such entry, by the instant of posting. It stays once all of it has gone where it belongs:
    what is left is told elsewhere."""

    Meta = LedgerMeta

    entry_id = UnicodeAttribute()


def of(entry: Entry) -> WaitingRow:
    return WaitingRow(WAITING, position(entry), entry_id=entry.id)


def entry_ids(page: PageRequest) -> Page[str]:
    """The ids of such entries, newest first."""
    return store.newest_within(WaitingRow, WAITING, ITEM, page).map(lambda row: str(row.entry_id))


def position(entry: Entry) -> str:
    """Where the list goes on behind it."""
    return f"{ITEM}{clock.to_text(entry.posted_at)}#{entry.id}"
