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
    role: str = Field(
        description="As what the leader earns it: `promoter`, which took the order, "
        "`pickup_point`, `hub`, or `upline_1` and `upline_2`, which invited it."
    )
    share_bps: int = Field(description="The role's part of what the rate brings.")
    plan_id: str = Field(description="Empty where the offer named its commission.")
    plan_version: int = Field(description="Of the plan, or of the campaign for an offer's own.")
    rule: str = Field(
        description="Which of the plan's rules, the most specific that fitted: `default`, or such "
        "as `sku:sku_...` and `category:eggs+level:gold`; `offer` is the offer's own commission."
    )
    day_cap: int | None = Field(
        description="What the leader may earn in this role under the rule on one day of delivery."
    )


class StatementView(StatementSummaryView):
    lines: list[EarnedLineView]
