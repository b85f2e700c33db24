"""`/v1/leaders/{id}/leave`."""

from chalicelib.leaving import service
from chalicelib.leaving.rules import Leaving
from chalicelib.leaving.schema import LeaveTeam, LeavingView
from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Request
from chalicelib.platform.http_in import Routes

routes = Routes(__name__, tag="Settlement", authorizer=authorizer)


@routes.endpoint(
    "POST",
    "/v1/leaders/{id}/leave",
    summary="Let a leader leave",
    notes="It takes no more orders at once, and has no part in new ones of other leaders. Once its "
    "orders are over, with their return windows, and those that it has a part in, the run has "
    "settled the last commission and a batch has paid it, whatever its minimum, it is `left`. "
    "Until nothing but the payout is waited for, batches leave it out; "
    "where it owes, then or later, a case says how much. Asked for again it changes nothing, but a "
    "reason that was left out is kept; another reason is refused.",
    roles=("operator", "leader"),
    body=LeaveTeam,
    answer=LeavingView,
    key="optional",
    errors={"already_leaving": 409},
)
def leave(request: Request, id: str) -> Leaving:
    return service.leave(id, request.body.reason, request.caller, request.idempotency)


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/leave",
    summary="Read how far a leader's leaving is, and what it waits for",
    roles=("operator", "leader"),
    answer=LeavingView,
)
def read_leaving(request: Request, id: str) -> Leaving:
    return service.leaving_of(id, request.caller)


@routes.endpoint(
    "POST",
    "/v1/leaders/{id}/leave/cancel",
    summary="Let a leader that is leaving stay",
    roles=("operator", "leader"),
    answer=LeavingView,
    key="optional",
    errors={"already_left": 409},
)
def stay(request: Request, id: str) -> Leaving:
    return service.stay(id, request.caller, request.idempotency)
