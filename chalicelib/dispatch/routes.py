"""`/v1/dispatches`, and what ends a paid order: cancelling and refunding."""

from collections.abc import Mapping
from datetime import date
from functools import partial
from types import SimpleNamespace
from typing import Any

from chalicelib.dispatch import (
    answering,
    calling_off,
    cancelling,
    delivering,
    disputing,
    exporting,
    feed,
    fines,
    importing,
    refunding,
    service,
    shipping,
)
from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.disputes import Dispute
from chalicelib.dispatch.feed import Wanted
from chalicelib.dispatch.importing import Imported
from chalicelib.dispatch.parcels import Shipment
from chalicelib.dispatch.refunding import Asked, Restock
from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.schema import (
    AcceptDispatch,
    CancelDispatch,
    CorrectParcel,
    DeliverDispatch,
    DispatchView,
    DisputeDelivery,
    DisputeView,
    ExportQuery,
    FeedQuery,
    FeedView,
    RefundOrder,
    RejectDispatch,
    ResolveDispute,
    ShipDispatch,
    TrackingImportedView,
    WaiveFine,
)
from chalicelib.kernel.callers import Caller
from chalicelib.ordering.line_schema import units_of
from chalicelib.ordering.rules import Order
from chalicelib.ordering.schema import CancelOrder, OrderView
from chalicelib.parties.authorizer import authorizer
from chalicelib.payments.rules import Refund
from chalicelib.payments.schema import RefundView
from chalicelib.platform import pages, sheets
from chalicelib.platform.endpoints import Also, Reply, Request, Unrecorded
from chalicelib.platform.http_in import Routes

routes = Routes(__name__, tag="Dispatches", authorizer=authorizer)

MOVE_ERRORS = {"invalid_transition": 409}


@routes.endpoint(
    "GET",
    "/v1/dispatches",
    summary="The pull feed: dispatches by rising change, from an instant on",
    roles=("supplier", "operator"),
    query=FeedQuery,
    answer=FeedView,
)
def read_feed(request: Request) -> Any:
    sent: FeedQuery = request.query
    page = request.page
    wanted = Wanted(sent.status, sent.due_before, request.caller.asks_for(sent.supplier_id))
    found = feed.read(wanted, sent.updated_since, page.after, page.limit)
    return SimpleNamespace(
        items=found.items,
        next_cursor=pages.cursor(request.scope, found.next_after),
        next_updated_since=found.next_updated_since,
    )


@routes.endpoint(
    "GET",
    "/v1/dispatches/export",
    summary="What a supplier has to ship, as a file: a row for each line, and what they come to",
    roles=("supplier", "operator"),
    query=ExportQuery,
    media_type=sheets.MEDIA_TYPES["csv"],
    also=Also(media_types=(sheets.MEDIA_TYPES["xlsx"],)),
    errors={"no_accept": 400},
)
def export_dispatches(request: Request) -> Reply:
    sent: ExportQuery = request.query
    cycle = date.fromisoformat(sent.cycle) if sent.cycle else None
    wanted = exporting.Wanted(sent.supplier_id, cycle, sent.part)
    exported = exporting.export(wanted, request.caller)
    name = exported.name if sent.list == "lines" else "purchase-list"
    headers = {
        "Content-Type": sheets.MEDIA_TYPES[sent.format],
        "Content-Disposition": f'attachment; filename="{name}.{sent.format}"',
    }
    text = sheets.written(exported.sheets(sent.list), sent.format)
    return Reply(None, headers=headers, text=text)


@routes.endpoint(
    "POST",
    "/v1/dispatches/import",
    summary="Ship many dispatches from a file of tracking numbers",
    notes="CSV in UTF-8 or XLSX with the columns `dispatch_id`, `carrier` and `tracking_number`; "
    "those of an export may stand beside them. A row that is wrong holds back no other, and a "
    "file that comes again changes nothing.",
    roles=("supplier", "operator"),
    takes="text/csv",
    also=Also(uploads=(sheets.MEDIA_TYPES["xlsx"],)),
    answer=TrackingImportedView,
    key="optional",
)
def import_tracking(request: Request) -> Imported:
    return importing.import_tracking(request.raw_body, request.caller)


@routes.endpoint(
    "GET",
    "/v1/dispatches/{id}",
    summary="Read a dispatch",
    roles=("supplier", "operator"),
    answer=DispatchView,
)
def read_dispatch(request: Request, id: str) -> Dispatch:
    return service.dispatch_for(id, request.caller)


