"""A chargeback that is won gives again the bonuses that it took, whatever plans say by then."""

import pytest

from tests.functional.test_chargebacks import ask, close
from tests.functional.test_plan_bonuses import bonuses_of, delivered, has, standing, total, whole
from tests.functional.test_plans import (
    TOMORROW,
    a_plan,
    planned_sale,
    refund,
    rule,
    time,
    try_version,
)
from tests.functional.workers.conftest import StillClock
from tests.support.world import Json, Sale, World, created

__all__ = ["time"]


def two_versions(world: World, time: StillClock, later: Json, units: int) -> tuple[Sale, Json]:
    """A unit is sold under a version with 3.00 for 20.00, and so many more under another; the
    latter are delivered first."""
    plan = a_plan(world, rule(), bonuses=[total(2000, 300)])
    sale = planned_sale(world, plan)
    before = world.paid_order(sale)
    created(try_version(world, plan, rule(), day=TOMORROW, bonuses=[later]))
    time.move_on(days=1)
    after = world.paid_order(sale, world.customer("cus_bob"), quantity=units)
    for order in (after, before):
        world.move(order["dispatches"][0]["id"], "accept", "ship", "deliver")
    return sale, after


def charged_back(world: World, order: Json, amount: int) -> Json:
    return created(ask(world, order, amount=amount, fee=0, reference=f"dp_{amount}"))


def win(world: World, chargeback: Json) -> None:
    assert close(world, chargeback, "won").status == 200
    whole(world)


@pytest.mark.parametrize("later", [total(2000, 50), total(9000, 50)])
def test_it_is_given_again_by_the_terms_that_it_was_given_by(
    world: World, time: StillClock, later: Json
) -> None:
    sale, order = two_versions(world, time, later, 1)
    (was,) = bonuses_of(world, sale.leader_id)
    assert was["amount"] == 300
    chargeback = charged_back(world, order, 1000)
    assert standing(world, sale.leader_id) == []
    win(world, chargeback)
    (bonus,) = bonuses_of(world, sale.leader_id)
    assert (bonus["amount"], bonus["times"], bonus["taken_back_at"]) == (300, 2, None)
    assert (bonus["plan_version"], bonus["order_id"]) == (was["plan_version"], was["order_id"])
    assert has(world, sale.leader_id) == (200 + 300, 0)


def test_what_is_still_below_the_threshold_stays_taken(world: World, time: StillClock) -> None:
    sale = planned_sale(world, a_plan(world, rule(), bonuses=[total(2000, 300)]))
    other = delivered(world, sale)
    chargeback = charged_back(world, delivered(world, sale, 1, "cus_bob"), 1000)
    refund(world, other, 1)
    win(world, chargeback)
    assert (standing(world, sale.leader_id), has(world, sale.leader_id)) == ([], (100, 0))


def test_a_threshold_that_the_total_comes_to_by_what_returns_is_reached(
    world: World, time: StillClock
) -> None:
    sale = planned_sale(world, a_plan(world, rule(), bonuses=[total(3000, 200)]))
    chargeback = charged_back(world, delivered(world, sale, 2), 2000)
    delivered(world, sale, 2, "cus_bob")
    assert bonuses_of(world, sale.leader_id) == []
    win(world, chargeback)
    assert standing(world, sale.leader_id) == [("campaign_total", 200)]
    assert has(world, sale.leader_id) == (400 + 200, 0)


def test_what_others_have_brought_again_since_is_given_once(world: World, time: StillClock) -> None:
    sale = planned_sale(world, a_plan(world, rule(), bonuses=[total(2000, 300)]))
    chargeback = charged_back(world, delivered(world, sale, 2), 2000)
    delivered(world, sale, 2, "cus_bob")
    win(world, chargeback)
    assert standing(world, sale.leader_id) == [("campaign_total", 300)]
    assert has(world, sale.leader_id) == (400 + 300, 0)
