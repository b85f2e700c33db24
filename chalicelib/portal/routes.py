"""`/supplier` and the pages below it."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from chalicelib.dispatch import answering, shipping
from chalicelib.dispatch import service as dispatches
from chalicelib.dispatch import store as stored
from chalicelib.dispatch.parcels import Shipment
from chalicelib.dispatch.picking import added_up, waiting_lines
from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.schema import RejectDispatch, ShipDispatch
from chalicelib.kernel.errors import Conflict, Invalid, NotFound, Unauthenticated
from chalicelib.ordering.schema import units_of
from chalicelib.parties import service as parties
from chalicelib.platform import pages, problems
from chalicelib.platform.pages import PageRequest
from chalicelib.portal import sessions
from chalicelib.portal.web import Answer, Asset, GoTo, Pages, Shown, Visit
from chalicelib.webhooks import delivering, testing
from chalicelib.webhooks import store as webhooks

routes = Pages(__name__)

ASSETS = {"htmx.min.js": "text/javascript", "icon.svg": "image/svg+xml", "page.css": "text/css"}
SHOWN_AT_MOST = 50
PRINTED_AT_MOST = 100
# Of what waits, to find so many that were accepted.
LOOKED_AT_MOST = 5_000
DELIVERIES_A_PAGE = 20


@routes.page("GET", "/supplier")
def supplier_page(visit: Visit) -> Answer:
    found = stored.waiting(visit.caller.id, SHOWN_AT_MOST + 1)
    values = {
        "supplier": parties.supplier(visit.caller.id),
        "waiting": found[:SHOWN_AT_MOST],
        "more": len(found) > SHOWN_AT_MOST,
    }
    return Shown("waiting", values)


@routes.page("POST", "/supplier/sign-in")
def supplier_sign_in(visit: Visit) -> Answer:
    key = visit.form.get("api_key", "").strip()
    if not key:
        raise Unauthenticated("Enter your API key; it begins with tsk_.")
    return GoTo("supplier", {"Set-Cookie": sessions.sign_in(key)})


@routes.page("POST", "/supplier/sign-out")
def supplier_sign_out(visit: Visit) -> Answer:
    return GoTo("supplier", {"Set-Cookie": sessions.signed_out()})


@routes.page("GET", "/supplier/dispatches/{id}")
def supplier_dispatch(visit: Visit, id: str) -> Answer:
    return _dispatch(visit, dispatches.dispatch_for(id, visit.caller))


@routes.page("POST", "/supplier/dispatches/{id}/accept")
def supplier_accept(visit: Visit, id: str) -> Answer:
    return _moved(visit, id, lambda: answering.accept(id, None, None, visit.caller, None))


@routes.page("POST", "/supplier/dispatches/{id}/reject")
def supplier_reject(visit: Visit, id: str) -> Answer:
    def reject() -> Dispatch:
        sent: RejectDispatch = visit.read(RejectDispatch, "reason")
        seen = visit.number("version")
        units = units_of(sent.lines)
        return answering.reject(id, units, sent.reason, visit.caller, None, seen=seen)

    return _moved(visit, id, reject)


@routes.page("POST", "/supplier/dispatches/{id}/ship")
def supplier_ship(visit: Visit, id: str) -> Answer:
    def ship() -> Dispatch:
        sent: ShipDispatch = visit.read(ShipDispatch, "carrier", "tracking_number")
        shipment = Shipment(sent.carrier, sent.tracking_number, units_of(sent.lines))
        return shipping.ship(id, shipment, visit.caller, None)

    return _moved(visit, id, ship)


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


@routes.page("GET", "/supplier/deliveries")
def supplier_deliveries(visit: Visit) -> Answer:
    return _deliveries(visit)


@routes.page("POST", "/supplier/deliveries/{id}/replay")
def supplier_replay(visit: Visit, id: str) -> Answer:
    try:
        delivering.replay(id, visit.caller, None)
    except Conflict as refused:
        return _deliveries(visit, problem=refused.detail, status=409)
    return _deliveries(visit, notice="It is being sent again.")


@routes.page("POST", "/supplier/endpoints/{id}/test")
def supplier_test_endpoint(visit: Visit, id: str) -> Answer:
    answer = testing.test(id, visit.caller, None).answer
    if answer is None:
        return _deliveries(visit, notice="A ping is on its way; see below what comes of it.")
    if answer.error:
        return _deliveries(visit, problem=f"The ping failed: {answer.error}.")
    return _deliveries(visit, notice=f"It answered {answer.status_code} to a ping.")


@routes.page("GET", "/supplier/assets/{name}")
def supplier_asset(visit: Visit, name: str) -> Answer:
    if name not in ASSETS:
        raise NotFound("There is no such file.")
    text = (Path(__file__).with_name("assets") / name).read_text(encoding="utf-8")
    return Asset(text, ASSETS[name])


def _moved(visit: Visit, dispatch_id: str, move: Callable[[], Dispatch]) -> Answer:
    """The dispatch after a move, or as it is with the reason why it was not moved."""
    try:
        moved = move()
    except (Conflict, Invalid) as refused:
        found = dispatches.dispatch_for(dispatch_id, visit.caller)
        status = problems.problem(refused).status
        return _dispatch(visit, found, problem=refused.detail, status=status)
    if not visit.wants_part:
        return GoTo(f"supplier/dispatches/{dispatch_id}")
    return _dispatch(visit, moved, notice=f"It is {moved.status}.")


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


def _deliveries(
    visit: Visit, *, notice: str | None = None, problem: str | None = None, status: int = 200
) -> Answer:
    owner, scope = visit.caller.id, f"supplier page {visit.caller.id}"
    cursor = visit.query.get("cursor")
    after = pages.read_cursor(scope, cursor) if cursor else None
    found = webhooks.deliveries(owner, PageRequest(scope, DELIVERIES_A_PAGE, after))
    values = {
        "endpoints": webhooks.endpoints_of(owner),
        "deliveries": found.items,
        "older": pages.cursor(scope, found.next_after),
        "notice": notice,
        "problem": problem,
    }
    return Shown("deliveries", values, status)
