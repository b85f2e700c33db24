"""What to take from the shelves or to buy for some dispatches. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from chalicelib.dispatch.rules import Dispatch, DispatchLine


def waiting_lines(dispatch: Dispatch) -> list[DispatchLine]:
    """The lines with the units that are still to be shipped."""
    waiting = dispatch.waiting
    return [
        replace(line, quantity=waiting[line.sku_id])
        for line in dispatch.lines
        if line.sku_id in waiting
    ]


def added_up(lines: Iterable[DispatchLine]) -> list[DispatchLine]:
    """Lines that differ in nothing but their units as one, by title."""
    units = Counter[DispatchLine]()
    for line in lines:
        units[replace(line, quantity=0)] += line.quantity
    found = [replace(line, quantity=quantity) for line, quantity in units.items()]
    return sorted(found, key=lambda line: (line.title, line.sku_id, line.unit_cost))
