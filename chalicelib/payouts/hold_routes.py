"""`/v1/leaders/{id}/payout-hold`, `/v1/suppliers/{id}/payout-hold`."""

from chalicelib.parties.authorizer import authorizer
from chalicelib.payouts import holds
from chalicelib.payouts.rules import Hold, Party
from chalicelib.payouts.schema import HoldView
from chalicelib.platform.endpoints import Request
from chalicelib.platform.http_in import Routes

routes = Routes(__name__, tag="Payouts", authorizer=authorizer)

NOTES = (
    "Where a payout came back, batches leave its payee out with the reason `returned` until its "
    "account is set to another one, or this is lifted. 404 where none has come back from the "
    "account that is set."
)
LIFTED = "Say so where the account is right all the same. Said again it changes nothing."


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/payout-hold",
    summary="Read whether a leader is sent nothing, since a payout came back",
    notes=NOTES,
    roles=("operator", "leader"),
    answer=HoldView,
)
def read_leader_hold(request: Request, id: str) -> Hold:
    return holds.hold_of(Party("leader", id), request.caller)


@routes.endpoint(
    "POST",
    "/v1/leaders/{id}/payout-hold/lift",
    summary="Let a leader be sent something again to where a payout came back from",
    notes=LIFTED,
    roles=("operator",),
    answer=HoldView,
    key="optional",
)
def lift_leader_hold(request: Request, id: str) -> Hold:
    return holds.lift(Party("leader", id), request.caller, request.idempotency)


@routes.endpoint(
    "GET",
    "/v1/suppliers/{id}/payout-hold",
    summary="Read whether a supplier is sent nothing, since a payout came back",
    notes=NOTES,
    roles=("operator", "supplier"),
    answer=HoldView,
)
def read_supplier_hold(request: Request, id: str) -> Hold:
    return holds.hold_of(Party("supplier", id), request.caller)


@routes.endpoint(
    "POST",
    "/v1/suppliers/{id}/payout-hold/lift",
    summary="Let a supplier be sent something again to where a payout came back from",
    notes=LIFTED,
    roles=("operator",),
    answer=HoldView,
    key="optional",
)
def lift_supplier_hold(request: Request, id: str) -> Hold:
    return holds.lift(Party("supplier", id), request.caller, request.idempotency)
