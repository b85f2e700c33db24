"""The list of open items: all there have been, or only those that still wait for a person."""

from chalicelib.ledger import store as ledger
from chalicelib.ledger import waiting_store
from chalicelib.platform.pages import Page, PageRequest, matching
from chalicelib.reconciliation import item_store
from chalicelib.reconciliation.open_items import Item, item_of


def open_items(is_open: bool | None, page: PageRequest) -> Page[Item]:
    """Newest first: those of which anything is left or, where it is False, nothing is."""
    if is_open is None:
        return _items(page)
    return matching(
        _items,
        lambda item: bool(item.uncleared) == is_open,
        lambda item: waiting_store.position(item.entry),
        page,
    )


def _items(page: PageRequest) -> Page[Item]:
    found = waiting_store.entry_ids(page)
    entries, cleared = ledger.get_entries(found.items), item_store.cleared(found.items)
    items = (item_of(entry, cleared.get(entry.id, 0)) for entry in entries.values())
    return Page(tuple(item for item in items if item), found.next_after)
