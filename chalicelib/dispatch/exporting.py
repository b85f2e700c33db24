"""What a supplier has to ship, as a file: a row for each line, and a list of what to buy."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import chain, islice

from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.parcels import Parcel
from chalicelib.dispatch.picking import added_up, waiting_lines
from chalicelib.dispatch.rules import Dispatch, DispatchLine, less, units
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Invalid
from chalicelib.parties import store as parties
from chalicelib.platform.settings import settings
from chalicelib.platform.sheets import Cell, Sheet

Row = list[Cell]
LINE_COLUMNS = (
    "dispatch_id",
    "order_id",
    "status",
    "sku_id",
    "supplier_sku",
    "title",
    "quantity",
    "unit_cost",
    "currency",
    "accept_by",
    "ship_by",
    "name",
    "phone",
    "line1",
    "line2",
    "postal_code",
    "city",
    "region",
    "country",
    "carrier",
    "tracking_number",
)
PURCHASE_COLUMNS = ("sku_id", "supplier_sku", "title", "quantity", "unit_cost", "cost", "currency")
# Reading so many takes a few seconds of the API's 29.
MOST_DISPATCHES = 5_000
BATCH = 500
# What an import takes within the same 29 s, eight parcels at a time of a tenth of a second or two
# each; its body may have 256 KiB, of which tracking numbers still need a part.
MOST_ROWS = 500
MOST_BYTES = 192 * 1024


@dataclass(frozen=True)
class Wanted:
    """Whose dispatches, and of which day (a business date); None: all that wait."""

    supplier_id: str | None
    cycle: date | None
    part: int = 1


@dataclass(frozen=True)
class Exported:
    """One part of the lines, of so many, and what all of them come to for each SKU."""

    lines: Sheet
    purchase: Sheet
    part: int
    parts: int

    @property
    def name(self) -> str:
        return "lines" if self.parts == 1 else f"lines-{self.part}-of-{self.parts}"

    def sheets(self, first: str) -> tuple[Sheet, Sheet]:
        """Both, with `lines` or `purchase` first."""
        if first == "purchase":
            return self.purchase, self.lines
        return self.lines, self.purchase


def export(wanted: Wanted, caller: Caller) -> Exported:
    """The lines, in parts that can be imported, and what they come to for each SKU.

    Raises Invalid where there is no such part, or more than can be read at once.
    """
    supplier_id = _supplier(wanted.supplier_id, caller)
    asked = _of_day(supplier_id, wanted.cycle) if wanted.cycle else _waiting(supplier_id)
    found = list(islice(asked, MOST_DISPATCHES + 1))
    if len(found) > MOST_DISPATCHES:
        raise Invalid.field(
            "cycle", f"has more than {MOST_DISPATCHES} dispatches; read them by GET /v1/dispatches"
        )
    parts = list(_parts(chain.from_iterable(_parcels(each) for each in found)))
    if wanted.part > len(parts):
        raise Invalid.field("part", f"is more than the {len(parts)} that there are")
    rows = parts[wanted.part - 1]
    return Exported(
        lines=Sheet("Lines", LINE_COLUMNS, rows, as_text=("tracking_number",)),
        purchase=Sheet("Purchase list", PURCHASE_COLUMNS, _purchases(found, wanted)),
        part=wanted.part,
        parts=len(parts),
    )


def _purchases(found: Sequence[Dispatch], wanted: Wanted) -> list[Row]:
    """How many units of each SKU at each cost: all of a day, or of what waits the rest to ship."""
    lines = (each.lines if wanted.cycle else waiting_lines(each) for each in found)
    return [
        [
            line.sku_id,
            line.supplier_sku,
            line.title,
            line.quantity,
            line.unit_cost,
            line.quantity * line.unit_cost,
            found[0].currency,
        ]
        for line in added_up(chain.from_iterable(lines))
    ]


def _supplier(asked: str | None, caller: Caller) -> str:
    supplier_id = caller.asks_for(asked)
    if supplier_id is None:
        raise Invalid.field("supplier_id", "is required of an operator")
    if caller.is_operator and parties.get_supplier(supplier_id) is None:
        raise Invalid.field("supplier_id", "is not a supplier")
    return supplier_id


def _waiting(supplier_id: str) -> Iterable[Dispatch]:
    return dispatches.waiting(supplier_id, MOST_DISPATCHES + 1)


def _of_day(supplier_id: str, day: date) -> Iterator[Dispatch]:
    """Made on that day, whatever came of them since: none has changed before it was made."""
    zone = settings().zone
    since = datetime.combine(day, time(), zone).astimezone(UTC)
    position: str | None = None
    while batch := dispatches.changed_since(supplier_id, since, position, BATCH):
        for change in batch:
            if clock.business_date(change.dispatch.created_at, zone) == day:
                yield change.dispatch
        position = batch[-1].position


def _parts(parcels: Iterable[list[Row]]) -> Iterator[list[Row]]:
    """The rows, file by file: those of a parcel are never parted. At least one, if an empty one."""
    part: list[Row] = []
    size = 0
    for rows in parcels:
        more = sum(_bytes(row) for row in rows)
        if part and (len(part) + len(rows) > MOST_ROWS or size + more > MOST_BYTES):
            yield part
            part, size = [], 0
        part += rows
        size += more
    yield part


def _bytes(row: Row) -> int:
    """In CSV, each cell with a comma and an apostrophe."""
    return sum(len(str(cell).encode()) + 2 for cell in row if cell is not None)


def _parcels(dispatch: Dispatch) -> Iterator[list[Row]]:
    """The rows of each parcel, and of what is left: one for each line."""
    left = units(dispatch.lines)
    for parcel in dispatch.parcels:
        yield _of_parcel(dispatch, parcel.units, parcel)
        left = less(left, parcel.units)
    if left:
        yield _of_parcel(dispatch, left, None)


def _of_parcel(dispatch: Dispatch, sent: Mapping[str, int], parcel: Parcel | None) -> list[Row]:
    return [
        _row(dispatch, line, sent[line.sku_id], parcel)
        for line in dispatch.lines
        if sent.get(line.sku_id)
    ]


def _row(dispatch: Dispatch, line: DispatchLine, quantity: int, parcel: Parcel | None) -> Row:
    to = dispatch.ship_to
    return [
        dispatch.id,
        dispatch.order_id,
        dispatch.status,
        line.sku_id,
        line.supplier_sku,
        line.title,
        quantity,
        line.unit_cost,
        dispatch.currency,
        clock.to_text(dispatch.accept_by),
        clock.to_text(dispatch.ship_by),
        to.name,
        to.phone,
        to.line1,
        to.line2,
        to.postal_code,
        to.city,
        to.region,
        to.country,
        parcel.carrier if parcel else None,
        parcel.tracking_number if parcel else None,
    ]
