"""Requests and answers about settlement."""

from pydantic import Field

from chalicelib.platform.schema import BusinessDate, Instant, RequestModel, View
from chalicelib.settlement.rules import LineKind, RunStatus


class StartRun(RequestModel):
    business_date: BusinessDate


class TotalView(View):
    currency: str
    amount: int


class RunView(View):
    id: str
    business_date: str
    status: RunStatus
    leaders_total: int
    leaders_settled: int
    totals: list[TotalView] = Field(
        description="What the run made available, once it is completed."
    )
    started_at: Instant
    completed_at: Instant | None


class BalanceView(View):
    currency: str
    estimated: int = Field(description="What paid, undelivered lines will bring.")
    pending: int = Field(description="Delivered, not yet taken by a run.")
    available: int = Field(description="Taken by runs; below zero after a clawback.")
    collected: int = Field(
        description="Cash the leader took for the platform and owes it; below zero where it has "
        "handed back to customers what it had remitted."
    )
    credit_limit: int | None = Field(
        description="How much of it the leader may hold; null where there is no limit."
    )
    in_payout: int
    paid_out: int


class StatementSummaryView(View):
    run_id: str
    business_date: str
    currency: str
    opening_balance: int
    total: int
    closing_balance: int


class EarnedLineView(View):
    order_id: str
    sku_id: str
    kind: LineKind
    basis: str
    basis_amount: int
    rate_bps: int
    amount: int
    matured_on: str


class StatementView(StatementSummaryView):
    lines: list[EarnedLineView]
