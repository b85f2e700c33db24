"""`/v1/after-sales`, and asking for it at an order."""

from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.aftersales import rules, service
from chalicelib.aftersales import store as aftersales
from chalicelib.aftersales.rules import AfterSales
from chalicelib.aftersales.schema import (
    AfterSalesQuery,
    AfterSalesView,
    AskAfterSales,
    DecideAfterSales,
    RespondAfterSales,
)
from chalicelib.aftersales.service import Wanted
from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Request, Unrecorded
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page

routes = Routes(__name__, tag="After-sales", authorizer=authorizer)


def _as_answered(shown: Mapping[str, Any]) -> Mapping[str, Any]:
    """What people wrote, as the answer of that version showed it."""
    request = aftersales.get_request(shown["id"])
    if request is None:
        raise LookupError(f"after-sales request {shown['id']} is not stored")
    suppliers = [line["supplier_id"] for line in shown["lines"]]
    steps = rules.steps_for(suppliers, request.steps[: shown["version"]])
    return {"reason": request.reason, "photos": request.photos, "steps": steps}


WRITTEN_BY_PEOPLE = Unrecorded(("reason", "photos", "steps"), _as_answered)


@routes.endpoint(
    "POST",
    "/v1/orders/{id}/after-sales",
    summary="Ask for the money of units that have shipped, within the return window",
    roles=("customer",),
    body=AskAfterSales,
    answer=AfterSalesView,
    status=201,
    key="optional",
    unrecorded=WRITTEN_BY_PEOPLE,
    errors={"after_sales_not_open": 409, "more_than_is_left": 422, "not_shipped": 422},
)
def ask_after_sales(request: Request, id: str) -> AfterSales:
    sent: AskAfterSales = request.body
    units = {line.sku_id: line.quantity for line in sent.lines}
    wanted = Wanted(units, sent.reason, tuple(sent.photos))
    return service.ask(id, wanted, request.caller, request.idempotency)


@routes.endpoint(
    "GET",
    "/v1/after-sales",
    summary="List requests: a customer its own, a leader its community's, a supplier those that "
    "concern it, an operator all",
    roles=("operator", "leader", "customer", "supplier"),
    query=AfterSalesQuery,
    answer=AfterSalesView,
    is_list=True,
)
def list_after_sales(request: Request) -> Page[AfterSales]:
    found = service.requests_for(request.caller, request.query.status, request.page)
    return found.map(_shown(request))


@routes.endpoint(
    "GET",
    "/v1/after-sales/{id}",
    summary="Read a request with every step of it",
    roles=("operator", "leader", "customer", "supplier"),
    answer=AfterSalesView,
)
def read_after_sales(request: Request, id: str) -> AfterSales:
    return service.request_for(id, request.caller).shown_to(request.caller)


@routes.endpoint(
    "POST",
    "/v1/after-sales/{id}/respond",
    summary="Say, as the leader or a supplier of the lines, whether you agree",
    roles=("leader", "supplier"),
    body=RespondAfterSales,
    answer=AfterSalesView,
    key="optional",
    unrecorded=WRITTEN_BY_PEOPLE,
    errors={"already_responded": 409, "already_decided": 409},
)
def respond_to_after_sales(request: Request, id: str) -> AfterSales:
    sent: RespondAfterSales = request.body
    show = _shown(request)
    recorder = request.recorder(show)
    return show(service.respond(id, sent.accept, sent.note, request.caller, recorder))


@routes.endpoint(
    "POST",
    "/v1/after-sales/{id}/decide",
    summary="Refund its units, or decline it",
    roles=("operator",),
    body=DecideAfterSales,
    answer=AfterSalesView,
    key="optional",
    unrecorded=WRITTEN_BY_PEOPLE,
    errors={
        "already_decided": 409,
        "units_already_refunded": 409,
        "refund_too_large": 422,
    },
)
def decide_after_sales(request: Request, id: str) -> AfterSales:
    sent: DecideAfterSales = request.body
    return service.decide(
        id, sent.refund, sent.note, request.caller, request.idempotency, sent.cause
    )


def _shown(request: Request) -> Callable[[AfterSales], AfterSales]:
    return lambda found: found.shown_to(request.caller)