@routes.endpoint(
    "POST",
    "/v1/dispatches/{id}/accept",
    summary="Say that it will be shipped, or how much of it; the rest is refunded",
    roles=("supplier", "operator"),
    body=AcceptDispatch,
    answer=DispatchView,
    key="optional",
    errors={**MOVE_ERRORS, "already_accepted": 409, "more_than_is_left": 422},
)
def accept_dispatch(request: Request, id: str) -> Dispatch:
    sent: AcceptDispatch = request.body
    return answering.accept(
        id, units_of(sent.lines), sent.reason, request.caller, request.idempotency
    )


@routes.endpoint(
    "POST",
    "/v1/dispatches/{id}/reject",
    summary="Say that it will not be shipped, or how much of it; that is refunded",
    notes="Without an `Idempotency-Key` the same body again changes nothing; with another key it "
    "rejects the lines that it names once more.",
    roles=("supplier", "operator"),
    body=RejectDispatch,
    answer=DispatchView,
    key="optional",
    errors={**MOVE_ERRORS, "already_rejected": 409, "more_than_is_left": 422},
)
def reject_dispatch(request: Request, id: str) -> Dispatch:
    sent: RejectDispatch = request.body
    return answering.reject(
        id, units_of(sent.lines), sent.reason, request.caller, request.idempotency
    )


@routes.endpoint(
    "POST",
    "/v1/dispatches/{id}/ship",
    summary="Say that it is on its way, whole or in parcels",
    notes="Each call is a parcel. The dispatch is `shipped` from its first one on.",
    roles=("supplier", "operator"),
    body=ShipDispatch,
    answer=DispatchView,
    key="optional",
    errors={
        **MOVE_ERRORS,
        "already_shipped": 409,
        "too_many_parcels": 409,
        "more_than_is_left": 422,
    },
)
def ship_dispatch(request: Request, id: str) -> Dispatch:
    sent: ShipDispatch = request.body
    shipment = Shipment(sent.carrier, sent.tracking_number, units_of(sent.lines))
    return shipping.ship(id, shipment, request.caller, request.idempotency)


@routes.endpoint(
    "PATCH",
    "/v1/dispatches/{id}/parcels/{parcel_id}",
    summary="Correct the carrier or the tracking number of a parcel on its way",
    roles=("supplier", "operator"),
    body=CorrectParcel,
    answer=DispatchView,
    errors={"already_delivered": 409, "tracking_number_taken": 409},
)
def correct_parcel(request: Request, id: str, parcel_id: str) -> Dispatch:
    sent: CorrectParcel = request.body
    return shipping.correct(id, parcel_id, sent.carrier, sent.tracking_number, request.caller)


@routes.endpoint(
    "POST",
    "/v1/dispatches/{id}/deliver",
    summary="Say that all of its parcels have arrived; each side's share is posted",
    roles=("supplier", "operator", "leader"),
    body=DeliverDispatch,
    answer=DispatchView,
    key="optional",
    errors={**MOVE_ERRORS, "already_delivered": 409},
)
def deliver_dispatch(request: Request, id: str) -> DispatchView:
    show = partial(_shown_to, request.caller)
    recorder = request.recorder(show)
    return show(delivering.deliver(id, request.body.delivered_at, request.caller, recorder))


@routes.endpoint(
    "POST",
    "/v1/dispatches/{id}/parcels/{parcel_id}/deliver",
    summary="Say that one parcel has arrived; its share is posted",
    roles=("supplier", "operator", "leader"),
    body=DeliverDispatch,
    answer=DispatchView,
    key="optional",
    errors={"already_delivered": 409},
)
def deliver_parcel(request: Request, id: str, parcel_id: str) -> DispatchView:
    show = partial(_shown_to, request.caller)
    recorder = request.recorder(show)
    given = request.body.delivered_at
    return show(delivering.deliver_parcel(id, parcel_id, given, request.caller, recorder))


def _as_disputed(shown: Mapping[str, Any]) -> Mapping[str, Any]:
    """What people wrote, as the answer of that version showed it."""
    found = dispatches.get_dispute(shown["dispatch_id"], shown["id"])
    if found is None:
        raise LookupError(f"dispute {shown['id']} is not stored")
    return {"reason": found.reason, "note": None if shown["status"] == "open" else found.note}


WRITTEN_BY_PEOPLE = Unrecorded(("reason", "note"), _as_disputed)


