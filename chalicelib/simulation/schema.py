"""Requests and answers about simulations."""

from typing import Annotated

from pydantic import Field

from chalicelib.plans.schema import Says
from chalicelib.platform.schema import Identifier, Instant, Month, View
from chalicelib.simulation.rules import SimulationStatus

MAX_LEADERS = 100


class SimulatePlan(Says):
    month: Month | None = Field(default=None, description="Left out, the last one.")
    leader_ids: Annotated[list[Identifier], Field(max_length=MAX_LEADERS)] = Field(
        default=[], description="The leaders to try it on; left out, those that earn by the plan."
    )


class PairView(View):
    earned: int
    would_earn: int
    difference: int


class ByKindView(View):
    commission: PairView
    cap: PairView = Field(description="What daily caps withhold: never above zero.")
    bonus: PairView


class TotalComparedView(PairView):
    currency: str
    by_kind: ByKindView = Field(description="What these are of; the kinds add up to them.")


class LeaderComparedView(TotalComparedView):
    leader_id: str


class SimulationView(View):
    id: str
    plan_id: str
    month: str
    status: SimulationStatus
    percent: int
    orders: int = Field(description="How many it has counted.")
    lines_without_rule: int = Field(
        description="Lines of them that the draft has no rule for: they would have been refused."
    )
    totals: list[TotalComparedView] = Field(description="Of what it has counted until now.")
    leaders: list[LeaderComparedView] = Field(description="The first hundred of them.")
    created_at: Instant
    completed_at: Instant | None
