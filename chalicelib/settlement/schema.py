"""Requests and answers about settlement."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from chalicelib.platform.schema import (
    MAX_AMOUNT,
    BusinessDate,
    Currency,
    Instant,
    OrNull,
    PageQuery,
    PositiveAmount,
    Reference,
    RequestModel,
    ShortText,
    View,
)
from chalicelib.settlement.rules import BonusKind, LeaderStatus, LineKind, RunStatus, Task


def _not_nothing(amount: int) -> int:
    if not amount:
        raise ValueError("must not be 0")
    return amount


class StartRun(RequestModel):
    business_date: BusinessDate
    dry_run: bool = Field(
        default=False,
        description="Only work out what the run would come to: it gets an id of its own, posts "
        "nothing, and the date can still be run.",
    )


class RunsQuery(PageQuery):
    dry_run: bool = Field(default=False, description="List dry runs instead.", strict=False)


class LeadersQuery(PageQuery):
    status: Literal["set_aside"] | None = Field(
        default=None, description="Only those that the run has set aside and not settled since."
    )


class TotalView(View):
    currency: str
    amount: int


class RunView(View):
    id: str
    business_date: str
    status: RunStatus
    dry_run: bool
    leaders_total: int = Field(description="Fixed once all are listed; until then, so far.")
    leaders_settled: int
    leaders_set_aside: int = Field(
        description="Leaders who could not be settled and are settled later; each has a case."
    )
    leaders_left: int
    percent: int | None = Field(description="Null until all leaders are listed.")
    leaders_per_second: float | None
    estimated_completion: Instant | None = Field(
        description="By the rate so far; null until all leaders are listed, and at the end."
    )
    totals: list[TotalView] = Field(
        description="What the run made available, once it is completed."
    )
    started_at: Instant
    completed_at: Instant | None


class LeaderOfRunView(View):
    leader_id: str
    status: LeaderStatus
    currency: str | None = Field(description="Null where nothing has matured.")
    amount: int = Field(description="What was made available.")
    opening_balance: int
    total: int = Field(description="What the statement comes to, clawbacks and payouts included.")
    closing_balance: int
    failures: int = Field(description="How often settling failed, where it is set aside.")
    cause: str | None = Field(description="The last failure: its kind and its place.")
    set_aside_at: Instant | None


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
    previous_run_id: OrNull[str] = Field(
        description="The run of the statement before, which closes where this one opens; null "
        "for the first."
    )


class EarnedLineView(View):
    order_id: OrNull[str] = Field(description="Null where it comes of no order.")
    sku_id: OrNull[str]
    title: OrNull[str] = Field(description="What was sold; null where nothing was.")
    kind: LineKind
    basis: OrNull[str] = Field(
        description="Null for payouts, which are no part of anything: so are all that say of what "
        "a line is a part."
    )
    basis_amount: int | None
    rate_bps: int | None
    amount: int
    matured_on: str
    role: str | None = Field(
        description="As what the leader earns it: `promoter`, which took the order, "
        "`pickup_point`, `hub`, or `upline_1` and `upline_2`, which invited it."
    )
    share_bps: int | None = Field(description="The role's part of what the rate brings.")
    plan_id: OrNull[str] = Field(description="Null where the offer named its commission.")
    plan_version: int | None = Field(description="Null where there is no plan.")
    rule: OrNull[str] = Field(
        description="Which of the plan's rules, the most specific that fitted: `default`, or such "
        "as `sku:sku_...` and `category:eggs+level:gold`; `offer` is the offer's own commission."
    )
    entry_id: OrNull[str] = Field(
        description="The journal entry that posted it; null for older lines."
    )
    day_cap: int | None = Field(
        description="What the leader may earn in this role under the rule on one day of delivery."
    )
    delivered_on: OrNull[str] = Field(description="The delivery day, where it is capped.")
    borne_by: OrNull[str] = Field(
        description="The account that pays what is kept of a refund, or for which a cap withholds "
        "of it; null where it is the platform's revenue."
    )
    voided_by: list[str] = Field(
        description="The entries of refunds that have taken of it before a run could."
    )

    @field_validator("basis_amount", "rate_bps", "role", "share_bps", mode="before")
    @classmethod
    def _is_of_a_basis(cls, value: object, said: ValidationInfo) -> object:
        return value if said.data.get("basis") else None

    @field_validator("plan_version", mode="before")
    @classmethod
    def _is_of_a_plan(cls, version: int | None, said: ValidationInfo) -> int | None:
        return version if said.data.get("plan_id") else None


class StatementView(StatementSummaryView):
    lines: list[EarnedLineView]


class PendingDayView(View):
    matures_on: str = Field(description="The business date whose run makes it available.")
    amount: int = Field(description="Before daily caps.")


class OpenStatementQuery(RequestModel):
    matures_on: BusinessDate | None = Field(
        default=None, description="The day whose pending lines are listed as well."
    )


class OpenLineView(EarnedLineView):
    posted_at: Instant | None = Field(
        description="When its entry was posted; null for older lines."
    )


class OpenStatementView(View):
    currency: str
    previous_run_id: OrNull[str] = Field(
        description="The run of the last statement, which closes where this one opens; null before "
        "the first."
    )
    opening_balance: int
    total: int = Field(description="What the lines add up to.")
    balance: int = Field(description="What is available now.")
    lines: list[OpenLineView] = Field(
        description="What was posted to the available balance since the last statement, in the "
        "order of posting: what comes later stands behind."
    )
    pending: list[PendingDayView] = Field(description="What is not in the balance yet, by day.")
    held: int = Field(description="What is pending and matures on no day, since it is disputed.")
    pending_lines: list[OpenLineView] | None = Field(
        description="Those of the day in `matures_on`, in that order; null where none is named."
    )
    as_of: Instant


class GiveBonus(RequestModel):
    task: Task = Field(
        description="What the leader has done. None of these is bringing people to join: no bonus "
        "is tied to what anybody pays for that."
    )
    amount: PositiveAmount
    reference: Reference = Field(description="What tells it from the next one for the leader.")


class AdjustLeader(RequestModel):
    amount: Annotated[
        int,
        Field(
            ge=-MAX_AMOUNT,
            le=MAX_AMOUNT,
            description="In the minor unit and in the leader's favour; below zero to take it.",
        ),
        AfterValidator(_not_nothing),
    ]
    currency: Currency | None = Field(default=None, description="The leader's, if it is named.")
    reason: ShortText
    reference: Reference = Field(description="What tells it from the next one for the leader.")


class LeaderAdjustmentView(View):
    id: str
    leader_id: str
    amount: int
    currency: str
    reason: str
    reference: str
    entry_id: str
    made_at: Instant
    made_by: str


class BonusView(View):
    id: str
    leader_id: str
    kind: BonusKind
    task: OrNull[str] = Field(description="Null for what a plan promises.")
    reference: str = Field(
        description="An operator's own of a task; else the order that was the customer's first, or "
        "the campaign."
    )
    amount: int
    currency: str
    threshold: int | None = Field(description="What the campaign's total had to reach.")
    order_id: OrNull[str] = Field(description="Whose delivery brought it; null for a task.")
    plan_version: OrNull[int] = Field(description="Of the plan that promises it; null for a task.")
    matures_on: str
    given_at: Instant
    given_by: str = Field(description="The operator, or the plan.")
    times: int = Field(description="How often it was given, where it was taken back between.")
    taken_back_at: Instant | None = Field(description="Null while it stands.")
    taken_back_by: str | None = Field(description="The refund that took it back.")