@routes.endpoint(
    "POST",
    "/v1/dispatches/{id}/disputes",
    summary="Say, within the return window, that a delivery did not come as it was told",
    notes="What its supplier and its leader got by it is held until an operator has decided.",
    roles=("customer", "leader"),
    body=DisputeDelivery,
    answer=DisputeView,
    status=201,
    key="optional",
    unrecorded=WRITTEN_BY_PEOPLE,
    errors={
        "dispute_not_open": 409,
        "not_delivered": 409,
        "already_disputed": 409,
        "dispute_too_large": 422,
    },
)
def dispute_delivery(request: Request, id: str) -> Dispute:
    sent: DisputeDelivery = request.body
    return disputing.dispute(id, sent.parcel_id, sent.reason, request.caller, request.idempotency)


@routes.endpoint(
    "GET",
    "/v1/dispatches/{id}/disputes/{dispute_id}",
    summary="Read a dispute",
    roles=("operator", "leader", "customer", "supplier"),
    answer=DisputeView,
)
def read_dispute(request: Request, id: str, dispute_id: str) -> Dispute:
    return disputing.dispute_for(id, dispute_id, request.caller)


@routes.endpoint(
    "POST",
    "/v1/dispatches/{id}/disputes/{dispute_id}/resolve",
    summary="Uphold a dispute, which refunds the parcels, or dismiss it",
    roles=("operator",),
    body=ResolveDispute,
    answer=DisputeView,
    key="optional",
    unrecorded=WRITTEN_BY_PEOPLE,
    errors={"already_resolved": 409, "order_not_refundable": 409, "refund_too_large": 422},
)
def resolve_dispute(request: Request, id: str, dispute_id: str) -> Dispute:
    sent: ResolveDispute = request.body
    return disputing.resolve(id, dispute_id, sent.outcome, sent.note, request.idempotency)


@routes.endpoint(
    "POST",
    "/v1/dispatches/{id}/cancel",
    summary="Call it off before it ships; its lines are refunded, its units go back on sale",
    roles=("operator",),
    body=CancelDispatch,
    answer=DispatchView,
    key="optional",
    errors={**MOVE_ERRORS, "already_shipped": 409, "already_cancelled": 409},
)
def cancel_dispatch(request: Request, id: str) -> Dispatch:
    return calling_off.call_off(id, request.body.reason, request.caller, request.idempotency)


@routes.endpoint(
    "POST",
    "/v1/dispatches/{id}/fines/{clock}/waive",
    summary="Give back what a supplier was fined for a clock: accept, ship or deliver",
    roles=("operator",),
    body=WaiveFine,
    answer=DispatchView,
    key="optional",
    errors={"already_waived": 409},
)
def waive_fine(request: Request, id: str, clock: str) -> Dispatch:
    sent: WaiveFine = request.body
    return fines.waive(id, clock, sent.parcel_id, sent.reason, request.caller, request.idempotency)


@routes.endpoint(
    "POST",
    "/v1/orders/{id}/cancel",
    summary="Cancel an unpaid order, or as an operator one of which nothing has shipped",
    roles=("customer", "operator"),
    body=CancelOrder,
    answer=OrderView,
    key="optional",
    errors={"order_not_cancellable": 409, "payment_not_stopped": 503},
)
def cancel_order(request: Request, id: str) -> Order:
    return cancelling.cancel(id, request.body.reason, request.caller, request.idempotency)


@routes.endpoint(
    "POST",
    "/v1/orders/{id}/refunds",
    summary="Refund units of a paid order's lines, or an amount of it",
    roles=("operator",),
    body=RefundOrder,
    answer=RefundView,
    status=201,
    key="required",
    errors={"order_not_refundable": 409, "more_than_is_left": 422, "refund_too_large": 422},
)
def refund_order(request: Request, id: str) -> Refund:
    sent: RefundOrder = request.body
    restock: Restock = "all" if sent.restock else "none"
    asked = Asked(units_of(sent.lines) or {}, sent.amount, restock, cause=sent.cause)
    return refunding.refund(id, asked, sent.reason, request.idempotency)


def _shown_to(caller: Caller, dispatch: Dispatch) -> DispatchView:
    """The dispatch; what its supplier is paid, and fined, is nothing for a leader."""
    view = DispatchView.model_validate(dispatch)
    if caller.role == "leader":
        view.clocks = []
        for line in view.lines:
            line.unit_cost = None
    return view
