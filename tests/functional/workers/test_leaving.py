"""Leaders that leave: frozen at once, and gone when nothing is left to wait for."""

from typing import Any

from tests.functional.test_refunds import refund
from tests.functional.workers.conftest import StillClock
from tests.support import payouts
from tests.support.communities import communities, deliver
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.lambdas import invoke
from tests.support.world import Json, Sale, World


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


def test_one_that_leaves_sells_no_more(world: World) -> None:
    (sale,) = communities(world, 1)
    assert read(world, sale)["status"] == "active"
    left = leave(world, sale, reason="The shop closes")
    assert (left["status"], left["reason"]) == ("leaving", "The shop closes")
    assert leave(world, sale, reason="another") == left
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


def test_a_leader_speaks_for_itself_alone(world: World) -> None:
    sale, other = communities(world, 2)
    assert world.leader(other.leader_id).post(path(sale), {}).status == 404
    assert world.leader(other.leader_id).get(path(sale)).status == 404
    assert world.leader(sale.leader_id).post(path(sale), {}).status == 200
