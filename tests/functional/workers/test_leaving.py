"""Leaders that leave: frozen at once, and gone when nothing is left to wait for."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.functional.conftest import new_world
from tests.functional.test_plans import a_plan, edit_leader, planned_sale, rule
from tests.functional.test_refunds import refund
from tests.functional.workers.conftest import StillClock
from tests.support import payouts
from tests.support.communities import communities, deliver
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.lambdas import invoke
from tests.support.payouts import gave_back
from tests.support.world import Issuer, Json, Sale, World


def path(sale: Sale) -> str:
    return f"/v1/leaders/{sale.leader_id}/leave"


def leave(world: World, sale: Sale, **body: Any) -> Json:
    answer = world.operator.post(path(sale), body)
    assert answer.status == 200, answer.text
    return answer.json


def read(world: World, sale: Sale) -> Json:
    return world.operator.get(path(sale)).json


def waits_for(world: World, sale: Sale) -> list[str]:
    invoke("leaving_sweep")
    return list(read(world, sale)["waits_for"])


def night(world: World, time: StillClock, **later: float) -> None:
    time.move_on(**later)
    invoke("order_expire")
    invoke("settlement_start")
    world.work()


def place(world: World, sale: Sale) -> Answer:
    return world.customer().post("/v1/orders", world.order_body(sale))


def paid_out(world: World, minimum: int = 10**6) -> Json:
    """The one payout of a batch, paid; usually of one whose minimum nobody reaches."""
    batch = payouts.make(world, minimum=minimum)
    payouts.approve(world, batch)
    payouts.send(world, batch)
    world.work()
    (payout,) = world.operator.get(f"/v1/payout-batches/{batch['id']}/payouts").json["items"]
    result = {"status": "paid", "reference": "T1"}
    assert world.operator.post(f"/v1/payouts/{payout['id']}/result", result).status == 200
    return payout


def test_a_reason_that_was_left_out_is_kept_once_it_is_said(world: World) -> None:
    (sale,) = communities(world, 1)
    assert leave(world, sale)["reason"] is None
    told = leave(world, sale, reason="The shop closes")
    assert told["reason"] == "The shop closes"
    assert read(world, sale) == told


def test_one_that_leaves_sells_no_more(world: World) -> None:
    (sale,) = communities(world, 1)
    assert read(world, sale)["status"] == "active"
    left = leave(world, sale, reason="The shop closes")
    assert (left["status"], left["reason"]) == ("leaving", "The shop closes")
    for again in ({}, {"reason": "The shop closes"}):
        assert leave(world, sale, **again) == left
    refused = world.operator.post(path(sale), {"reason": "another"})
    assert (refused.status, refused.code) == (409, "already_leaving")
    assert read(world, sale) == left
    answer = place(world, sale)
    assert (answer.status, answer.code) == (409, "campaign_not_open")
    shown = world.customer().get(f"/v1/leaders/{sale.leader_id}/campaigns").json
    assert shown == {"items": [], "next_cursor": None}
    leader = world.operator.get(f"/v1/leaders/{sale.leader_id}").json
    assert (leader["leaving_at"], leader["left_at"]) == (left["leaving_at"], None)


def test_one_that_stays_sells_again(world: World) -> None:
    (sale,) = communities(world, 1)
    leave(world, sale)
    for _ in range(2):
        stays = world.operator.post(f"{path(sale)}/cancel")
        assert (stays.status, stays.json["status"]) == (200, "active")
    assert place(world, sale).status == 201
    invoke("leaving_sweep")
    assert read(world, sale)["status"] == "active"


def test_one_with_nothing_to_wait_for_has_left_within_the_hour(world: World) -> None:
    (sale,) = communities(world, 1)
    leave(world, sale)
    assert waits_for(world, sale) == []
    assert read(world, sale)["status"] == "left"
    answer = world.operator.post(f"{path(sale)}/cancel")
    assert (answer.status, answer.code) == (409, "already_left")
    assert leave(world, sale)["status"] == "left"
    assert place(world, sale).status == 409


def test_it_waits_for_orders_returns_settlement_and_its_payout(
    world: World, time: StillClock
) -> None:
    (sale,) = communities(world, 1)
    order = world.paid_order(sale, quantity=3)
    leave(world, sale)
    assert waits_for(world, sale) == ["orders"]
    world.move(order["dispatches"][0]["id"], "accept", "ship", "deliver")
    assert waits_for(world, sale) == ["returns", "settlement"]
    found = read(world, sale)
    assert (found["open_orders"], found["returns_until"]) == (0, "2026-03-17T12:00:00.000Z")
    night(world, time, days=8)
    assert waits_for(world, sale) == ["payout"]
    assert (read(world, sale)["coming"], read(world, sale)["owed"]) == (300, 0)
    assert paid_out(world)["amount"] == 300
    assert waits_for(world, sale) == ["settlement"]  # the payout is not in a statement yet
    night(world, time, days=1)
    assert waits_for(world, sale) == []
    assert read(world, sale)["status"] == "left"
    assert findings() == []


def test_only_one_that_leaves_is_paid_below_the_minimum(world: World, time: StillClock) -> None:
    leaving, staying = communities(world, 2)
    deliver(world, [leaving, staying], [3, 3])
    leave(world, leaving)
    night(world, time, days=8)
    batch = payouts.make(world, minimum=10**6)
    (payout,) = world.operator.get(f"/v1/payout-batches/{batch['id']}/payouts").json["items"]
    assert payout["payee"]["id"] == leaving.leader_id


def test_one_that_owes_leaves_with_a_claim(world: World, time: StillClock) -> None:
    (sale,) = communities(world, 1)
    (order,) = deliver(world, [sale], [3])
    night(world, time, days=8)
    paid_out(world, minimum=1)
    refund(world, order, (sale.sku_ids[0], 2))
    leave(world, sale)
    assert waits_for(world, sale) == ["settlement"]
    night(world, time, days=1)
    assert waits_for(world, sale) == []
    found = read(world, sale)
    assert (found["status"], found["coming"], found["owed"]) == ("left", 0, 200)
    (case,) = world.operator.get("/v1/cases").json["items"]
    assert (case["kind"], case["subject"]) == ("leader_owes", sale.leader_id)
    assert "2.00" in case["detail"]
    invoke("leaving_sweep")
    assert len(world.operator.get("/v1/cases").json["items"]) == 1
    assert findings() == []


def claims(world: World) -> list[str]:
    """What cases say that leaders owe that have left, the last first."""
    found = world.operator.get("/v1/cases").json["items"]
    return [each["detail"] for each in found if each["kind"] == "leader_owes"]


def gone(world: World, time: StillClock) -> tuple[Sale, Json]:
    """A leader that has left with nothing between it and the platform, and its order."""
    (sale,) = communities(world, 1)
    (order,) = deliver(world, [sale], [3])
    night(world, time, days=8)
    leave(world, sale)
    paid_out(world)
    night(world, time, days=1)
    assert waits_for(world, sale) == []
    assert (read(world, sale)["status"], claims(world)) == ("left", [])
    return sale, order


def test_what_is_taken_back_of_one_that_has_left_is_claimed_each_time_once(
    world: World, time: StillClock
) -> None:
    sale, order = gone(world, time)
    for units in (1, 1):
        refund(world, order, (sale.sku_ids[0], units))
        for _ in range(2):
            time.move_on(hours=1)
            invoke("leaving_sweep")
    assert ["1.00" in claims(world)[1], "2.00" in claims(world)[0]] == [True, True]
    assert len(claims(world)) == 2
    assert (read(world, sale)["status"], read(world, sale)["owed"]) == ("left", 200)


def test_what_is_no_longer_owed_is_claimed_anew_once_it_is_owed_again(
    world: World, time: StillClock
) -> None:
    sale, order = gone(world, time)
    refund(world, order, (sale.sku_ids[0], 1))
    invoke("leaving_sweep")
    bonus = {"task": "service", "amount": 100, "reference": "claim 1"}
    path = f"/v1/leaders/{sale.leader_id}/bonuses"
    assert world.operator.post(path, bonus).status == 201
    night(world, time, days=9)
    invoke("leaving_sweep")
    assert (len(claims(world)), read(world, sale)["owed"]) == (1, 0)
    refund(world, order, (sale.sku_ids[0], 1))
    time.move_on(hours=1)
    invoke("leaving_sweep")
    assert (len(claims(world)), read(world, sale)["owed"]) == (2, 100)


def in_roles(world: World) -> tuple[Sale, dict[str, str]]:
    """A leader's sale of which a shop has a tenth and whoever invited it a tenth on top."""
    shop, inviter = world.add_leader(), world.add_leader()
    rules = [rule(1000, split=[{"role": "promoter", "bps": 9000}, SHOP])]
    plan = a_plan(world, *rules, country="DE", upline=[{"level": 1, "bps": 1000}])
    sale = planned_sale(world, plan)
    edit_leader(world, sale.leader_id, pickup_leader_id=shop, invited_by=inviter)
    return sale, {"shop": shop, "inviter": inviter}


