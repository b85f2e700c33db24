"""An after-sales request that nobody decides in time calls a person, once."""

from tests.functional.conftest import new_world
from tests.functional.workers.conftest import StillClock
from tests.support.invariants import findings
from tests.support.lambdas import invoke
from tests.support.world import Issuer, Json, World, created


def asked(world: World) -> Json:
    sale = world.sale()
    order = world.delivered_order(sale)
    body = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "Wet, says Alice"}
    return created(world.customer().post(f"/v1/orders/{order['id']}/after-sales", body))


def cases(world: World) -> list[Json]:
    found: list[Json] = world.operator.get("/v1/cases").json["items"]
    return found


def read(world: World, request: Json) -> Json:
    return world.operator.get(f"/v1/after-sales/{request['id']}").json


def decide(world: World, request: Json) -> None:
    path = f"/v1/after-sales/{request['id']}/decide"
    assert world.operator.post(path, {"refund": True, "note": "Sorry."}).status == 200


def test_after_48_hours_a_person_is_called_once(world: World, time: StillClock) -> None:
    request = asked(world)
    assert request["due_at"] == "2026-03-12T12:00:00.000Z"
    time.move_on(hours=48, seconds=-1)
    invoke("after_sales_sweep")
    assert cases(world) == []
    time.move_on(seconds=1)
    for _ in range(3):
        invoke("after_sales_sweep")
        time.move_on(minutes=1)
    (case,) = cases(world)
    assert (case["kind"], case["subject"]) == ("after_sales_overdue", request["id"])
    assert request["order_id"] in case["detail"]
    assert "Alice" not in case["detail"]
    found = read(world, request)
    assert [(step["by"], step["action"]) for step in found["steps"]] == [
        ("customer", "requested"),
        ("platform", "escalated"),
    ]
    assert (found["status"], found["version"]) == ("requested", 2)


def test_an_escalated_request_is_answered_and_decided_as_any_other(
    world: World, time: StillClock
) -> None:
    request = asked(world)
    time.move_on(hours=49)
    invoke("after_sales_sweep")
    leader = world.leader(request["leader_id"])
    path = f"/v1/after-sales/{request['id']}/respond"
    assert leader.post(path, {"accept": True, "note": "Yes."}).json["status"] == "responded"
    invoke("after_sales_sweep")
    assert len(cases(world)) == 1
    decide(world, request)
    world.work()
    assert world.trial_balance() == {}
    assert findings() == []


def test_a_response_does_not_stop_the_clock_but_a_decision_does(
    world: World, time: StillClock
) -> None:
    answered, decided = asked(world), asked(world)
    leader = world.leader(answered["leader_id"])
    leader.post(f"/v1/after-sales/{answered['id']}/respond", {"accept": False, "note": "No."})
    decide(world, decided)
    time.move_on(hours=48)
    invoke("after_sales_sweep")
    assert [case["subject"] for case in cases(world)] == [answered["id"]]


def test_the_clock_is_a_setting(issuer: Issuer, time: StillClock) -> None:
    with new_world(issuer, AFTER_SALES_HOURS="3") as world:
        assert asked(world)["due_at"] == "2026-03-10T15:00:00.000Z"
        time.move_on(hours=3)
        invoke("after_sales_sweep")
        assert len(cases(world)) == 1
