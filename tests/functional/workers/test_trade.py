"""Sales, cost and commission in the income report, told apart from the margin that they leave."""

from collections import Counter

from tests.functional.workers.conftest import StillClock
from tests.functional.workers.test_ledger_told import YEAR, refunded
from tests.support.lambdas import invoke
from tests.support.world import Json, World

OF_MARGIN = ("margin", "refunds", "refunds_borne", "chargebacks_won")


def report(world: World) -> Json:
    return dict(world.operator.get(f"/v1/ledger/income?{YEAR}").json)


def trade(world: World) -> dict[str, Json]:
    return {each.pop("part"): each for each in report(world)["trade"]}


def test_a_delivery_is_sales_cost_commission_and_margin(world: World) -> None:
    """Three units at 10.00, of which each costs 7.00, and a tenth is the leader's."""
    world.delivered_order(world.sale(), quantity=3)
    world.paid_order(world.sale())
    assert trade(world) == {
        "deliveries": {
            "currency": "EUR",
            "sales": 3000,
            "cost": 2100,
            "commission": 300,
            "margin": 600,
        }
    }


def test_what_is_given_back_of_it_is_below_zero(world: World) -> None:
    """One of three units; the leader keeps its commission, which the platform bears."""
    refunded(world, world.sale())
    assert trade(world)["refunds"] == {
        "currency": "EUR",
        "sales": -1000,
        "cost": -700,
        "commission": 0,
        "margin": -300,
    }


def test_what_was_not_delivered_is_given_back_of_no_sales(world: World) -> None:
    order = world.paid_order(world.sale())
    assert world.operator.post(f"/v1/orders/{order['id']}/cancel", {}).status == 200
    world.work()
    assert report(world)["trade"] == []


def test_margins_are_those_of_the_report_and_stay_so_once_they_are_kept(
    world: World, time: StillClock
) -> None:
    refunded(world, world.sale())
    before = report(world)
    of_kinds = Counter[str]()
    for each in before["kinds"]:
        of_kinds[each["currency"]] -= each["balance"] if each["kind"] in OF_MARGIN else 0
    of_trade = Counter[str]()
    for each in before["trade"]:
        of_trade[each["currency"]] += each["margin"]
    assert of_kinds == of_trade == {"EUR": 300}
    time.move_on(days=2)
    invoke("ledger_fold")
    for _ in range(2):
        assert report(world)["trade"] == before["trade"]
