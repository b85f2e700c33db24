"""How much of open items is cleared, and by what: in the reconciliations table."""

from collections.abc import Iterable
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.platform import store
from chalicelib.platform.table import EntityRow, InstantAttribute, IntegerAttribute, Row
from chalicelib.platform.transaction import Put, Update, create
from chalicelib.reconciliation.open_items import Clearing, Item
from chalicelib.reconciliation.store import ReconciliationMeta

ITEM, CLEARING = "item", "clearing#"


class ItemRow(Row):
    """So much of an item is cleared."""

    Meta = ReconciliationMeta

    cleared = IntegerAttribute(default=0)


class ClearingRow(EntityRow[Clearing]):
    Meta = ReconciliationMeta
    entity = Clearing

    id = UnicodeAttribute()
    entry_id = UnicodeAttribute()
    amount = IntegerAttribute()
    goes = UnicodeAttribute()
    about = UnicodeAttribute()
    reference = UnicodeAttribute()
    cleared_at = InstantAttribute()
    cleared_by = UnicodeAttribute()
    posted = UnicodeAttribute(default="")

    @classmethod
    def keys(cls, entity: Clearing) -> dict[str, Any]:
        return {"pk": _item(entity.entry_id), "sk": CLEARING + entity.id}


def cleared(entry_ids: Iterable[str]) -> dict[str, int]:
    """How much of each item is; nothing of those that are not among them."""
    wanted = {_item(each): each for each in entry_ids}
    rows = store.get_many(ItemRow, [(name, ITEM) for name in wanted])
    return {wanted[row.pk]: row.cleared for row in rows}


def clear(item: Item, clearing: Clearing) -> tuple[Update, Put]:
    """Clear some of it, once; Stale where any of it was cleared since it was read."""
    row = ItemRow
    unchanged = row.cleared == item.cleared if item.cleared else row.cleared.does_not_exist()
    at = row.at(_item(item.entry.id), ITEM)
    update = Update(at, [row.cleared.set(item.cleared + clearing.amount)], unchanged)
    return update, create(ClearingRow.of(clearing))


def get_clearing(entry_id: str, clearing_id: str) -> Clearing | None:
    row = store.get(ClearingRow, _item(entry_id), CLEARING + clearing_id)
    return row.to_entity() if row else None


def clearings(entry_id: str) -> list[Clearing]:
    """All of an item, the first one first: there are few."""
    of = ClearingRow.sk.startswith(CLEARING)
    found = [row.to_entity() for row in store.query(ClearingRow, _item(entry_id), where=of)]
    return sorted(found, key=lambda each: (each.cleared_at, each.id))


def _item(entry_id: str) -> str:
    return f"item#{entry_id}"
