"""Shipping, parcel by parcel, and correcting what was said of one."""

from collections.abc import Mapping
from datetime import datetime

from chalicelib.dispatch import moves, parcels, service
from chalicelib.dispatch.parcels import Parcel, Shipment
from chalicelib.dispatch.rules import Dispatch
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict
from chalicelib.ordering import held_units
from chalicelib.parties import store as parties
from chalicelib.platform.log import metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.stock import store as stock


@retry_stale
def ship(
    dispatch_id: str, shipment: Shipment, caller: Caller, recorder: Recorder | None
) -> Dispatch:
    """One more parcel is on its way. Raises Conflict where the dispatch is not accepted, or has
    nothing left to ship, and Invalid where more is named than is left."""
    dispatch = service.dispatch_for(dispatch_id, caller)
    moves.check_ships(dispatch)
    if parcels.sent_before(dispatch.parcels, shipment):
        return dispatch
    waiting, now = moves.left_to_ship(dispatch), clock.now()
    units = waiting if shipment.units is None else shipment.units
    moves.check_in_dispatch(dispatch, units)
    moves.check_units(waiting, units, "left to ship")
    parcel = _parcel(dispatch, shipment, units, now)
    order = service.order_of(dispatch)
    transaction = Transaction(recorder)
    transaction.add(*stock.let_go(held_units.next_parts(order, units)))
    shipped = order.after_shipping(parcel.id, units)
    terms = parties.terms_at(dispatch.supplier_id, dispatch.terms_version)
    sent = dispatch.sent(parcel, now).delivering(parcel.id, now, terms.calendar)
    changed = service.commit(transaction, sent, shipped)
    metric("ParcelsShipped")
    return changed


@retry_stale
def correct(
    dispatch_id: str,
    parcel_id: str,
    carrier: str | None,
    tracking_number: str | None,
    caller: Caller,
) -> Dispatch:
    """Another carrier or tracking number for a parcel that is on its way. Raises NotFound, and
    Conflict where it has arrived or another parcel bears the number."""
    dispatch = service.dispatch_for(dispatch_id, caller)
    parcel = service.parcel_for(dispatch, parcel_id)
    corrected = parcel.corrected(carrier, tracking_number)
    if corrected == parcel:
        return dispatch
    if parcel.delivered_at:
        raise Conflict(
            f"The parcel was delivered at {parcel.delivered_at}; only one on its way is corrected.",
            code="already_delivered",
        )
    parcels.check_number(dispatch.parcels, corrected)
    now = clock.now()
    changed = dispatch.with_parcels([corrected]).moved(dispatch.status, now)
    return service.commit(Transaction(), changed, service.order_of(dispatch))


def _parcel(
    dispatch: Dispatch, shipment: Shipment, units: Mapping[str, int], now: datetime
) -> Parcel:
    return Parcel(
        parcels.new_parcel_id(dispatch.parcels, dispatch.id, shipment),
        shipment.carrier,
        shipment.tracking_number,
        units,
        clock.to_text(now),
        is_rest=dict(units) == dispatch.waiting,
    )
