"""Answers about the lines of statements."""

from pydantic import Field

from chalicelib.leader_lines.rules import StepName
from chalicelib.payouts.rules import Outcome
from chalicelib.platform.schema import BusinessDate, Instant, OrNull, RequestModel, View
from chalicelib.settlement.rules import Method
from chalicelib.settlement.schema import EarnedLineView


class PendingLineQuery(RequestModel):
    matures_on: BusinessDate | None = Field(
        default=None, description="The day of whose pending lines it is one."
    )


class PortionView(View):
    of: str = Field(
        description="A role, where commission is divided; a SKU, under an order's cap; how many "
        "units were left, of a part of a line."
    )
    exact: str
    amount: int
    weight: str | None = Field(
        description="Of a role: the basis points of the base that it has, its rate by its share."
    )
    of_weight: str | None = Field(
        description="Those of all roles together, with uplines on top: of what is divided a role "
        "has `weight` parts of `of_weight`."
    )


class StepView(View):
    name: StepName = Field(
        description="`rate`: of the whole line's base, with what uplines have, rounded half up; "
        "`floor`, `cap`: what the rule bounds a line by; `order_cap`: what it bounds the order's "
        "lines by, divided by largest remainder; `division`: what the step before leaves, rounded, "
        "is divided between roles by their weights, by largest remainder; "
        "`units`: of a part of the line, what the rounded amount changed by with it."
    )
    amount: int | None = Field(
        description="What the step leaves; null for a leader where it is of the whole line and "
        "others have a part in that."
    )
    exact: str | None = Field(description="The same before rounding.")
    bound: int | None = Field(description="The cap or floor.")
    portions: list[PortionView] = Field(
        description="All that is divided, and for a leader its own part alone where others have "
        "theirs; of `units` what was left before them, and after them."
    )


class RoundingView(View):
    exact: str = Field(
        description="The rate of the basis in the minor unit before rounding, as a whole number "
        "or a fraction such as 999/10."
    )
    method: Method = Field(
        description="`none`: it is whole; `half_up`; `largest_remainder`: a role's share of it; "
        "`by_difference`: a part of an order line is what the whole line's rounded amount changed "
        "by; `limited`: a cap or floor of the plan."
    )
    steps: list[StepView] = Field(
        description="From the rate of the order's whole line to the amount; none where the line is "
        "no part of what was sold."
    )


class PostingView(View):
    account: str
    amount: int


class EntryView(View):
    id: str
    posted_at: Instant
    postings: list[PostingView] = Field(
        description="Those that touch the leader; debit is positive."
    )


class SoldView(View):
    units: int
    net: int = Field(description="What was paid for them, without tax, shipping and the spread.")
    spread: int | None = Field(
        description="What the order's leader asked above the offer's price, which is a line of its "
        "own; null for whoever has another role."
    )
    cost: int = Field(description="The cost that was agreed when the order was placed.")


class CapOriginView(View):
    came_to: int = Field(
        description="What runs have taken of the day under the rule, with this one."
    )
    day_cap: int
    withheld_before: int = Field(description="What was withheld of the day before this run.")
    withheld: int = Field(
        description="And is with it: what the day came to beyond the cap; of a day some of which "
        "others bear, that of `borne_by`."
    )


class CampaignOriginView(View):
    campaign_id: str
    threshold: int
    total_now: int = Field(
        description="What the leader's orders of the campaign come to as they stand now; it had "
        "reached the threshold with the delivery of `order_id`."
    )


class PayoutOfLineView(View):
    id: str
    batch_id: str
    amount: int = Field(description="What was sent.")
    netted: int = Field(
        description="Of what it had coming, what has paid cash that it had collected; below zero, "
        "what it was owed of that beside."
    )
    outcome: Outcome | None = Field(description="Null until its result is told.")
    reference: str | None = Field(description="The bank's or the provider's.")


class LineExplainedView(EarnedLineView):
    number: int
    matures_on: str | None = Field(
        description="The day among whose pending lines it has that number; null where it is of a "
        "statement."
    )
    run_id: OrNull[str] = Field(description="Null for a line of the next statement.")
    currency: str
    rounding: RoundingView
    sold_as: SoldView | None = Field(
        description="What the basis of `gross_profit` is left of: `net` without `cost`, and never "
        "below zero. Null for any other basis."
    )
    cap: CapOriginView | None = Field(description="Of a `cap` line.")
    campaign: CampaignOriginView | None = Field(description="Of a bonus for a campaign's total.")
    payout: PayoutOfLineView | None = Field(description="That has brought or netted the line.")
    entry: EntryView | None = Field(description="Null where nothing was posted for it.")
    voiding: list[EntryView] = Field(
        description="The entries of `voided_by`. Each has all that its refund took of the leader, "
        "of other lines and parcels of the order too: with the `entry` of each of these they come "
        "to all the lines that these and the refund have brought."
    )
    settled_by: EntryView | None = Field(
        description="The run's entry that made it available; null where it was so before."
    )


class EntryExplainedView(View):
    entry_id: str
    lines: list[LineExplainedView]
