"""What orders come to on both sides, added up one after another. Pure.

What crosses orders is kept as sums: a leader's capped days, as a settlement run keeps them, and the
total of each campaign. So whatever is added in several steps comes to the same as in one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from chalicelib.plans.rules import PlanBonus
from chalicelib.settlement.caps import CappedDay, capped
from chalicelib.settlement.rules import EarnedLine
from chalicelib.simulation.rules import Compared, OfLeader, Pair

# A leader's delivery days are kept in so many rows, so that on however many days an order arrives
# its sums fit into a step: its seller, and on either side four others, with their days. The other
# writes of a transaction are for the job itself.
DAY_ROWS = 8
MOST_SUMS = 90


class Earner(NamedTuple):
    leader_id: str
    currency: str


class DaysOf(NamedTuple):
    """A row of a leader's delivery days."""

    leader_id: str
    currency: str
    row: int


class TotalOf(NamedTuple):
    """A leader's orders of one campaign."""

    leader_id: str
    campaign_id: str


class CappedDays(NamedTuple):
    """What has been counted of capped days."""

    earned: Sequence[CappedDay] = ()
    would_earn: Sequence[CappedDay] = ()


@dataclass(frozen=True)
class Tried:
    """What one order brings its leaders, each line of its commission beside the leader it is for.

    Lines that are not delivered have no cap. `bonuses` are what its deliveries brought its own
    leader, and what the draft promises for its customer's first order; `net` is what would count
    for its campaign's total, None where the draft promises nothing for that.
    """

    order_id: str
    leader_id: str
    campaign_id: str
    currency: str
    lines_without_rule: int
    earned: Sequence[tuple[str, EarnedLine]]
    would_earn: Sequence[tuple[str, EarnedLine]]
    bonuses: Pair
    net: int | None

    @property
    def earners(self) -> set[Earner]:
        others = {leader_id for leader_id, _ in (*self.earned, *self.would_earn)}
        return {Earner(each, self.currency) for each in (self.leader_id, *others)}

    @property
    def days(self) -> set[DaysOf]:
        lines = (*self.earned, *self.would_earn)
        return {self._days_of(*each) for each in lines if each[1].day_cap is not None}

    @property
    def totals(self) -> set[TotalOf]:
        return set() if self.net is None else {TotalOf(self.leader_id, self.campaign_id)}

    def capped_in(self, days: DaysOf, lines: Sequence[tuple[str, EarnedLine]]) -> list[EarnedLine]:
        return [
            line
            for leader_id, line in lines
            if line.day_cap is not None and self._days_of(leader_id, line) == days
        ]

    def _days_of(self, leader_id: str, line: EarnedLine) -> DaysOf:
        row = date.fromisoformat(line.delivered_on).toordinal() % DAY_ROWS
        return DaysOf(leader_id, self.currency, row)


@dataclass
class Found:
    """What some orders come to. `days` and `totals` go on from what was kept of orders before."""

    orders: int = 0
    lines_without_rule: int = 0
    by_leader: dict[Earner, Compared] = field(default_factory=dict)
    days: dict[DaysOf, CappedDays] = field(default_factory=dict)
    totals: dict[TotalOf, int] = field(default_factory=dict)

    @property
    def leaders(self) -> list[OfLeader]:
        """The newest leaders first, as they are listed."""
        return [
            OfLeader(**compared.figures, currency=currency, leader_id=leader_id)
            for (leader_id, currency), compared in sorted(self.by_leader.items(), reverse=True)
        ]

    @property
    def by_currency(self) -> dict[str, Compared]:
        found: dict[str, Compared] = {}
        for (_, currency), compared in self.by_leader.items():
            found[currency] = found.get(currency, Compared()).plus(compared)
        return found

    def fitting(self, tried: Sequence[Tried]) -> list[Tried]:
        """Those of these orders, from the first on, whose sums can be written with the others."""
        earners, days, totals = set(self.by_leader), set(self.days), set(self.totals)
        fitting = []
        for each in tried:
            earners |= each.earners
            days |= each.days
            totals |= each.totals
            if len(earners) + len(days) + len(totals) > MOST_SUMS:
                break
            fitting.append(each)
        return fitting

    def go_on_from(self, days: Mapping[DaysOf, CappedDays], totals: Mapping[TotalOf, int]) -> None:
        """Take in what was kept of orders before."""
        self.days = {**days, **self.days}
        self.totals = {**totals, **self.totals}

    def add(self, tried: Tried, bonuses: Iterable[PlanBonus]) -> None:
        """`bonuses` are the draft's."""
        self.orders += 1
        self.lines_without_rule += tried.lines_without_rule
        own = Earner(tried.leader_id, tried.currency)
        self._count(own, Compared.of_bonuses(*tried.bonuses))
        for leader_id, line in tried.earned:
            of_line = Compared.of_commission(earned=line.amount)
            self._count(Earner(leader_id, tried.currency), of_line)
        for leader_id, line in tried.would_earn:
            of_line = Compared.of_commission(would_earn=line.amount)
            self._count(Earner(leader_id, tried.currency), of_line)
        for days in tried.days:
            self._cap(days, tried)
        for total in tried.totals:
            reached = self._reached(total, tried.net or 0, bonuses)
            self._count(own, Compared.of_bonuses(0, reached))

    def _cap(self, days: DaysOf, tried: Tried) -> None:
        was = self.days.get(days, CappedDays())
        of_earned, earned = capped(was.earned, tried.capped_in(days, tried.earned))
        of_draft, would_earn = capped(was.would_earn, tried.capped_in(days, tried.would_earn))
        self.days[days] = CappedDays(tuple(earned), tuple(would_earn))
        caps = Compared.of_caps(_sum(of_earned), _sum(of_draft))
        self._count(Earner(days.leader_id, days.currency), caps)

    def _reached(self, total: TotalOf, net: int, bonuses: Iterable[PlanBonus]) -> int:
        """What the thresholds bring that a campaign's total reaches with so much more."""
        before = self.totals.get(total, 0)
        self.totals[total] = after = before + net
        return sum(
            each.amount
            for each in bonuses
            if each.threshold is not None and before < each.threshold <= after
        )

    def _count(self, earner: Earner, compared: Compared) -> None:
        self.by_leader[earner] = self.by_leader.get(earner, Compared()).plus(compared)


def _sum(lines: Iterable[EarnedLine]) -> int:
    return sum(line.amount for line in lines)
