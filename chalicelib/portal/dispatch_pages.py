"""What waits to be shipped, what is on its way, and the packing list."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

from chalicelib.dispatch import answering, delivering, shipping
from chalicelib.dispatch import service as dispatches
from chalicelib.dispatch import store as stored
from chalicelib.dispatch.answers import REASONS
from chalicelib.dispatch.parcels import Shipment
from chalicelib.dispatch.picking import added_up, waiting_lines
from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.schema import (
    AcceptDispatch,
    CorrectParcel,
    RejectDispatch,
    ShipDispatch,
)
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.ordering.line_schema import units_of
from chalicelib.parties import service as parties
from chalicelib.platform import problems
from chalicelib.portal import words
from chalicelib.portal.web import Answer, GoTo, Pages, Shown, Visit

routes = Pages(__name__)

SHOWN_AT_MOST = 50
PRINTED_AT_MOST = 100
# Of what waits, to find so many that were accepted, or of which something is on its way.
LOOKED_AT_MOST = 5_000
LAST = datetime.max.replace(tzinfo=UTC)


@routes.page("GET", "/supplier")
def supplier_page(visit: Visit) -> Answer:
    found = stored.waiting(visit.caller.id, SHOWN_AT_MOST + 1)
    values = {
        "supplier": parties.supplier(visit.caller.id),
        "waiting": found[:SHOWN_AT_MOST],
        "more": len(found) > SHOWN_AT_MOST,
        "closed_until": parties.terms_of(visit.caller.id).calendar.closed_until(clock.now()),
    }
    return Shown("waiting", values)


@routes.page("GET", "/supplier/shipped")
def supplier_shipped(visit: Visit) -> Answer:
    """What is on its way, with what of it still has to be shipped."""
    waiting = stored.waiting_in_order(visit.caller.id, LOOKED_AT_MOST)
    partly = islice((each for each in waiting if each.awaited), SHOWN_AT_MOST + 1)
    found = [*partly, *stored.on_the_way(visit.caller.id, SHOWN_AT_MOST + 1)]
    found.sort(key=lambda each: each.deliver_by or LAST)
    more = len(found) > SHOWN_AT_MOST
    return Shown("shipped", {"on_the_way": found[:SHOWN_AT_MOST], "more": more})


@routes.page("GET", "/supplier/dispatches/{id}")
def supplier_dispatch(visit: Visit, id: str) -> Answer:
    notice = words.DONE.get(visit.query.get("done", ""))
    return _dispatch(visit, dispatches.dispatch_for(id, visit.caller), notice=notice)


@routes.page("POST", "/supplier/dispatches/{id}/accept")
def supplier_accept(visit: Visit, id: str) -> Answer:
    def accept() -> str:
        sent: AcceptDispatch = visit.read(AcceptDispatch)
        units = units_of(sent.lines)
        reason = _reason(visit) if units else None
        moved = answering.accept(id, units, reason, visit.caller, None)
        rejects = moved.acceptance and moved.acceptance.reason
        return "accepted-part" if rejects else "accepted"

    return _moved(visit, id, accept)


@routes.page("POST", "/supplier/dispatches/{id}/reject")
def supplier_reject(visit: Visit, id: str) -> Answer:
    def reject() -> str:
        sent: RejectDispatch = visit.read(RejectDispatch, reason=_reason(visit))
        seen = visit.number("version")
        units = units_of(sent.lines)
        moved = answering.reject(id, units, sent.reason, visit.caller, None, seen=seen)
        return "rejected" if moved.status == "rejected" else "rejected-part"

    return _moved(visit, id, reject)


@routes.page("POST", "/supplier/dispatches/{id}/ship")
def supplier_ship(visit: Visit, id: str) -> Answer:
    def ship() -> str:
        sent: ShipDispatch = visit.read(ShipDispatch, "carrier", "tracking_number")
        shipment = Shipment(sent.carrier, sent.tracking_number, units_of(sent.lines))
        moved = shipping.ship(id, shipment, visit.caller, None)
        return "shipped-part" if moved.waiting else "shipped"

    return _moved(visit, id, ship)


@routes.page("POST", "/supplier/dispatches/{id}/parcels/{parcel_id}/deliver")
def supplier_deliver(visit: Visit, id: str, parcel_id: str) -> Answer:
    def deliver() -> str:
        found = dispatches.dispatch_for(id, visit.caller)
        # Whoever presses it once more says nothing new, whenever it was said to have arrived.
        if not dispatches.parcel_for(found, parcel_id).delivered_at:
            delivering.deliver_parcel(id, parcel_id, None, visit.caller, None)
        return "delivered"

    return _moved(visit, id, deliver)


@routes.page("POST", "/supplier/dispatches/{id}/parcels/{parcel_id}/correct")
def supplier_correct(visit: Visit, id: str, parcel_id: str) -> Answer:
    def correct() -> str:
        sent: CorrectParcel = visit.read(CorrectParcel, "carrier", "tracking_number")
        shipping.correct(id, parcel_id, sent.carrier, sent.tracking_number, visit.caller)
        return "corrected"

    return _moved(visit, id, correct)


@routes.page("GET", "/supplier/packing-list")
def supplier_packing_list(visit: Visit) -> Answer:
    """What is to be packed, for printing: one dispatch, or all that has been accepted."""
    if chosen := visit.query.get("dispatch"):
        found = [dispatches.dispatch_for(chosen, visit.caller)]
    else:
        waiting = stored.waiting_in_order(visit.caller.id, LOOKED_AT_MOST)
        accepted = (each for each in waiting if each.status != "created")
        found = list(islice(accepted, PRINTED_AT_MOST + 1))
    packed = found[:PRINTED_AT_MOST]
    more = len(found) > PRINTED_AT_MOST
    # On the shelf a unit is what it is, whatever it was bought for.
    lines = [replace(line, unit_cost=0) for each in packed for line in waiting_lines(each)]
    return Shown("packing_list", {"packed": packed, "totals": added_up(lines), "more": more})


def _reason(visit: Visit) -> str:
    """One of the list, or the words that stand in its place. Raises Invalid for neither."""
    chosen, said = (visit.form.get(name, "").strip() for name in ("reason", "words"))
    if chosen in REASONS - {"other"}:
        return chosen
    if not said:
        raise Invalid("Choose why, or say it in words of your own.")
    return said


def _moved(visit: Visit, dispatch_id: str, move: Callable[[], str]) -> Answer:
    """The dispatch after a move, which says what it has done; or the dispatch as it is with the
    reason why it was not moved."""
    try:
        done = move()
    except (Conflict, Invalid) as refused:
        found = dispatches.dispatch_for(dispatch_id, visit.caller)
        status = problems.problem(refused).status
        return _dispatch(visit, found, problem=words.told(refused), status=status)
    if not visit.wants_part:
        return GoTo(f"supplier/dispatches/{dispatch_id}?done={done}")
    moved = dispatches.dispatch_for(dispatch_id, visit.caller)
    return _dispatch(replace(visit, form={}), moved, notice=words.DONE[done])


def _dispatch(
    visit: Visit,
    dispatch: Dispatch,
    *,
    notice: str | None = None,
    problem: str | None = None,
    status: int = 200,
) -> Answer:
    values = {"dispatch": dispatch, "notice": notice, "problem": problem, "sent": visit.form}
    return Shown("card" if visit.wants_part else "dispatch", values, status)
