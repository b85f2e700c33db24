"""A supplier's file of tracking numbers, read row by row.

A row that names a SKU and a quantity is of a parcel with just that in it; rows of one dispatch with
the same carrier and tracking number are one parcel. A row that names no SKU is of a parcel with all
that is left of its dispatch.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from pydantic import ValidationError

from chalicelib.dispatch.exporting import LINE_COLUMNS, MOST_ROWS
from chalicelib.dispatch.parcels import Shipment
from chalicelib.dispatch.schema import TrackingRow
from chalicelib.platform import sheets
from chalicelib.platform.complaints import complaints
from chalicelib.platform.sheets import Line, RowError

REQUIRED = ("dispatch_id", "carrier", "tracking_number")
NUMBER = ("carrier", "tracking_number")
UNITS = re.compile(r"[1-9][0-9]{0,8}")
# As a spreadsheet shows and saves a number of more than fifteen digits: the others are lost.
CUT_SHORT = re.compile(r"[0-9](?:[.,][0-9]+)?[Ee]\+[0-9]+")


@dataclass(frozen=True)
class Told:
    """A parcel that the file tells of, and the lines that do, in the order of its units."""

    dispatch_id: str
    shipment: Shipment
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Read:
    """`rows` is how many the file has, `skipped` how many have no tracking number yet."""

    rows: int
    skipped: int
    parcels: tuple[Told, ...]
    errors: tuple[RowError, ...]


def read(raw: bytes) -> Read:
    """Raises Invalid where the file as a whole cannot be taken."""
    rows = sheets.read(raw, LINE_COLUMNS, REQUIRED, MOST_ROWS)
    told = [row for row in rows if any(row.cells[name] for name in NUMBER)]
    wrong = [error for row in told if (error := _wrong(row))]
    bad = {error.line for error in wrong}
    right = sorted(
        (row for row in told if row.number not in bad),
        key=lambda row: (row.cells["dispatch_id"], row.number),
    )
    parcels: list[Told] = []
    for _, group in groupby(right, key=lambda row: row.cells["dispatch_id"]):
        of_one = list(group)
        if errors := list(_contradictions(of_one)):
            wrong += errors
        else:
            parcels += _parcels(of_one)
    return Read(len(rows), len(rows) - len(told), tuple(parcels), tuple(wrong))


def _wrong(row: Line) -> RowError | None:
    """What is wrong with a row by itself."""
    for field in REQUIRED:
        cell = row.cells[field]
        if not cell:
            return RowError(row.number, field, "is required where the other is given")
        if cell.startswith("="):
            return RowError(row.number, field, "is a formula; send what it comes to")
        if CUT_SHORT.fullmatch(cell):
            return RowError(
                row.number, field, "was cut to 15 digits by a spreadsheet; keep the column as text"
            )
    if refused := _unlike_a_call(row):
        return refused
    if _sku_of(row) and not UNITS.fullmatch(row.cells.get("quantity", "")):
        return RowError(
            row.number, "quantity", "must be a whole number of at least 1 where sku_id is given"
        )
    return None


def _unlike_a_call(row: Line) -> RowError | None:
    """What the API would refuse of it."""
    try:
        TrackingRow.model_validate({name: row.cells[name] for name in REQUIRED})
    except ValidationError as error:
        first = next(complaints(error))
        return RowError(row.number, first.field, first.message)
    return None


def _contradictions(rows: Sequence[Line]) -> Iterator[RowError]:
    """Where rows of one dispatch do not say the same of it."""
    first, *others = rows
    for other in others:
        if bool(_sku_of(other)) != bool(_sku_of(first)):
            yield RowError(
                other.number,
                "sku_id",
                f"is for all rows of a dispatch or for none; see line {first.number}",
            )
        elif not _sku_of(first):
            yield from _other_numbers(first, other)
    yield from _standing_twice(row for row in rows if _sku_of(row))


def _other_numbers(first: Line, other: Line) -> Iterator[RowError]:
    for name in NUMBER:
        if other.cells[name] != first.cells[name]:
            yield RowError(other.number, name, f"is another than on line {first.number}")


def _standing_twice(rows: Iterable[Line]) -> Iterator[RowError]:
    """What stands in one parcel twice: the one may be meant to be another SKU, or more of it."""
    seen: dict[tuple[str, ...], int] = {}
    for row in rows:
        first = seen.setdefault((*_number_of(row), _sku_of(row)), row.number)
        if first != row.number:
            yield RowError(row.number, "sku_id", f"is in this parcel on line {first} already")


def _parcels(rows: Sequence[Line]) -> Iterator[Told]:
    """The parcels of one dispatch, in the order of their first rows."""
    first = rows[0]
    if not _sku_of(first):
        yield Told(first.cells["dispatch_id"], Shipment(*_number_of(first)), (first.number,))
        return
    by_number: dict[tuple[str, str], list[Line]] = {}
    for row in rows:
        by_number.setdefault(_number_of(row), []).append(row)
    for number, of_one in by_number.items():
        units = {_sku_of(row): int(row.cells["quantity"]) for row in of_one}
        lines = tuple(row.number for row in of_one)
        yield Told(first.cells["dispatch_id"], Shipment(*number, units), lines)


def _number_of(row: Line) -> tuple[str, str]:
    return row.cells["carrier"], row.cells["tracking_number"]


def _sku_of(row: Line) -> str:
    return row.cells.get("sku_id", "")
