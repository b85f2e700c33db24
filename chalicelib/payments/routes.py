"""`/v1/refunds`."""

from chalicelib.parties.authorizer import authorizer
from chalicelib.payments import refunds
from chalicelib.payments.rules import Refund
from chalicelib.payments.schema import RefundView
from chalicelib.platform.endpoints import Request
from chalicelib.platform.http_in import Routes

routes = Routes(__name__, tag="Payments", authorizer=authorizer)


@routes.endpoint(
    "GET",
    "/v1/refunds/{id}",
    summary="Read a refund",
    roles=("operator", "leader"),
    answer=RefundView,
)
def read_refund(request: Request, id: str) -> Refund:
    return refunds.refund_for(id, request.caller)


@routes.endpoint(
    "POST",
    "/v1/refunds/{id}/confirm",
    summary="Say that collected cash has been handed back",
    roles=("operator", "leader"),
    answer=RefundView,
    key="optional",
    errors={"not_leader_collect": 409},
)
def confirm_refund(request: Request, id: str) -> Refund:
    return refunds.confirm(id, request.caller, request.idempotency)
