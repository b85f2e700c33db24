"""`/v1/settlement-runs`, and a leader's balance and statements."""

from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Also, Reply, Request
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page
from chalicelib.settlement import runs, statements
from chalicelib.settlement import store as settlement
from chalicelib.settlement.rules import Run, Statement
from chalicelib.settlement.runs import Started
from chalicelib.settlement.schema import (
    BalanceView,
    RunView,
    StartRun,
    StatementSummaryView,
    StatementView,
)
from chalicelib.settlement.statements import Balance

routes = Routes(__name__, tag="Settlement", authorizer=authorizer)

CSV = "text/csv; charset=utf-8"


@routes.endpoint(
    "POST",
    "/v1/settlement-runs",
    summary="Settle a business date; the same date again answers 200 with the same run",
    notes="A run takes all commission that has matured by its date and was not taken before, "
    "however late it came. Commission matures `CommissionHoldDays` after its delivery; what is "
    "delivered on a day that was settled already waits for the next day's run. The day before is "
    "settled each night by itself.",
    roles=("operator",),
    body=StartRun,
    answer=RunView,
    status=202,
    key="optional",
    errors={"settlement_run_in_progress": 409},
    also=Also(statuses={200: "The run of that date, which was started before."}),
)
def start_run(request: Request) -> Reply:
    return _reply(runs.start(request.body.business_date, request.recorder(_reply)))


def _reply(started: Started) -> Reply:
    return Reply(started.run, status=202 if started.is_new else 200)


@routes.endpoint(
    "GET",
    "/v1/settlement-runs",
    summary="List settlement runs",
    roles=("operator",),
    answer=RunView,
    is_list=True,
)
def list_runs(request: Request) -> Page[Run]:
    return settlement.runs(request.page)


@routes.endpoint(
    "GET",
    "/v1/settlement-runs/{id}",
    summary="Read a settlement run and how far it is",
    roles=("operator",),
    answer=RunView,
)
def read_run(request: Request, id: str) -> Run:
    return runs.run_of(id)


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/balance",
    summary="Read what a leader has coming",
    roles=("operator", "leader"),
    answer=BalanceView,
)
def read_balance(request: Request, id: str) -> Balance:
    return statements.balance(id, request.caller)


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/statements",
    summary="List a leader's statements",
    roles=("operator", "leader"),
    answer=StatementSummaryView,
    is_list=True,
)
def list_statements(request: Request, id: str) -> Page[Statement]:
    return statements.statements_of(id, request.caller, request.page)


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/statements/{run_id}",
    summary="Read a statement with its lines, as JSON or as text/csv",
    roles=("operator", "leader"),
    answer=StatementView,
    also=Also(media_types=(CSV,), takes={"Accept": "`text/csv` for the lines as a table."}),
)
def read_statement(request: Request, id: str, run_id: str) -> Reply:
    statement = statements.statement(id, run_id, request.caller)
    if "text/csv" in request.headers.get("accept", ""):
        return Reply(
            None,
            headers={"Content-Type": CSV},
            text=statements.as_csv(statement),
        )
    return Reply(statement)
