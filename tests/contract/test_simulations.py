"""Simulations: a job with its sums, written together."""

from dataclasses import replace

import pytest

from chalicelib.kernel.errors import Stale
from chalicelib.ordering import store as ordering
from chalicelib.ordering.store import add_order
from chalicelib.plans.rules import Rule
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.transaction import write
from chalicelib.simulation import store as simulations
from chalicelib.simulation.rules import Compared, Found, OfLeader, Simulation, Total
from tests.support.made import NOW, an_order

MADE = Simulation(
    id="sim_1",
    plan_id="cpl_1",
    month="2026-03",
    leader_ids=("ldr_1",),
    rules=(Rule("sales", 1000, level="gold"),),
    upline=(200,),
    status="running",
    begins=NOW,
    ends=NOW,
    listing=3,
    after="ord_0",
    listings=32,
    orders=7,
    lines_without_rule=1,
    totals=(Total("EUR", 5, 7),),
    version=1,
    created_at=NOW,
)


def found(earned: int, would_earn: int) -> Found:
    return Found(by_leader={("ldr_1", "EUR"): Compared(earned, would_earn)})


def test_a_step_is_taken_once_with_its_sums() -> None:
    write(simulations.add_simulation(MADE), *simulations.add_found("sim_1", found(100, 150)))
    assert simulations.get_simulation("sim_1") == MADE
    after = replace(MADE, version=2, listing=4)

    def step() -> None:
        sums = simulations.add_found("sim_1", found(1, 2))
        write(simulations.replace_simulation(after), *sums)

    step()
    with pytest.raises(Stale):
        step()
    assert simulations.get_simulation("sim_1") == after
    page = simulations.leaders("sim_1", PageRequest("test"))
    assert page.items == (OfLeader("EUR", 101, 152, "ldr_1"),)


def test_leaders_are_listed_in_pages_newest_first() -> None:
    for n in range(5):
        some = Found(by_leader={(f"ldr_{n}", "EUR"): Compared(n, n)})
        write(*simulations.add_found("sim_1", some))
    first = simulations.leaders("sim_1", PageRequest("test", limit=3))
    rest = simulations.leaders("sim_1", PageRequest("test", limit=3, after=first.next_after))
    names = [each.leader_id for each in (*first.items, *rest.items)]
    assert names == ["ldr_4", "ldr_3", "ldr_2", "ldr_1", "ldr_0"]
    assert rest.next_after is None


def test_orders_of_a_time_are_found_in_their_listings() -> None:
    order_ids = [f"ord_{n:028x}" for n in range(1, 9)]
    for order_id in order_ids:
        write(add_order(an_order(id=order_id)))
    after, until = f"ord_{2:028x}", f"ord_{7:028x}~"
    seen = []
    for shard in range(ordering.LISTING_SHARDS):
        first = ordering.placed_between(shard, after, until, 2)
        seen += first
        if len(first) == 2:
            seen += ordering.placed_between(shard, first[-1].id, until, 9)
    assert sorted(order.id for order in seen) == order_ids[2:7]
