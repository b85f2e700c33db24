"""A simulation: a job that compares what a month's orders earned with what they would have under a
draft. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Literal, NamedTuple

from chalicelib.ordering.rules import Order
from chalicelib.plans.rules import Plan, PlanBonus, Rule, Version

SimulationStatus = Literal["running", "completed"]
LEADERS_SHOWN = 100


class Pair(NamedTuple):
    """What was earned and what would have been; minor units."""

    earned: int = 0
    would_earn: int = 0

    @property
    def difference(self) -> int:
        return self.would_earn - self.earned


class ByKind(NamedTuple):
    """What figures are of; a cap withholds, so that it is below zero."""

    commission: Pair
    cap: Pair
    bonus: Pair


@dataclass(frozen=True)
class Compared:
    """What was earned and what would have been, and how much of both are daily caps and bonuses;
    the rest is commission. Minor units."""

    earned: int = 0
    would_earn: int = 0
    earned_cap: int = 0
    would_earn_cap: int = 0
    earned_bonus: int = 0
    would_earn_bonus: int = 0

    @classmethod
    def of_commission(cls, earned: int = 0, would_earn: int = 0) -> "Compared":
        return cls(earned, would_earn)

    @classmethod
    def of_caps(cls, earned: int, would_earn: int) -> "Compared":
        return cls(earned, would_earn, earned_cap=earned, would_earn_cap=would_earn)

    @classmethod
    def of_bonuses(cls, earned: int, would_earn: int) -> "Compared":
        return cls(earned, would_earn, earned_bonus=earned, would_earn_bonus=would_earn)

    @property
    def difference(self) -> int:
        return self.would_earn - self.earned

    @property
    def by_kind(self) -> ByKind:
        cap = Pair(self.earned_cap, self.would_earn_cap)
        bonus = Pair(self.earned_bonus, self.would_earn_bonus)
        commission = Pair(
            self.earned - cap.earned - bonus.earned,
            self.would_earn - cap.would_earn - bonus.would_earn,
        )
        return ByKind(commission, cap, bonus)

    @property
    def figures(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in FIGURES}

    def plus(self, other: "Compared") -> "Compared":
        return Compared(*(getattr(self, name) + getattr(other, name) for name in FIGURES))


FIGURES = tuple(each.name for each in fields(Compared))


@dataclass(frozen=True, kw_only=True)
class Total(Compared):
    currency: str


@dataclass(frozen=True, kw_only=True)
class OfLeader(Total):
    """What one leader earned and would have, in one currency."""

    leader_id: str


@dataclass(frozen=True)
class Simulation:
    """A job that goes through the orders of a month, one listing after another.

    `orders` are those that count, of the leaders that earn by the plan, or that were named;
    `lines_without_rule` of theirs would have been refused under the draft.
    """

    id: str
    plan_id: str
    month: str
    leader_ids: tuple[str, ...]
    rules: tuple[Rule, ...]
    upline: tuple[int, ...]
    status: SimulationStatus
    begins: datetime
    ends: datetime
    # Which listing it has come to, and behind which order of it; all of them are `listings`.
    listing: int
    after: str
    listings: int
    orders: int
    lines_without_rule: int
    totals: tuple[Total, ...]
    version: int
    created_at: datetime
    completed_at: datetime | None = None
    bonuses: tuple[PlanBonus, ...] = ()

    @property
    def is_running(self) -> bool:
        return self.status == "running"

    @property
    def is_at_its_end(self) -> bool:
        return self.listing == self.listings

    @property
    def percent(self) -> int:
        """How many of a hundred parts of the listings it has gone through."""
        return 100 if not self.is_running else 100 * self.listing // self.listings

    def draft(self, plan: Plan) -> Version:
        day = self.begins.date().isoformat()
        upline, bonuses = self.upline, self.bonuses
        return Version(plan.id, 0, day, self.rules, upline, "", self.created_at, bonuses)

    def come_to(self, listing: int, after: str) -> "Simulation":
        return replace(self, listing=listing, after=after)

    def with_found(
        self,
        orders: int,
        lines_without_rule: int,
        by_currency: Mapping[str, Compared],
        now: datetime,
    ) -> "Simulation":
        """After what it has gone through came to this; done behind the last listing."""
        done = self.is_at_its_end
        totals: dict[str, Compared] = {each.currency: each for each in self.totals}
        for currency, compared in by_currency.items():
            totals[currency] = totals.get(currency, Compared()).plus(compared)
        return replace(
            self,
            status="completed" if done else "running",
            orders=self.orders + orders,
            lines_without_rule=self.lines_without_rule + lines_without_rule,
            totals=tuple(
                Total(**each.figures, currency=currency)
                for currency, each in sorted(totals.items())
            ),
            version=self.version + 1,
            completed_at=now if done else None,
        )


@dataclass(frozen=True)
class SimulationWhole(Simulation):
    """A simulation with the first of its leaders."""

    leaders: Sequence[OfLeader] = ()

    @classmethod
    def of(cls, simulation: Simulation, leaders: Sequence[OfLeader]) -> "SimulationWhole":
        return cls(**vars(simulation), leaders=tuple(leaders[:LEADERS_SHOWN]))


def counts(order: Order, simulation: Simulation) -> bool:
    """Whether it was paid, and placed in the month."""
    return order.paid_at is not None and simulation.begins <= order.created_at < simulation.ends
