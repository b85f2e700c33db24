"""Taking a supplier's file of counted stock: each line that can be taken is."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.catalogue import product_store
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, NotFound, Stale
from chalicelib.parties import store as parties
from chalicelib.platform.sheets import RowError
from chalicelib.platform.transaction import write
from chalicelib.stock import counts, service
from chalicelib.stock import store as stock
from chalicelib.stock.counts import Count, Counts
from chalicelib.stock.levels import Level, Stock

# SKUs set in one transaction: enough to be quick, and few enough to be done again one by one.
SKUS_AT_ONCE = 50


@dataclass(frozen=True)
class Imported:
    """How many rows there were, how many were taken, and why the others were not."""

    rows: int
    taken: int
    errors: tuple[RowError, ...]


def import_counts(supplier_id: str, raw: bytes, caller: Caller) -> Imported:
    """Set `on_hand` of each SKU that a line names. Importing the same file again is harmless.

    Raises Invalid where the file as a whole cannot be taken: nothing is changed then.
    """
    file = counts.read(raw)
    if parties.get_supplier(supplier_id) is None:
        raise NotFound("There is no such supplier.")
    caller.must_be("supplier", supplier_id, "supplier")
    named = _named(file, supplier_id)
    sku_ids = {name: found[0] for name, found in named.items() if len(found) == 1}
    known = [count for count in file.counts if count.name in sku_ids]
    errors = [*file.errors, *_unclear(file, named), *_set(known, sku_ids)]
    errors.sort(key=lambda error: error.line)
    return Imported(file.rows, file.rows - len(errors), tuple(errors))


def _named(file: Counts, supplier_id: str) -> Mapping[str, list[str]]:
    """The supplier's SKUs that each name of the file may stand for."""
    if file.named_by == "sku_id":
        rows = product_store.get_skus(count.name for count in file.counts)
        return {sku_id: [sku_id] for sku_id, row in rows.items() if row.owner_id == supplier_id}
    named: dict[str, list[str]] = defaultdict(list)
    for sku in product_store.skus_of(supplier_id):
        if sku.supplier_sku:
            named[sku.supplier_sku].append(sku.id)
    return named


def _unclear(file: Counts, named: Mapping[str, list[str]]) -> Iterator[RowError]:
    for count in file.counts:
        found = named.get(count.name, [])
        if not found:
            yield RowError(count.line, file.named_by, "is not a SKU of this supplier")
        elif len(found) > 1:
            said = "is the supplier_sku of two SKUs or more: name them by sku_id"
            yield RowError(count.line, file.named_by, said)


def _set(known: Sequence[Count], sku_ids: dict[str, str]) -> Iterator[RowError]:
    for start in range(0, len(known), SKUS_AT_ONCE):
        some = known[start : start + SKUS_AT_ONCE]
        left = _set_at_once(some, sku_ids)
        yield from _set_one_by_one(left, sku_ids)


def _set_at_once(some: Sequence[Count], sku_ids: dict[str, str]) -> Sequence[Count]:
    """Set those in one transaction that are neither sharded nor held beyond their count.

    Returns the others: all, where one of them was sold just now.
    """
    found = stock.get_stocks([sku_ids[count.name] for count in some])
    pairs = [(count, _before(sku_ids[count.name], found)) for count in some]
    together = [(count, before) for count, before in pairs if _is_simple(count, before)]
    writes = [
        each for count, before in together for each in service.set_at_once(before, count.on_hand)
    ]
    try:
        if writes:
            write(*writes)
    except Stale:
        return some
    done = {count.line for count, _ in together}
    return [count for count in some if count.line not in done]


def _before(sku_id: str, found: Mapping[str, Stock]) -> Stock:
    return found.get(sku_id) or Stock(sku_id, (Level(),))


def _is_simple(count: Count, before: Stock) -> bool:
    return not before.is_sharded and count.on_hand >= before.reserved


def _set_one_by_one(some: Sequence[Count], sku_ids: dict[str, str]) -> Iterator[RowError]:
    for count in some:
        try:
            service.set_units(sku_ids[count.name], "on_hand", count.on_hand)
        except Conflict as refused:
            yield RowError(count.line, counts.ON_HAND, refused.detail)
