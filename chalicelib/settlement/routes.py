"""`/v1/settlement-runs`, and a leader's balance and statements."""

from chalicelib.parties.authorizer import authorizer
from chalicelib.platform.endpoints import Also, Reply, Request
from chalicelib.platform.http_in import Routes
from chalicelib.platform.pages import Page
from chalicelib.settlement import adjustments, bonuses, runs, statements
from chalicelib.settlement.adjustments import Adjusted, Wanted
from chalicelib.settlement.bonuses import Given
from chalicelib.settlement.open_statements import OpenStatement, open_statement
from chalicelib.settlement.rules import Adjustment, Bonus, LeaderOfRun, Progress, Statement
from chalicelib.settlement.runs import Started
from chalicelib.settlement.schema import (
    AdjustLeader,
    BalanceView,
    BonusView,
    GiveBonus,
    LeaderAdjustmentView,
    LeaderOfRunView,
    LeadersQuery,
    OpenStatementQuery,
    OpenStatementView,
    RunsQuery,
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
    "settled each night by itself. A `dry_run` is a new one each time, and is read like a run.",
    roles=("operator",),
    body=StartRun,
    answer=RunView,
    status=202,
    key="optional",
    errors={"settlement_run_in_progress": 409},
    also=Also(statuses={200: "The run of that date, which was started before."}),
)
def start_run(request: Request) -> Reply:
    start = runs.start_dry if request.body.dry_run else runs.start
    return _reply(start(request.body.business_date, request.recorder(_reply)))


def _reply(started: Started) -> Reply:
    return Reply(started.run, status=202 if started.is_new else 200)


@routes.endpoint(
    "GET",
    "/v1/settlement-runs",
    summary="List settlement runs",
    roles=("operator",),
    query=RunsQuery,
    answer=RunView,
    is_list=True,
)
def list_runs(request: Request) -> Page[Progress]:
    return runs.runs(request.page, dry=request.query.dry_run)


@routes.endpoint(
    "GET",
    "/v1/settlement-runs/{id}",
    summary="Read a settlement run and how far it is",
    roles=("operator",),
    answer=RunView,
)
def read_run(request: Request, id: str) -> Progress:
    return runs.run_of(id)


@routes.endpoint(
    "GET",
    "/v1/settlement-runs/{id}/leaders",
    summary="List what a run came to for each leader it is done with",
    roles=("operator",),
    query=LeadersQuery,
    answer=LeaderOfRunView,
    is_list=True,
)
def list_leaders_of_run(request: Request, id: str) -> Page[LeaderOfRun]:
    return runs.leaders_of(id, request.page, set_aside=request.query.status == "set_aside")


@routes.endpoint(
    "POST",
    "/v1/settlement-runs/{id}/leaders/{leader_id}/retry",
    summary="Settle a leader whom a completed run has set aside; once more answers 200",
    notes="The leader is settled in a moment, as the run would have: the same statement, and the "
    "run counts it. The next night does so by itself.",
    roles=("operator",),
    answer=LeaderOfRunView,
    status=202,
    key="optional",
    errors={"settlement_run_in_progress": 409},
    also=Also(statuses={200: "It has been settled since."}),
)
def retry_leader(request: Request, id: str, leader_id: str) -> Reply:
    retried = runs.retry(id, leader_id)
    return Reply(retried.leader, status=202 if retried.is_asked else 200)


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
    notes="Of a dry run it is what its statement would have been, for operators alone and for 90 "
    "days.",
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


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/statements/open",
    summary="Read the next statement as it stands: what the balance has moved by since the last",
    notes="`balance` is `opening_balance` and its lines. What is pending is told apart, by the day "
    "whose run makes it available.",
    roles=("operator", "leader"),
    query=OpenStatementQuery,
    answer=OpenStatementView,
)
def read_open_statement(request: Request, id: str) -> OpenStatement:
    return open_statement(id, request.caller, request.query.matures_on)


@routes.endpoint(
    "POST",
    "/v1/leaders/{id}/bonuses",
    summary="Give a leader a bonus for a task",
    notes="The platform pays it. It matures as commission does that is delivered today, and is a "
    "line `bonus` of the statement. The same again with the same reference answers 200.",
    roles=("operator",),
    body=GiveBonus,
    answer=BonusView,
    status=201,
    key="required",
    errors={"reference_reused": 409},
    also=Also(statuses={200: "The bonus of that reference, which was given before."}),
)
def give_bonus(request: Request, id: str) -> Reply:
    sent: GiveBonus = request.body
    recorder = request.recorder(_bonus_reply)
    given = bonuses.give(id, sent.task, sent.amount, sent.reference, request.caller, recorder)
    return _bonus_reply(given)


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/bonuses",
    summary="List what a leader was given beside its commission",
    roles=("operator", "leader"),
    answer=BonusView,
    is_list=True,
)
def list_bonuses(request: Request, id: str) -> Page[Bonus]:
    return bonuses.bonuses_of(id, request.caller, request.page)


def _bonus_reply(given: Given) -> Reply:
    return Reply(given.bonus, status=201 if given.is_new else 200)


@routes.endpoint(
    "POST",
    "/v1/leaders/{id}/adjustments",
    summary="Correct what a leader has available",
    notes="Such as a bonus that was given by mistake. What the leader gains the platform loses, or "
    "the other way round; what is available may fall below zero. It is a line `adjustment` of the "
    "next statement. The same again with the same reference answers 200.",
    roles=("operator",),
    body=AdjustLeader,
    answer=LeaderAdjustmentView,
    status=201,
    key="required",
    errors={"reference_reused": 409, "currency_mismatch": 422},
    also=Also(statuses={200: "The adjustment of that reference, which was made before."}),
)
def adjust_leader(request: Request, id: str) -> Reply:
    sent: AdjustLeader = request.body
    wanted = Wanted(sent.amount, sent.currency, sent.reason, sent.reference)
    recorder = request.recorder(_adjustment_reply)
    return _adjustment_reply(adjustments.adjust(id, wanted, request.caller, recorder))


def _adjustment_reply(adjusted: Adjusted) -> Reply:
    return Reply(adjusted.adjustment, status=201 if adjusted.is_new else 200)


@routes.endpoint(
    "GET",
    "/v1/leaders/{id}/adjustments",
    summary="List what was adjusted of a leader",
    roles=("operator", "leader"),
    answer=LeaderAdjustmentView,
    is_list=True,
)
def list_leader_adjustments(request: Request, id: str) -> Page[Adjustment]:
    return adjustments.adjustments_of(id, request.caller, request.page)
