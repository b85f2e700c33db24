"""Taking a supplier's file of tracking numbers: each parcel that can be shipped is."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, groupby

from chalicelib.dispatch import answering, parcels, service, shipping, tracking
from chalicelib.dispatch.parcels import Shipment
from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.tracking import Told
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, TuanError
from chalicelib.platform.sheets import RowError

SIDE_BY_SIDE = 8


@dataclass(frozen=True)
class Imported:
    """How many rows there were, what came of their parcels, and why some were not shipped.

    `unchanged` had been shipped so before; `skipped` rows have no tracking number yet.
    """

    rows: int
    shipped: int
    unchanged: int
    skipped: int
    errors: tuple[RowError, ...]


def import_tracking(raw: bytes, caller: Caller) -> Imported:
    """Ship each parcel, accepting its dispatch first where it was not. A file may be sent again.

    Raises Invalid where the file as a whole cannot be taken: nothing is changed then.
    """
    read = tracking.read(raw)
    by_dispatch = [
        list(group) for _, group in groupby(read.parcels, key=lambda told: told.dispatch_id)
    ]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        outcomes = list(chain(*pool.map(partial(_ship_all, caller=caller), by_dispatch)))
    errors = [*read.errors, *(each for each in outcomes if isinstance(each, RowError))]
    return Imported(
        rows=read.rows,
        shipped=outcomes.count(True),
        unchanged=outcomes.count(False),
        skipped=read.skipped,
        errors=tuple(sorted(errors, key=lambda error: error.line)),
    )


def _ship_all(told: Sequence[Told], caller: Caller) -> list[bool | RowError]:
    """The parcels of one dispatch, one after another: each changes what is left for the next."""
    return [_ship(each, caller) for each in told]


def _ship(told: Told, caller: Caller) -> bool | RowError:
    """Whether it was shipped just now."""
    try:
        before = service.dispatch_for(told.dispatch_id, caller)
        if _stands(before, told.shipment):
            return False
        if before.status == "created":
            answering.accept(told.dispatch_id, None, None, caller, None)
        shipping.ship(told.dispatch_id, told.shipment, caller, None)
    except TuanError as refused:
        return _refusal(told, refused)
    return True


def _stands(dispatch: Dispatch, shipment: Shipment) -> bool:
    """Whether a parcel bears the number; a row that names no SKU says nothing of what is in it."""
    if parcels.bearing(dispatch.parcels, shipment):
        return shipment.units is None or bool(parcels.sent_before(dispatch.parcels, shipment))
    made = dispatch.parcel(parcels.parcel_id(dispatch.id, *shipment.number))
    if made:
        # Of an older file, or of another parcel: nobody can tell.
        raise Conflict(
            f"Parcel {made.id} was shipped with this number, which was corrected to "
            f"{made.tracking_number} since; ship another one of this number by itself.",
            code="already_shipped",
        )
    return False


def _refusal(told: Told, refused: TuanError) -> RowError:
    """Under the row of the line that was refused, where that is known."""
    for error in refused.errors:
        _, n, column = (*error.field.split("."), "", "")[:3]
        if n.isdecimal():
            return RowError(told.lines[int(n)], column, error.message)
    return RowError(told.lines[0], "dispatch_id", refused.detail)
