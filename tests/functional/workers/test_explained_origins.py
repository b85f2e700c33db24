"""What a leader's line is of: what was sold, what a profit is left of, caps, and campaigns."""

import csv
import io

from tests.functional.test_plans import a_plan, edit_leader, planned_sale, rule, settle
from tests.functional.test_refund_bearers import bear, refund
from tests.functional.workers.conftest import StillClock
from tests.functional.workers.test_explained_lines import explained
from tests.support.invariants import findings
from tests.support.payouts import earned, sent
from tests.support.sending import Sending
from tests.support.world import Json, Sale, World


def sold(units: int, spread: int = 0) -> Json:
    """So many at 10.00 that cost 7.00."""
    return {"units": units, "net": 1000 * units, "spread": spread, "cost": 700 * units}


def profit_sale(world: World) -> Sale:
    return planned_sale(world, a_plan(world, rule(basis="gross_profit")))


def test_a_profit_says_what_it_is_left_of(world: World, time: StillClock) -> None:
    sale = profit_sale(world)
    order = world.delivered_order(sale, 3)
    (line,) = explained(world, sale.leader_id, settle(world, time))
    assert (line["basis_amount"], line["sold_as"]) == (900, sold(3))
    assert line["title"] == order["lines"][0]["title"]


def test_what_a_refund_has_left_of_it_is_told(world: World, time: StillClock) -> None:
    sale = profit_sale(world)
    order = world.delivered_order(sale, 3)
    refund(world, order, lines=[{"sku_id": sale.sku_ids[0], "quantity": 1}])
    (line,) = explained(world, sale.leader_id, settle(world, time))
    assert (line["basis_amount"], line["sold_as"]) == (600, sold(2))


def test_what_is_taken_back_and_kept_says_of_what(world: World, time: StillClock) -> None:
    bear(world, damaged="platform")
    sale = profit_sale(world)
    order = world.delivered_order(sale, 3)
    settle(world, time)
    refund(world, order, lines=[{"sku_id": sale.sku_ids[0], "quantity": 1}])
    found = {each["kind"]: each for each in explained(world, sale.leader_id, settle(world, time))}
    assert found["clawback"]["sold_as"] == {name: -n for name, n in sold(1).items()}
    assert found["kept"]["sold_as"] == sold(1)
    for each in found.values():
        of = each["sold_as"]
        assert each["basis_amount"] == of["net"] - of["cost"]


def test_what_is_held_says_of_what(world: World, time: StillClock) -> None:
    sending = Sending(world, sale=profit_sale(world))
    sending.ship("T1", 2)
    assert sending.deliver("T1").status == 200
    settle(world, time)
    path, body = f"/v1/dispatches/{sending.id}/disputes", {"reason": "not_received"}
    assert world.customer().post(path, body).status == 201
    (held,) = explained(world, sending.sale.leader_id, settle(world, time))
    assert (held["kind"], held["basis_amount"]) == ("held", -600)
    assert held["sold_as"] == {name: -n for name, n in sold(2).items()}


def test_each_parcel_says_its_own(world: World, time: StillClock) -> None:
    plan_id = a_plan(world, rule(basis="gross_profit"))
    sending = Sending(world, sale=planned_sale(world, plan_id))
    for number, units in (("T1", 1), ("T2", 2)):
        sending.ship(number, units)
        assert sending.deliver(number).status == 200
    found = explained(world, sending.sale.leader_id, settle(world, time))
    assert {each["amount"]: each["sold_as"] for each in found} == {30: sold(1), 60: sold(2)}


def test_a_leaders_own_spread_is_no_part_of_it_and_nobody_elses(
    world: World, time: StillClock
) -> None:
    split = [{"role": "promoter", "bps": 9000}, {"role": "pickup_point", "bps": 1000}]
    plan_id = a_plan(world, rule(basis="gross_profit", split=split))
    sale, shop = planned_sale(world, plan_id, floor_price=900), world.add_leader()
    edit_leader(world, sale.leader_id, pickup_leader_id=shop)
    price = {"campaign_id": sale.campaign_id, "sku_id": sale.sku_ids[0], "price": 1200}
    assert world.operator.put(f"/v1/leaders/{sale.leader_id}/prices", price).status == 200
    world.delivered_order(sale, 1)
    day = settle(world, time)
    found = {each["kind"]: each for each in explained(world, sale.leader_id, day)}
    (others,) = explained(world, shop, day)
    assert others["sold_as"] == {**sold(1), "spread": None}
    assert found["commission"]["sold_as"] == sold(1, spread=200)
    assert (found["commission"]["basis_amount"], found["spread"]["sold_as"]) == (300, None)
    assert found["spread"]["title"] == found["commission"]["title"]


def test_a_rate_of_sales_needs_no_more_than_its_basis(world: World, time: StillClock) -> None:
    sale = planned_sale(world, a_plan(world))
    world.delivered_order(sale, 1)
    (line,) = explained(world, sale.leader_id, settle(world, time))
    assert (line["sold_as"], line["cap"], line["campaign"]) == (None, None, None)


