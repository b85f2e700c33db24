"""Simulations: a job with its sums, written together."""

from dataclasses import replace

import pytest

from chalicelib.kernel.errors import Stale
from chalicelib.ordering import store as ordering
from chalicelib.ordering.store import add_order
from chalicelib.plans.rules import PlanBonus, Rule
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.transaction import write
from chalicelib.settlement.caps import CappedDay
from chalicelib.simulation import store as simulations
from chalicelib.simulation.counting import CappedDays, DaysOf, Earner, Found, TotalOf
from chalicelib.simulation.rules import Compared, OfLeader, Simulation, Total
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
    totals=(Total(5, 7, -1, -2, 3, 4, currency="EUR"),),
    version=1,
    created_at=NOW,
    bonuses=(PlanBonus("campaign_total", 200, 3000),),
)


def found(earned: int, would_earn: int) -> Found:
    compared = Compared(earned, would_earn, -1, -2, 3, 4)
    return Found(by_leader={Earner("ldr_1", "EUR"): compared})


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
    sums = OfLeader(101, 152, -2, -4, 6, 8, currency="EUR", leader_id="ldr_1")
    assert page.items == (sums,)


def test_what_crosses_orders_is_kept_as_the_last_step_left_it() -> None:
    march, other = DaysOf("ldr_1", "EUR", 3), DaysOf("ldr_1", "PLN", 3)
    total = TotalOf("ldr_1", "cmp_1")
    day = CappedDay("2026-03-10", "hub", "cpl_1", "default", 500, 700)
    for earned, net in (((), 10), ((day,), 30)):
        days = {march: CappedDays(earned, (day,))}
        write(*simulations.add_found("sim_1", Found(days=days, totals={total: net})))
    assert simulations.kept_days("sim_1", [other, march]) == {march: CappedDays((day,), (day,))}
    assert simulations.kept_totals("sim_1", [total, TotalOf("ldr_1", "cmp_2")]) == {total: 30}
    assert simulations.kept_days("sim_2", [march]) == {}
    assert simulations.kept_totals("sim_2", [total]) == {}
    assert simulations.leaders("sim_1", PageRequest("test")).items == ()


def test_leaders_are_listed_in_pages_newest_first() -> None:
    for n in range(5):
        some = Found(by_leader={Earner(f"ldr_{n}", "EUR"): Compared(n, n)})
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
