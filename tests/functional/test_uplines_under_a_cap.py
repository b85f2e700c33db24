"""A cap on a line is shared by all who have a part in it; each is told its own weight of all."""

from datetime import timedelta

import pytest

from tests.functional.test_plans import (
    a_plan,
    abroad,
    edit_leader,
    lines_of,
    malaysia,
    planned_sale,
    put_on,
    rule,
    settle,
    time,
)
from tests.functional.workers.conftest import StillClock
from tests.support.world import World

__all__ = ["malaysia", "time"]

SPLIT = [{"role": "promoter", "bps": 9000}, {"role": "pickup_point", "bps": 1000}]


@pytest.mark.parametrize(
    ("role", "weight", "exact", "amount"),
    [
        ("promoter", "900", "225", 225),
        ("pickup_point", "100", "25", 25),
        ("upline_1", "200", "50", 50),
    ],
)
def test_each_role_has_its_weight_of_a_capped_line(
    malaysia: World, time: StillClock, role: str, weight: str, exact: str, amount: int
) -> None:
    capped = rule(1000, split=SPLIT, cap={"line": 300})
    plan_id = a_plan(malaysia, capped, country="MY", upline=[{"level": 1, "bps": 200}])
    seller, shop, above = (abroad(malaysia, "MY") for _ in range(3))
    edit_leader(malaysia, seller, pickup_leader_id=shop, invited_by=above)
    assert put_on(malaysia, seller, plan_id).status == 200
    month = timedelta(days=30)
    sale = malaysia.sale(leader_id=seller, commission=None, open_for=month, price=4188)
    malaysia.delivered_order(sale, 1)
    day = settle(malaysia, time)
    leader_id = {"promoter": seller, "pickup_point": shop, "upline_1": above}[role]
    (line,) = lines_of(malaysia, leader_id, day)
    assert (line["role"], line["amount"]) == (role, amount)
    path = f"/v1/leaders/{leader_id}/statements/run_{day}/lines/1"
    *_, division = malaysia.leader(leader_id).get(path).json["rounding"]["steps"]
    own = {"of": role, "exact": exact, "amount": amount, "weight": weight, "of_weight": "1200"}
    assert division["portions"] == [own]


def test_without_an_upline_the_weights_are_those_of_the_split(
    malaysia: World, time: StillClock
) -> None:
    """What is divided was rounded before, so that a weight is of 1.05 and not of 1.047."""
    thirds = [{"role": "promoter", "bps": 6667}, {"role": "pickup_point", "bps": 3333}]
    sale = planned_sale(malaysia, a_plan(malaysia, rule(250, split=thirds)), price=4188)
    edit_leader(malaysia, sale.leader_id, pickup_leader_id=malaysia.add_leader())
    malaysia.delivered_order(sale, 1)
    path = f"/v1/leaders/{sale.leader_id}/statements/run_{settle(malaysia, time)}/lines/1"
    *_, rate, division = malaysia.operator.get(path).json["rounding"]["steps"]
    assert (rate["exact"], rate["amount"]) == ("1047/10", 105)
    weights = [(each["weight"], each["of_weight"]) for each in division["portions"]]
    assert weights == [("6667/40", "250"), ("3333/40", "250")]
    assert [each["exact"] for each in division["portions"]] == ["140007/2000", "69993/2000"]
