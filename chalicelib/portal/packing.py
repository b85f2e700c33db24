"""What to take from the shelves for some dispatches. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from chalicelib.dispatch.rules import Dispatch, DispatchLine


@dataclass(frozen=True)
class Pick:
    """Units of one SKU over all of the dispatches."""

    supplier_sku: str | None
    title: str
    quantity: int


def waiting_lines(dispatch: Dispatch) -> list[DispatchLine]:
    """The lines with the units that are still to be shipped."""
    waiting = dispatch.waiting
    return [
        replace(line, quantity=waiting[line.sku_id])
        for line in dispatch.lines
        if line.sku_id in waiting
    ]


def picked(dispatches: Iterable[Dispatch]) -> list[Pick]:
    """One row a SKU, by its title."""
    found: dict[str, Pick] = {}
    for each in dispatches:
        for line in waiting_lines(each):
            row = found.get(line.sku_id, Pick(line.supplier_sku, line.title, 0))
            found[line.sku_id] = replace(row, quantity=row.quantity + line.quantity)
    return sorted(found.values(), key=lambda row: row.title)
