"""What to take from the shelves for some dispatches. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from chalicelib.dispatch.rules import Dispatch


@dataclass(frozen=True)
class Pick:
    """Units of one SKU over all of the dispatches."""

    supplier_sku: str | None
    title: str
    quantity: int


def picked(dispatches: Iterable[Dispatch]) -> list[Pick]:
    """One row a SKU, by its title."""
    found: dict[str, Pick] = {}
    for line in (line for each in dispatches for line in each.lines):
        row = found.get(line.sku_id, Pick(line.supplier_sku, line.title, 0))
        found[line.sku_id] = replace(row, quantity=row.quantity + line.quantity)
    return sorted(found.values(), key=lambda row: row.title)
