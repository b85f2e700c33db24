"""Simulations, and what they come to by leader; they lie in the plans' table."""

from collections.abc import Iterable
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.plans.rules import PlanBonus, Rule
from chalicelib.platform import store
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    IntegersAttribute,
    RecordsAttribute,
    Row,
    TextsAttribute,
    table,
)
from chalicelib.platform.transaction import Put, Update, Write, create
from chalicelib.settlement.caps import CappedDay
from chalicelib.simulation.counting import CappedDays, DaysOf, Found, TotalOf
from chalicelib.simulation.rules import FIGURES, OfLeader, Simulation, Total

SIMULATION, LEADER, DAYS, TOTAL = "simulation", "leader#", "days#", "total#"


PlansMeta = table("PLANS_TABLE")


class SimulationRow(EntityRow[Simulation]):
    Meta = PlansMeta
    entity = Simulation

    id = UnicodeAttribute()
    plan_id = UnicodeAttribute()
    month = UnicodeAttribute()
    leader_ids = TextsAttribute()
    rules = RecordsAttribute(Rule)
    upline = IntegersAttribute()
    status = UnicodeAttribute()
    begins = InstantAttribute()
    ends = InstantAttribute()
    # Under another name than that of the index, so that simulations stay out of it.
    listing = IntegerAttribute(attr_name="come_to")
    after = UnicodeAttribute()
    listings = IntegerAttribute()
    orders = IntegerAttribute()
    lines_without_rule = IntegerAttribute()
    totals = RecordsAttribute(Total)
    version = IntegerAttribute()
    created_at = InstantAttribute()
    completed_at = InstantAttribute(null=True)
    bonuses = RecordsAttribute(PlanBonus, default=())

    @classmethod
    def keys(cls, entity: Simulation) -> dict[str, Any]:
        return {"pk": entity.id, "sk": SIMULATION}


class SimulatedRow(Row):
    """What one leader earned and would have, in one currency."""

    Meta = PlansMeta

    leader_id = UnicodeAttribute()
    currency = UnicodeAttribute()
    earned = IntegerAttribute(default=0)
    would_earn = IntegerAttribute(default=0)
    earned_cap = IntegerAttribute(default=0)
    would_earn_cap = IntegerAttribute(default=0)
    earned_bonus = IntegerAttribute(default=0)
    would_earn_bonus = IntegerAttribute(default=0)

    @property
    def of_leader(self) -> OfLeader:
        figures = {name: getattr(self, name) for name in FIGURES}
        return OfLeader(**figures, currency=self.currency, leader_id=self.leader_id)


class DaysRow(Row):
    """What has been counted of some of a leader's delivery days whose lines are capped."""

    Meta = PlansMeta

    earned = RecordsAttribute(CappedDay)
    would_earn = RecordsAttribute(CappedDay)


class TotalRow(Row):
    """What has been counted of a leader's orders of one campaign."""

    Meta = PlansMeta

    net = IntegerAttribute()


def get_simulation(simulation_id: str) -> Simulation | None:
    row = store.get(SimulationRow, simulation_id, SIMULATION)
    return row.to_entity() if row else None


def add_simulation(made: Simulation) -> Put:
    return create(SimulationRow.of(made))


def replace_simulation(changed: Simulation) -> Put:
    """Stale where another has taken the same step."""
    return Put(SimulationRow.of(changed), SimulationRow.version == changed.version - 1)


def add_found(simulation_id: str, found: Found) -> list[Write]:
    """Sums, beside the write of the simulation that says how far they go: its condition holds for
    those that were read as well."""
    return [
        *_add_to_leaders(simulation_id, found),
        *(
            Put(DaysRow(simulation_id, _days(of), **days._asdict()), when=None)
            for of, days in found.days.items()
        ),
        *(
            Put(TotalRow(simulation_id, _total(of), net=net), when=None)
            for of, net in found.totals.items()
        ),
    ]


def kept_days(simulation_id: str, of: Iterable[DaysOf]) -> dict[DaysOf, CappedDays]:
    by_key = {_days(each): each for each in of}
    found = store.get_many(DaysRow, [(simulation_id, sk) for sk in by_key])
    return {by_key[row.sk]: CappedDays(row.earned, row.would_earn) for row in found}


def kept_totals(simulation_id: str, of: Iterable[TotalOf]) -> dict[TotalOf, int]:
    by_key = {_total(each): each for each in of}
    found = store.get_many(TotalRow, [(simulation_id, sk) for sk in by_key])
    return {by_key[row.sk]: row.net for row in found}


def leaders(simulation_id: str, page: PageRequest) -> Page[OfLeader]:
    """Those of a simulation, the newest leaders first."""
    found = store.newest_within(SimulatedRow, simulation_id, LEADER, page)
    return found.map(lambda row: row.of_leader)


def _add_to_leaders(simulation_id: str, found: Found) -> list[Update]:
    row = SimulatedRow
    return [
        Update(
            row.at(simulation_id, f"{LEADER}{leader_id}#{currency}"),
            [
                row.leader_id.set(leader_id),
                row.currency.set(currency),
                *(getattr(row, name).add(amount) for name, amount in compared.figures.items()),
            ],
        )
        for (leader_id, currency), compared in found.by_leader.items()
    ]


def _days(of: DaysOf) -> str:
    return f"{DAYS}{of.leader_id}#{of.currency}#{of.row}"


def _total(of: TotalOf) -> str:
    return f"{TOTAL}{of.leader_id}#{of.campaign_id}"
