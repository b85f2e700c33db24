"""`/v1/ledger/audit`, closing periods, and leaders' totals."""

from typing import Any

from chalicelib.audit import closing, leader_totals, reading, starting
from chalicelib.audit.leader_totals import LeaderYear
from chalicelib.audit.reading import Report
from chalicelib.audit.schema import (
    AuditView,
    LeaderTotalsQuery,
    LeaderTotalsView,
    LeaderYearQuery,
    LeaderYearView,
    StartAudit,
)
from chalicelib.ledger.periods import Period
from chalicelib.ledger.schema import ClosedPeriodView
from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Also, Reply, Request
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import cursor

routes = Routes(__name__, tag="Ledger", authorizer=authorizer)

CSV = "text/csv; charset=utf-8"
NEXT = "X-Next-Cursor"


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
    body=StartAudit,
    answer=AuditView,
    status=202,
    key="optional",
    also=Also(statuses={200: "One was under way."}),
)
def start_audit(request: Request) -> Reply:
    _, is_new = starting.start(whole=request.body.whole)
    return Reply(reading.report(), status=202 if is_new else 200)


@routes.endpoint(
    "POST",
    "/v1/ledger/periods/{month}/close",
    summary="Close a month of the books; once more answers 200 with the same",
    notes="`month` is written 2026-03. The last audit must reach the month's end and have no "
    "findings, and no earlier month that has entries is open. What happened in it and is told "
    "later is dated into the open month, and its journal entry says so in `belongs_to`.",
    roles=("operator",),
    answer=ClosedPeriodView,
    status=201,
    key="optional",
    errors={
        "period_not_over": 409,
        "audit_outdated": 409,
        "audit_not_clean": 409,
        "earlier_month_open": 409,
    },
    also=Also(statuses={200: "It was closed before."}),
)
def close_period(request: Request, month: str) -> Reply:
    def reply(period: Period) -> Reply:
        return Reply(period, status=201)

    period, is_new = closing.close(month, request.caller.id, request.recorder(reply))
    return Reply(period, status=201 if is_new else 200)


@routes.endpoint(
    "GET",
    "/v1/ledger/leader-totals",
    summary="What leaders' statements of a year come to, for tax forms",
    notes="As CSV it is the same page of leaders; `X-Next-Cursor` names the next one.",
    roles=("operator",),
    query=LeaderTotalsQuery,
    answer=LeaderTotalsView,
    is_list=True,
    also=Also(media_types=(CSV,), gives={NEXT: "The `cursor` of the next page, of a CSV file."}),
)
def read_leader_totals(request: Request) -> Any:
    found = leader_totals.page_of(request.query.year, request.page)
    if request.query.format != "csv":
        return found
    following = cursor(request.scope, found.next_after)
    more = {NEXT: following} if following else {}
    text = leader_totals.as_csv(found)
    return Reply(None, headers={"Content-Type": CSV, **more}, text=text)


@routes.endpoint(
    "GET",
    "/v1/ledger/leader-totals/{leader_id}",
    summary="A leader's year by month, with the statements that each month is the sum of",
    notes="`GET /v1/leaders/{id}/statements/{run_id}` has a statement's lines.",
    roles=("operator",),
    query=LeaderYearQuery,
    answer=LeaderYearView,
)
def read_leader_year(request: Request, leader_id: str) -> LeaderYear:
    return leader_totals.of_leader(leader_id, request.query.year)
