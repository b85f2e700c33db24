"""What a supplier is told of commission that it bears: by which rate, of which refund, and what
daily caps give back of it."""

from datetime import timedelta

import pytest

from tests.functional.conftest import Clock
from tests.functional.test_chargebacks import ask, close
from tests.functional.test_plans import a_plan, edit_leader, planned_sale, rule
from tests.functional.test_refund_bearers import bear, refund
from tests.functional.test_refunds import settle
from tests.functional.test_supplier_line_origins import adds_up, told
from tests.support.invariants import findings
from tests.support.world import Json, Sale, World, created

CAP = 350


def borne(world: World, sale: Sale) -> list[Json]:
    """Explanations of the commission that the sale's supplier bears, or has back."""
    found = told(world, sale.supplier_id)
    return [each for each in found if each["kind"] == "commission_borne"]


def paid(why: Json) -> int:
    (moved,) = why["accounts"]
    return int(moved["amount"])


@pytest.fixture
def capped(world: World) -> Sale:
    """A leader that may have 3.50 a day, whose refunds for damage its suppliers bear."""
    bear(world, damaged="supplier")
    return planned_sale(world, a_plan(world, rule(cap={"day": CAP})))


@pytest.mark.parametrize(
    ("said", "price", "base", "amount", "method"),
    [
        ({}, 1000, 1000, 100, "exact"),
        ({}, 349, 349, 35, "half_up"),
        ({"basis": "gross_profit"}, 1000, 300, 30, "exact"),
        ({"cap": {"line": 20}}, 1000, 1000, 20, "limited"),
    ],
)
def test_commission_is_told_by_its_rate_and_base(
    world: World, said: Json, price: int, base: int, amount: int, method: str
) -> None:
    bear(world, damaged="supplier")
    sale = planned_sale(world, a_plan(world, rule(**said)), price=price)
    order = world.delivered_order(sale, 1)
    made = refund(world, order, amount=price)
    (why,) = borne(world, sale)
    assert why["commission"] == [
        {
            "sku_id": sale.sku_ids[0],
            "title": order["lines"][0]["title"],
            "basis": said.get("basis", "sales"),
            "base": base,
            "rate_bps": 1000,
            "amount": -amount,
            "method": method,
        }
    ]
    assert (why["refund"]["id"], why["goods"], why["caps"]) == (made["id"], [], [])
    assert paid(why) == -amount
    assert findings() == []


def test_what_leaders_divide_is_one_commission_to_who_bears_it(world: World) -> None:
    """3.33 at 10 % are 0.33 for one unit of three, whoever has which part."""
    bear(world, damaged="supplier")
    split = [{"role": "promoter", "bps": 9000}, {"role": "pickup_point", "bps": 1000}]
    sale = planned_sale(world, a_plan(world, rule(split=split)), price=333)
    edit_leader(world, sale.leader_id, pickup_leader_id=world.add_leader())
    order = world.delivered_order(sale, 3)
    refund(world, order, lines=[{"sku_id": sale.sku_ids[0], "quantity": 1}])
    (why,) = borne(world, sale)
    (commission,) = why["commission"]
    assert commission["amount"] == paid(why) == -33
    assert (commission["base"], commission["rate_bps"]) == (333, 1000)
    assert findings() == []


@pytest.mark.parametrize("held", [False, True])
def test_a_won_chargeback_gives_back_goods_and_commission(world: World, held: bool) -> None:
    bear(world, chargeback="supplier")
    sale = planned_sale(world, a_plan(world))
    order = world.delivered_order(sale, 3)
    if held:
        path = f"/v1/dispatches/{order['dispatches'][0]['id']}/disputes"
        created(world.customer().post(path, {"reason": "not_received"}))
    made = ask(world, order, amount=order["total"], fee=0).json
    taken = [each for each in told(world, sale.supplier_id) if each["refund"]]
    assert close(world, made, "won").status == 200
    *_, won = told(world, sale.supplier_id)
    assert (won["kind"], won["refund"]["id"]) == ("chargeback_won", made["refund_id"])
    moved = {each["account"]: each["amount"] for each in won["accounts"]}
    assert moved == ({"held": 2100, "payable": 300} if held else {"payable": 2400})
    (goods,), (commission,) = won["goods"], won["commission"]
    account = "held" if held else "payable"
    assert (goods["account"], goods["units"], goods["amount"]) == (account, 3, 2100)
    assert (commission["base"], commission["amount"]) == (3000, 300)
    assert sum(paid(each) for each in taken) == -2400


def test_what_a_daily_cap_gives_back_is_told_by_the_day(
    world: World, time: Clock, capped: Sale
) -> None:
    order = world.delivered_order(capped, 4)
    delivered_on = str(time.now().date())
    refund(world, order, amount=4000)
    settle(world, time, days=8)
    first, back = borne(world, capped)
    assert (paid(first), paid(back)) == (-400, 50)
    assert back["caps"] == [
        {
            "leader_id": capped.leader_id,
            "delivered_on": delivered_on,
            "day_cap": CAP,
            "came_to": 400,
            "borne": 400,
            "is_shared": False,
            "withheld_before": 0,
            "withheld": 50,
            "amount": 50,
            "entries": [first["entry"]["id"]],
        }
    ]
    assert (back["goods"], back["commission"]) == ([], [])


def test_a_later_run_says_what_was_given_back_before(
    world: World, time: Clock, capped: Sale
) -> None:
    order = world.delivered_order(capped, 5)
    refund(world, order, amount=1200)
    settle(world, time, days=8)
    refund(world, order, amount=800)
    settle(world, time, days=1)
    found = [each["caps"] for each in borne(world, capped) if each["caps"]]
    assert [(each["withheld_before"], each["withheld"], each["borne"]) for (each,) in found] == [
        (0, 120, 120),
        (120, 150, 200),
    ]


def test_a_supplier_sees_nothing_of_what_leaders_earn_beyond_what_it_bears(
    world: World, time: Clock, capped: Sale
) -> None:
    """9.00 of that day are the leader's, of which 1.00 is borne: without the refund it would have
    had its 3.50 all the same."""
    world.delivered_order(capped, 8)
    refund(world, world.delivered_order(capped, 1), amount=1000)
    settle(world, time, days=8)
    _, back = borne(world, capped)
    (cap,) = back["caps"]
    assert (cap["came_to"], cap["borne"], cap["withheld"]) == (CAP + 100, 100, 100)
    assert cap["came_to"] - cap["day_cap"] == cap["withheld"]


def test_suppliers_of_one_day_see_their_own_part(world: World, time: Clock, capped: Sale) -> None:
    month = timedelta(days=30)
    other = world.sale(leader_id=capped.leader_id, commission=None, open_for=month, stock=100)
    for sale, units in ((capped, 3), (other, 2)):
        refund(world, world.delivered_order(sale, units), amount=1000 * units)
    settle(world, time, days=8)
    for sale, own, part in ((capped, 300, 90), (other, 200, 60)):
        _, back = borne(world, sale)
        (cap,) = back["caps"]
        assert (cap["borne"], cap["withheld"], paid(back)) == (own, part, part)
        assert (cap["is_shared"], cap["came_to"]) == (True, None)


def test_goods_still_add_up_beside_commission(world: World, capped: Sale) -> None:
    refund(world, world.delivered_order(capped, 2), amount=1000)
    for why in told(world, capped.supplier_id):
        if why["kind"] != "commission_borne":
            adds_up(why)
