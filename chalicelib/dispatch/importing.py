"""Taking a supplier's file of tracking numbers: each dispatch that can be shipped is."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from chalicelib.dispatch import service
from chalicelib.dispatch.exporting import LINE_COLUMNS
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import TuanError
from chalicelib.platform import sheets
from chalicelib.platform.sheets import Line
from chalicelib.stock.counts import RowError

MAX_ROWS = 500
SIDE_BY_SIDE = 8
LONGEST_CELL = 200
COLUMNS = LINE_COLUMNS
REQUIRED = ("dispatch_id", "carrier", "tracking_number")
SAID = ("carrier", "tracking_number")


@dataclass(frozen=True)
class Parcel:
    """What the file says of one dispatch; `line` is the first row that says so."""

    line: int
    dispatch_id: str
    carrier: str
    tracking_number: str


@dataclass(frozen=True)
class Imported:
    """How many rows there were, what came of their dispatches, and why some were not shipped.

    `unchanged` had been shipped so before; `skipped` rows have no tracking number yet.
    """

    rows: int
    shipped: int
    unchanged: int
    skipped: int
    errors: tuple[RowError, ...]


def import_tracking(raw: bytes, caller: Caller) -> Imported:
    """Ship the dispatch of each row, accepting it first where it was not. A file may be sent again.

    Raises Invalid where the file as a whole cannot be taken: nothing is changed then.
    """
    rows = sheets.read(raw, COLUMNS, REQUIRED, MAX_ROWS)
    told = [row for row in rows if row.cells["carrier"] or row.cells["tracking_number"]]
    wrong = [error for row in told if (error := _wrong(row))]
    bad = {error.line for error in wrong}
    parcels, contradictions = _by_dispatch([row for row in told if row.number not in bad])
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        outcomes = list(pool.map(partial(_ship, caller=caller), parcels))
    errors = [*wrong, *contradictions, *(each for each in outcomes if isinstance(each, RowError))]
    return Imported(
        rows=len(rows),
        shipped=outcomes.count(True),
        unchanged=outcomes.count(False),
        skipped=len(rows) - len(told),
        errors=tuple(sorted(errors, key=lambda error: error.line)),
    )


def _wrong(row: Line) -> RowError | None:
    """What is wrong with a row by itself."""
    for field in REQUIRED:
        cell = row.cells[field]
        if not cell:
            return RowError(row.number, field, "is required where the other is given")
        if len(cell) > LONGEST_CELL:
            return RowError(row.number, field, f"must be at most {LONGEST_CELL} characters")
        if cell.startswith("="):
            return RowError(row.number, field, "is a formula; send what it comes to")
        if not cell.isprintable():
            return RowError(row.number, field, "must not hold control characters")
    return None


def _by_dispatch(rows: Sequence[Line]) -> tuple[list[Parcel], list[RowError]]:
    """One parcel a dispatch, however many lines it has; none where they contradict each other."""
    parcels, errors = [], []
    by_id = sorted(rows, key=lambda row: (row.cells["dispatch_id"], row.number))
    for dispatch_id, group in groupby(by_id, key=lambda row: row.cells["dispatch_id"]):
        first, *others = group
        if wrong := list(_contradictions(first, others)):
            errors += wrong
        else:
            said = (first.cells[name] for name in SAID)
            parcels.append(Parcel(first.number, dispatch_id, *said))
    return parcels, errors


def _contradictions(first: Line, others: Sequence[Line]) -> Iterator[RowError]:
    for other in others:
        for name in SAID:
            if other.cells[name] != first.cells[name]:
                yield RowError(other.number, name, f"is another than on line {first.number}")


def _ship(parcel: Parcel, caller: Caller) -> bool | RowError:
    """Whether it was shipped just now."""
    try:
        before = service.dispatch_for(parcel.dispatch_id, caller)
        if before.status == "created":
            service.accept(parcel.dispatch_id, caller, None)
        service.ship(parcel.dispatch_id, parcel.carrier, parcel.tracking_number, caller, None)
    except TuanError as refused:
        return RowError(parcel.line, "dispatch_id", refused.detail)
    return before.status != "shipped"