SHOP = {"role": "pickup_point", "bps": 1000}


@pytest.fixture
def with_uplines(issuer: Issuer, time: StillClock) -> Iterator[World]:
    """A world in which the law of DE allows an upline."""
    with new_world(issuer, UPLINE_LIMITS="DE:1:5000") as made:
        yield made
        assert findings() == []


@pytest.mark.parametrize("role", ["shop", "inviter"])
def test_one_with_a_part_in_open_orders_of_others_waits_for_them(
    with_uplines: World, time: StillClock, role: str
) -> None:
    world = with_uplines
    sale, ids = in_roles(world)
    order = world.paid_order(sale, quantity=5)
    part = Sale(sale.supplier_id, ids[role], "", "", [])
    leave(world, part)
    assert waits_for(world, part) == ["orders"]
    for dispatch in order["dispatches"]:
        world.move(dispatch["id"], "accept", "ship", "deliver")
    assert waits_for(world, part) == ["returns", "settlement"]
    assert read(world, part)["returns_until"] == world.order(order["id"])["completes_at"]
    night(world, time, days=8)
    assert waits_for(world, part) == ["payout"]


def test_one_that_leaves_has_no_part_in_new_orders(with_uplines: World, time: StillClock) -> None:
    world = with_uplines
    sale, ids = in_roles(world)
    before = world.delivered_order(sale, 5)
    earned = {name: pending(world, leader_id) for name, leader_id in ids.items()}
    of_seller = pending(world, sale.leader_id)
    assert earned == {"shop": before["total"] // 100, "inviter": before["total"] // 10}
    for leader_id in ids.values():
        leave(world, Sale(sale.supplier_id, leader_id, "", "", []))
    world.delivered_order(sale, 5)
    assert {name: pending(world, leader_id) for name, leader_id in ids.items()} == earned
    # What the shop would have had is the promoter's, and what the inviter would have nobody's.
    assert pending(world, sale.leader_id) == 2 * of_seller + earned["shop"]


def pending(world: World, leader_id: str) -> int:
    return int(world.operator.get(f"/v1/leaders/{leader_id}/balance").json["pending"])


def test_commission_that_is_owed_is_handed_over_and_netted(world: World, time: StillClock) -> None:
    sale, order = gone(world, time)
    refund(world, order, (sale.sku_ids[0], 2))
    path = f"/v1/leaders/{sale.leader_id}/remittances"
    too_much = world.operator.post(path, {"amount": 201, "reference": "claim 1"})
    assert (too_much.status, too_much.code) == (409, "more_than_collected")
    assert "owes 2.00 EUR of commission" in too_much.json["detail"]
    assert world.operator.post(path, {"amount": 200, "reference": "claim 1"}).status == 201
    assert read(world, sale)["owed"] == 0
    batch = payouts.make(world)
    assert (batch["status"], batch["netted"], batch["results"]["offset"]) == ("closed", -200, 1)
    after = world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert (after["available"], after["collected"]) == (0, 0)
    again = world.operator.post(path, {"amount": 1, "reference": "claim 2"})
    assert (again.status, again.code) == (409, "more_than_collected")


def test_what_comes_after_one_has_left_is_paid_whatever_the_minimum(
    world: World, time: StillClock
) -> None:
    sale, _ = gone(world, time)
    bonus = {"task": "service", "amount": 250, "reference": "B1"}
    answer = world.operator.post(f"/v1/leaders/{sale.leader_id}/bonuses", bonus)
    assert answer.status == 201, answer.text
    night(world, time, days=9)
    assert paid_out(world)["amount"] == 250


def test_a_leader_that_is_owed_cash_is_paid_it_and_leaves(world: World, time: StillClock) -> None:
    (sale,) = communities(world, 1)
    gave_back(world, sale, 1)
    night(world, time, days=10)
    leave(world, sale)
    assert waits_for(world, sale) == ["payout"]
    assert paid_out(world)["amount"] == 1000
    night(world, time, days=1)
    waits_for(world, sale)
    assert (read(world, sale)["status"], claims(world)) == ("left", [])


def test_a_leader_speaks_for_itself_alone(world: World) -> None:
    sale, other = communities(world, 2)
    assert world.leader(other.leader_id).post(path(sale), {}).status == 404
    assert world.leader(other.leader_id).get(path(sale)).status == 404
    assert world.leader(sale.leader_id).post(path(sale), {}).status == 200
