"""An order under a draft of a plan: what each leader earned by it, and would have. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal, NamedTuple

from chalicelib.ordering.lines import Due, OrderLine
from chalicelib.ordering.rules import Order
from chalicelib.ordering.shares import Shares
from chalicelib.plans.rules import (
    OFFER,
    Plan,
    Rule,
    Seller,
    Sold,
    Terms,
    Version,
    commissions,
    terms_for,
)
from chalicelib.settlement.rules import commission_base

SimulationStatus = Literal["running", "completed"]
LEADERS_SHOWN = 100


class Compared(NamedTuple):
    """What was earned and what would have been; minor units."""

    earned: int = 0
    would_earn: int = 0

    @property
    def difference(self) -> int:
        return self.would_earn - self.earned

    def plus(self, other: "Compared") -> "Compared":
        return Compared(self.earned + other.earned, self.would_earn + other.would_earn)


@dataclass(frozen=True)
class Total:
    currency: str
    earned: int
    would_earn: int

    @property
    def difference(self) -> int:
        return self.would_earn - self.earned


@dataclass(frozen=True)
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
        return Version(plan.id, 0, day, self.rules, self.upline, "", self.created_at)

    def come_to(self, listing: int, after: str) -> "Simulation":
        return replace(self, listing=listing, after=after)

    def with_found(self, found: "Found", now: datetime) -> "Simulation":
        """After what it has gone through came to this; done behind the last listing."""
        done = self.is_at_its_end
        totals = {each.currency: Compared(each.earned, each.would_earn) for each in self.totals}
        for (_, currency), compared in found.by_leader.items():
            totals[currency] = totals.get(currency, Compared()).plus(compared)
        return replace(
            self,
            status="completed" if done else "running",
            orders=self.orders + found.orders,
            lines_without_rule=self.lines_without_rule + found.lines_without_rule,
            totals=tuple(Total(currency, *each) for currency, each in sorted(totals.items())),
            version=self.version + 1,
            completed_at=now if done else None,
        )


@dataclass
class Found:
    """What some orders come to, by leader and currency."""

    orders: int = 0
    lines_without_rule: int = 0
    by_leader: dict[tuple[str, str], Compared] = field(default_factory=dict)

    def add(self, order: Order, simulated: "Simulated") -> None:
        self.orders += 1
        self.lines_without_rule += simulated.lines_without_rule
        for leader_id, compared in simulated.by_leader.items():
            of = (leader_id, order.currency)
            self.by_leader[of] = self.by_leader.get(of, Compared()).plus(compared)

    @property
    def leaders(self) -> list[OfLeader]:
        """The newest leaders first, as they are listed."""
        return [
            OfLeader(currency, *compared, leader_id)
            for (leader_id, currency), compared in sorted(self.by_leader.items(), reverse=True)
        ]


@dataclass(frozen=True)
class SimulationWhole(Simulation):
    """A simulation with the first of its leaders."""

    leaders: Sequence[OfLeader] = ()

    @classmethod
    def of(cls, simulation: Simulation, leaders: Sequence[OfLeader]) -> "SimulationWhole":
        return cls(**vars(simulation), leaders=tuple(leaders[:LEADERS_SHOWN]))


@dataclass(frozen=True)
class Simulated:
    """One order under a draft."""

    by_leader: Mapping[str, Compared]
    lines_without_rule: int


def simulate(
    order: Order, plan: Plan, draft: Version, seller: Seller, goods: Mapping[str, Sold]
) -> Simulated:
    """What is not refunded of an order, as it was earned and as the draft would have it; an
    offer's own commission wins over any plan."""
    terms = [_terms(line, plan, draft, seller, goods) for line in order.lines]
    amounts = commissions(
        [
            (each, _base(each, line)) if each else (NOTHING, 0)
            for each, line in zip(terms, order.lines, strict=True)
        ]
    )
    earned, would_earn = Counter[str](), Counter[str]()
    for line, each, amount in zip(order.lines, terms, amounts, strict=True):
        _count(earned, order, line, line.left)
        if line.rule == OFFER:
            _count(would_earn, order, line, line.left)
        elif each:
            drafted = _drafted(line, each, amount)
            _count(would_earn, order, drafted, _left(line, drafted))
    leaders = {*earned, *would_earn}
    without = sum(
        each is None and line.rule != OFFER for each, line in zip(terms, order.lines, strict=True)
    )
    return Simulated({each: Compared(earned[each], would_earn[each]) for each in leaders}, without)


NOTHING = Terms("sales", 0)


def _terms(
    line: OrderLine, plan: Plan, draft: Version, seller: Seller, goods: Mapping[str, Sold]
) -> Terms | None:
    sold = goods.get(line.counts_as)
    rule = draft.rule_for(sold) if sold and line.rule != OFFER else None
    return terms_for(plan, draft, rule, seller) if rule else None


def _base(terms: Terms, line: OrderLine) -> int:
    cost = line.cost if line.agreed_cost is None else line.agreed_cost
    return commission_base(terms.basis, line.net - line.tax - line.spread, cost)


def _drafted(line: OrderLine, terms: Terms, amount: int) -> OrderLine:
    """The line as it would have been placed."""
    _, *parts = terms.divided(amount)
    others = zip(terms.others, parts, strict=True)
    return replace(
        line,
        commission=amount,
        others=tuple(Due(s.role, s.leader_id, n, s.rate_bps, s.share_bps) for s, n in others),
    )


def _left(line: OrderLine, drafted: OrderLine) -> Shares:
    """What is not refunded of the drafted line. Where amounts were refunded of it, what is kept of
    the pieces is in the old shares: it falls with the net, as they did."""
    if drafted.whole == line.whole:
        return line.left
    return drafted.whole.portion(line.left.net, line.net) if line.marks else drafted.left


def _count(into: Counter[str], order: Order, line: OrderLine, shares: Shares) -> None:
    for leader_id, amount in order.earned_of(line, replace(shares, spread=0)):
        into[leader_id] += amount


def counts(order: Order, simulation: Simulation) -> bool:
    """Whether it was paid, and placed in the month."""
    return order.paid_at is not None and simulation.begins <= order.created_at < simulation.ends


def lines_of_plans(orders: Sequence[Order]) -> Iterator[OrderLine]:
    return (line for order in orders for line in order.lines if line.rule != OFFER)
