"""Requests and answers about audits and leaders' totals."""

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.audit.rules import Phase
from chalicelib.ledger.checks import CheckName
from chalicelib.platform.schema import FIRST_YEAR, LAST_YEAR, Instant, PageQuery, RequestModel, View
from chalicelib.settlement.rules import LineKind


class StartAudit(RequestModel):
    whole: bool = Field(
        default=False,
        description="Look at all statements, runs and batches there have ever been, not only at "
        "those since an audit has found them right.",
    )


class FindingView(View):
    check: CheckName
    subject: str = Field(description="What it is about: an id, an account, a day, a currency.")
    detail: str
    amount: int | None = Field(description="By how much it is out, in the minor unit.")


class ReadView(View):
    """How many of each it has looked at; where all are 0, that nothing was found says nothing."""

    entries: int = Field(default=0, description="Journal entries until `through`.")
    balances: int = Field(default=0, description="Parties to whom anything was posted until then.")
    suppliers: int = Field(default=0, description="Those among them that are suppliers.")
    orders: int = 0
    leaders: int = 0
    runs: int = Field(default=0, description="Of settlement, with their leaders.")
    refunds: int = 0
    receipts: int = Field(default=0, description="Of money that came.")
    chargebacks: int = 0
    deposits: int = Field(default=0, description="What was received, returned and drawn of them.")
    remittances: int = Field(default=0, description="Of leaders, and of suppliers.")
    payouts: int = 0
    batches: int = 0
    reconciliations: int = 0


class RunningAuditView(View):
    id: str
    started_at: Instant
    phase: Phase = Field(description="What it looks at now.")
    percent: int = Field(description="Of its phases, those that are over.")
    read: ReadView
    findings: int = Field(description="What it has found so far.")


class AuditView(View):
    checked_at: Instant | None = Field(
        description="When the last audit was finished; null before the first."
    )
    through: Instant | None = Field(description="It looked at journal entries until then.")
    findings: list[FindingView]
    findings_total: int = Field(description="All there were; the first 1,000 are listed.")
    read: ReadView
    next_due_at: Instant = Field(description="When the next one starts by itself.")
    running: RunningAuditView | None = Field(description="The audit that is under way.")


class LeaderTotalsQuery(PageQuery):
    year: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)] = Field(
        description="Of the statements' business dates."
    )
    format: Literal["json", "csv"] = "json"


class LeaderYearQuery(RequestModel):
    year: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)] = Field(
        description="Of the statements' business dates."
    )


class LeaderTotalsView(View):
    leader_id: str
    name: str
    year: int
    currency: str
    statements: int = Field(description="How many there are of the year.")
    by_kind: dict[LineKind, int] = Field(description="The sums of their lines, in the minor unit.")
    earned: int = Field(
        description="All lines but payouts and netting: what was taken back or is held counts "
        "less, so a refund before a run and one after it leave the same."
    )
    paid_out: int
    total: int = Field(description="All lines together.")


class StatementTotalView(View):
    run_id: str
    business_date: str
    opening_balance: int
    total: int
    closing_balance: int


class MonthTotalsView(View):
    month: str
    statements: list[StatementTotalView] = Field(description="The oldest first.")
    by_kind: dict[LineKind, int]
    earned: int
    paid_out: int
    total: int = Field(description="What its statements come to.")


class LeaderYearView(LeaderTotalsView):
    months: list[MonthTotalsView] = Field(description="Those with statements; they are the year.")