def test_a_cap_says_what_the_day_came_to_and_what_was_withheld(
    world: World, time: StillClock
) -> None:
    sale = planned_sale(world, a_plan(world, rule(cap={"day": 350})))
    order = world.delivered_order(sale, 5)
    first = settle(world, time)
    refund(world, order, amount=1000)
    second = settle(world, time)
    found = [
        each
        for day in (first, second)
        for each in explained(world, sale.leader_id, day)
        if each["kind"] == "cap"
    ]
    assert [each["cap"] for each in found] == [
        {"came_to": 500, "day_cap": 350, "withheld_before": 0, "withheld": 150},
        {"came_to": 400, "day_cap": 350, "withheld_before": 150, "withheld": 50},
    ]
    assert [each["amount"] for each in found] == [-150, 100]


def test_a_dry_runs_cap_says_the_same(world: World, time: StillClock) -> None:
    sale = planned_sale(world, a_plan(world, rule(cap={"day": 350})))
    world.delivered_order(sale, 5)
    time.move_on(days=8)
    day = str(time.now().date().replace(day=time.now().day - 1))
    body = {"business_date": day, "dry_run": True}
    run = world.operator.post("/v1/settlement-runs", body).json
    world.work()
    path = f"/v1/leaders/{sale.leader_id}/statements/{run['id']}"
    count = len(world.operator.get(path).json["lines"])
    cap = world.operator.get(f"{path}/lines/{count}").json
    assert cap["cap"] == {"came_to": 500, "day_cap": 350, "withheld_before": 0, "withheld": 150}


def test_a_campaigns_bonus_says_its_threshold_and_what_it_comes_to(
    world: World, time: StillClock
) -> None:
    bonus = {"kind": "campaign_total", "amount": 500, "threshold": 2500}
    sale = planned_sale(world, a_plan(world, bonuses=[bonus]))
    order = world.delivered_order(sale, 3)
    day = settle(world, time)
    found = {each["kind"]: each for each in explained(world, sale.leader_id, day)}
    told = {"campaign_id": sale.campaign_id, "threshold": 2500, "total_now": 3000}
    assert (found["bonus"]["campaign"], found["commission"]["campaign"]) == (told, None)
    refund(world, order, amount=1000)
    later = explained(world, sale.leader_id, settle(world, time))
    (back,) = [each for each in later if each["basis"] == "campaign_total"]
    assert (back["kind"], back["campaign"]) == ("clawback", {**told, "total_now": 2000})
    assert findings() == []


def test_a_pending_line_is_explained_by_the_day_on_which_it_matures(
    world: World, time: StillClock
) -> None:
    sale = profit_sale(world)
    world.delivered_order(sale, 3)
    path = f"/v1/leaders/{sale.leader_id}/statements/open"
    leader = world.leader(sale.leader_id)
    ((day, amount),) = (tuple(each.values()) for each in leader.get(path).json["pending"])
    line = leader.get(f"{path}/lines/1?matures_on={day}").json
    assert (line["amount"], line["sold_as"]) == (amount, sold(3))
    assert (line["run_id"], line["settled_by"]) == (None, None)
    assert line["entry"]["postings"][0]["amount"] == -amount
    for asked, said in (
        ("1", "The statement has no line 1: there are none."),
        (f"2?matures_on={day}", f"What matures on {day} has no line 2: there is one."),
        ("1?matures_on=2026-03-01", "What matures on 2026-03-01 has no line 1: there are none."),
    ):
        refused = leader.get(f"{path}/lines/{asked}")
        assert (refused.code, refused.json["detail"]) == ("not_found", said)
    assert leader.get(f"{path}/lines/1?matures_on=soon").status == 422
    settle(world, time)
    assert leader.get(f"{path}/lines/1?matures_on={day}").status == 404


def test_a_run_that_finds_nothing_of_a_leader_makes_no_statement_and_says_so(
    world: World, time: StillClock
) -> None:
    sale = profit_sale(world)
    day = settle(world, time)
    (told,) = world.operator.get(f"/v1/settlement-runs/run_{day}/leaders").json["items"]
    assert (told["leader_id"], told["status"], told["currency"]) == (
        sale.leader_id,
        "settled",
        None,
    )
    refused = world.operator.get(f"/v1/leaders/{sale.leader_id}/statements/run_{day}")
    assert (refused.status, refused.code) == (404, "not_found")
    assert "to whom nothing has come" in refused.json["detail"]


def test_a_payout_is_a_part_of_nothing_and_says_so(world: World, time: StillClock) -> None:
    (sale,) = earned(world, time, 3)
    sent(world, minimum=1)
    day = settle(world, time)
    path = f"/v1/leaders/{sale.leader_id}/statements/run_{day}"
    (line,) = world.operator.get(path).json["lines"]
    nothing = ("basis", "basis_amount", "rate_bps", "role", "share_bps", "rule", "title")
    assert (line["kind"], line["amount"]) == ("payout", -300)
    assert [line[each] for each in nothing] == [None] * len(nothing)
    text = world.operator.get(path, Accept="text/csv").text.removeprefix("\ufeff")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["amount"], [row[each] for each in nothing]) == ("-300", [""] * len(nothing))
