"""Simulations, and what they come to by leader; they lie in the plans' table."""

from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.plans.rules import Rule
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
from chalicelib.platform.transaction import Put, Update, create
from chalicelib.simulation.rules import Found, OfLeader, Simulation, Total

SIMULATION, LEADER = "simulation", "leader#"


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

    @property
    def of_leader(self) -> OfLeader:
        return OfLeader(self.currency, self.earned, self.would_earn, self.leader_id)


def get_simulation(simulation_id: str) -> Simulation | None:
    row = store.get(SimulationRow, simulation_id, SIMULATION)
    return row.to_entity() if row else None


def add_simulation(made: Simulation) -> Put:
    return create(SimulationRow.of(made))


def replace_simulation(changed: Simulation) -> Put:
    """Stale where another has taken the same step."""
    return Put(SimulationRow.of(changed), SimulationRow.version == changed.version - 1)


def add_found(simulation_id: str, found: Found) -> list[Update]:
    """Sums, beside the write of the simulation that says how far they go."""
    row = SimulatedRow
    return [
        Update(
            row.at(simulation_id, f"{LEADER}{leader_id}#{currency}"),
            [
                row.leader_id.set(leader_id),
                row.currency.set(currency),
                row.earned.add(compared.earned),
                row.would_earn.add(compared.would_earn),
            ],
        )
        for (leader_id, currency), compared in found.by_leader.items()
    ]


def leaders(simulation_id: str, page: PageRequest) -> Page[OfLeader]:
    """Those of a simulation, the newest leaders first."""
    found = store.newest_within(SimulatedRow, simulation_id, LEADER, page)
    return found.map(lambda row: row.of_leader)
