"""What a supplier has to ship, as a file: a row for each line, and a list of what to buy."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from itertools import islice

from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.parcels import Parcel
from chalicelib.dispatch.rules import Dispatch, DispatchLine
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Invalid
from chalicelib.parties import store as parties
from chalicelib.platform.settings import settings
from chalicelib.platform.sheets import Cell, Sheet

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
MOST_DISPATCHES = 5_000
BATCH = 500


@dataclass(frozen=True)
class Wanted:
    """Whose dispatches, and of which day (a business date); None: all that wait."""

    supplier_id: str | None
    cycle: date | None


def export(wanted: Wanted, caller: Caller) -> tuple[Sheet, Sheet]:
    """The lines, and what they come to for each SKU.

    Raises Invalid where there are more than one file should hold.
    """
    supplier_id = _supplier(wanted.supplier_id, caller)
    asked = _of_day(supplier_id, wanted.cycle) if wanted.cycle else _waiting(supplier_id)
    found = list(islice(asked, MOST_DISPATCHES + 1))
    if len(found) > MOST_DISPATCHES:
        raise Invalid.field(
            "cycle", f"has more than {MOST_DISPATCHES} dispatches; read them by GET /v1/dispatches"
        )
    rows = [row for each in found for row in _rows(each)]
    lines = Sheet("Lines", LINE_COLUMNS, rows, as_text=("tracking_number",))
    return lines, Sheet("Purchase list", PURCHASE_COLUMNS, purchases(found))


def purchases(found: Iterable[Dispatch]) -> list[list[Cell]]:
    """How many units of each SKU at each cost, by title: what to take or to buy."""
    units: dict[tuple[DispatchLine, str], int] = {}
    for dispatch in found:
        for line in dispatch.lines:
            what = replace(line, quantity=0), dispatch.currency
            units[what] = units.get(what, 0) + line.quantity
    return [
        [
            line.sku_id,
            line.supplier_sku,
            line.title,
            quantity,
            line.unit_cost,
            quantity * line.unit_cost,
            currency,
        ]
        for (line, currency), quantity in sorted(
            units.items(), key=lambda each: (each[0][0].title, each[0][0].sku_id)
        )
    ]


def _supplier(asked: str | None, caller: Caller) -> str:
    if caller.role == "supplier":
        if asked not in (None, caller.id):
            raise Invalid.field("supplier_id", "is not your own")
        return caller.id
    if asked is None:
        raise Invalid.field("supplier_id", "is required of an operator")
    if parties.get_supplier(asked) is None:
        raise Invalid.field("supplier_id", "is not a supplier")
    return asked


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


def _rows(dispatch: Dispatch) -> Iterator[list[Cell]]:
    """A row for each line, and for each parcel that some of it went with."""
    for line in dispatch.lines:
        left = line.quantity
        for parcel in dispatch.parcels:
            if sent := parcel.units.get(line.sku_id, 0):
                left -= sent
                yield _row(dispatch, line, sent, parcel)
        if left > 0:
            yield _row(dispatch, line, left, None)


def _row(
    dispatch: Dispatch, line: DispatchLine, quantity: int, parcel: Parcel | None
) -> list[Cell]:
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
