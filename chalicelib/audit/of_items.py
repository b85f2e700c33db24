"""Open items, with what has left them: how much of each is cleared, and by what."""

from collections.abc import Collection, Iterator

from chalicelib.audit.at_rest import found_at_rest
from chalicelib.audit.checks import item_checks
from chalicelib.ledger import store as ledger
from chalicelib.ledger.checks import Finding
from chalicelib.reconciliation import item_store
from chalicelib.reconciliation.open_items import item_of


def look_at(entry_ids: Collection[str]) -> Iterator[Finding]:
    """Those among these entries of which anything is cleared."""
    for entry_id in item_store.cleared(entry_ids):
        yield from _item(entry_id)


def _item(entry_id: str) -> list[Finding]:
    def read() -> tuple[int, Iterator[Finding]]:
        cleared, entry = _cleared(entry_id), ledger.get_entry(entry_id)
        item = item_of(entry, cleared) if entry else None
        if item is None:
            return cleared, iter(())
        clearings = item_store.clearings(entry_id)
        beside = [each for each in clearings if each.goes == "item"]
        found = (item_store.get_clearing(each.about, each.id) for each in beside)
        mirrors = {each.id: each for each in found if each}
        named = {each.posted for each in clearings} | {each.about for each in beside}
        entries = ledger.get_entries(named - {""})
        return cleared, item_checks.open_items(item, clearings, entries, mirrors)

    return found_at_rest(read, lambda: _cleared(entry_id))


def _cleared(entry_id: str) -> int:
    return item_store.cleared([entry_id]).get(entry_id, 0)
