"""`/v1/dispatches`, and what ends a paid order: cancelling and refunding."""

from functools import partial
from types import SimpleNamespace
from typing import Any

from chalicelib.dispatch import cancelling, exporting, feed, importing, refunding, service
from chalicelib.dispatch.exporting import Wanted
from chalicelib.dispatch.importing import Imported
from chalicelib.dispatch.refunding import Asked
from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.schema import (
    AcceptDispatch,
    DeliverDispatch,
    DispatchView,
    ExportQuery,
    FeedQuery,
    FeedView,
    RefundOrder,
    RejectDispatch,
    ShipDispatch,
    TrackingImportedView,
)
from chalicelib.kernel.callers import Caller
from chalicelib.ordering.rules import Order
from chalicelib.ordering.schema import CancelOrder, OrderView
from chalicelib.parties.authorizer import authorizer
from chalicelib.payments.rules import Refund
from chalicelib.payments.schema import RefundView
from chalicelib.platform import pages, sheets
from chalicelib.platform.endpoints import Also, Reply, Request
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
    found = feed.read(request.caller, sent.status, sent.updated_since, page.after, page.limit)
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
)
def export_dispatches(request: Request) -> Reply:
    sent: ExportQuery = request.query
    lines, purchase = exporting.export(Wanted(sent.supplier_id, sent.cycle), request.caller)
    asked = (purchase, lines) if sent.list == "purchase" else (lines, purchase)
    name = f"{asked[0].name.lower().replace(' ', '-')}.{sent.format}"
    headers = {
        "Content-Type": sheets.MEDIA_TYPES[sent.format],
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return Reply(None, headers=headers, text=sheets.written(asked, sent.format))


@routes.endpoint(
    "POST",
    "/v1/dispatches/import",
    summary="Ship many dispatches from a file of tracking numbers",
    notes="CSV in UTF-8 or XLSX with the columns `dispatch_id`, `carrier` and `tracking_number`; "
    "those of an export may stand beside them. A row that is wrong holds back no other, and a "
    "file that comes again changes nothing.",
    roles=("supplier", "operator"),
    takes="text/csv",
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
    summary="Say that it will be shipped",
    roles=("supplier", "operator"),
    body=AcceptDispatch,
    answer=DispatchView,
    key="optional",
    errors=MOVE_ERRORS,
)
def accept_dispatch(request: Request, id: str) -> Dispatch:
    return service.accept(id, request.caller, request.idempotency)


@routes.endpoint(
    "POST",
    "/v1/dispatches/{id}/reject",
    summary="Say that it will not be shipped; its lines are refunded",
    roles=("supplier", "operator"),
    body=RejectDispatch,
    answer=DispatchView,
    key="optional",
    errors={**MOVE_ERRORS, "already_rejected": 409},
)
def reject_dispatch(request: Request, id: str) -> Dispatch:
    return service.reject(id, request.body.reason, request.caller, request.idempotency)


@routes.endpoint(
    "POST",
    "/v1/dispatches/{id}/ship",
    summary="Say that it is on its way",
    roles=("supplier", "operator"),
    body=ShipDispatch,
    answer=DispatchView,
    key="optional",
    errors={**MOVE_ERRORS, "already_shipped": 409},
)
def ship_dispatch(request: Request, id: str) -> Dispatch:
    sent: ShipDispatch = request.body
    return service.ship(id, sent.carrier, sent.tracking_number, request.caller, request.idempotency)


@routes.endpoint(
    "POST",
    "/v1/dispatches/{id}/deliver",
    summary="Say that it has arrived; each side's share is posted",
    roles=("supplier", "operator", "leader"),
    body=DeliverDispatch,
    answer=DispatchView,
    key="optional",
    errors={**MOVE_ERRORS, "already_delivered": 409},
)
def deliver_dispatch(request: Request, id: str) -> DispatchView:
    show = partial(_shown_to, request.caller)
    recorder = request.recorder(show)
    return show(service.deliver(id, request.body.delivered_at, request.caller, recorder))


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
    units = {line.sku_id: line.quantity for line in sent.lines or ()}
    asked = Asked(units, sent.amount, "all" if sent.restock else "none")
    return refunding.refund(id, asked, sent.reason, request.idempotency)


def _shown_to(caller: Caller, dispatch: Dispatch) -> DispatchView:
    """The dispatch; what its supplier is paid is nothing for a leader."""
    view = DispatchView.model_validate(dispatch)
    if caller.role == "leader":
        for line in view.lines:
            line.unit_cost = None
    return view
