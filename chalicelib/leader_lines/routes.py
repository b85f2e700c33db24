"""The lines of leaders' statements, one by one."""

from chalicelib.leader_lines import service
from chalicelib.leader_lines.schema import (
    EntryExplainedView,
    LineExplainedView,
    PendingLineQuery,
)
from chalicelib.leader_lines.service import EntryExplained, LineExplained
from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Request
from chalicelib.platform.http_in import Routes

routes = Routes(__name__, tag="Settlement", authorizer=authorizer)


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/statements/{run_id}/lines/{n}",
    summary="Read how the amount of a statement's line was determined",
    notes="`n` counts the statement's lines from 1, in the order in which it lists them.",
    roles=("operator", "leader"),
    answer=LineExplainedView,
)
def explain_line(request: Request, id: str, run_id: str, n: str) -> LineExplained:
    return service.line(id, run_id, n, request.caller)


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/statements/open/lines/{n}",
    summary="Read how the amount of a line of the next statement was determined",
    notes="`n` counts the lines of the open statement from 1; with `matures_on` the pending lines "
    "of that day.",
    roles=("operator", "leader"),
    query=PendingLineQuery,
    answer=LineExplainedView,
)
def explain_open_line(request: Request, id: str, n: str) -> LineExplained:
    return service.open_line(id, n, request.caller, request.query.matures_on)


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/statements/open/entries/{entry_id}",
    summary="Read how the amounts of the lines were determined that an entry has brought",
    notes="Those of the next statement, and those that are pending, by the `entry_id` that each of "
    "them has.",
    roles=("operator", "leader"),
    answer=EntryExplainedView,
)
def explain_open_entry(request: Request, id: str, entry_id: str) -> EntryExplained:
    return service.open_entry(id, entry_id, request.caller)
