"""`/v1/ledger/audit`."""

from chalicelib.audit import reading, running
from chalicelib.audit.reading import Report
from chalicelib.audit.schema import AuditView
from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Also, Reply, Request
from chalicelib.platform.http_in import Routes

routes = Routes(__name__, tag="Ledger", authorizer=authorizer)


@routes.endpoint(
    "GET",
    "/v1/ledger/audit",
    summary="Read what the last audit of the books has found",
    roles=("operator",),
    answer=AuditView,
)
def read_audit(request: Request) -> Report:
    return reading.report()


@routes.endpoint(
    "POST",
    "/v1/ledger/audit",
    summary="Start an audit of the books; while one is under way, 200 with that",
    notes="It begins within a minute. Each night one starts by itself.",
    roles=("operator",),
    answer=AuditView,
    status=202,
    key="optional",
    also=Also(statuses={200: "One was under way."}),
)
def start_audit(request: Request) -> Reply:
    _, is_new = running.start()
    return Reply(reading.report(), status=202 if is_new else 200)
