"""Refunds that do not arrive: their providers are asked again, and after 48 hours a person."""

from typing import Any

import pytest

from chalicelib.payments import refunds
from chalicelib.payments.providers import OutcomeUnknown
from tests.functional.workers.conftest import StillClock
from tests.support.lambdas import handle, invoke
from tests.support.provider import provider_that_answers
from tests.support.snapshot import snapshot
from tests.support.world import World


def test_a_provider_is_asked_again_after_a_while(world: World, time: StillClock) -> None:
    refund = pending_refund(world)
    time.move_on(minutes=14)
    invoke("refund_sweep")
    assert asked_for(world) == []
    time.move_on(minutes=1)
    invoke("refund_sweep")
    assert asked_for(world) == [refund["id"]]


def test_the_sweeps_in_between_ask_for_nothing(world: World, time: StillClock) -> None:
    refund = pending_refund(world)
    asked = []
    for _ in range(60):
        time.move_on(minutes=1)
        invoke("refund_sweep")
        asked += asked_for(world)
    assert asked == [refund["id"]] * 4


def test_a_message_that_was_lost_is_made_up_for(world: World, time: StillClock) -> None:
    refund = pending_refund(world)
    time.move_on(minutes=15)
    invoke("refund_sweep")
    world.work()
    assert read(world, refund)["status"] == "succeeded"


def test_a_refund_that_is_done_is_left_alone(world: World, time: StillClock) -> None:
    refund = pending_refund(world)
    with provider_that_answers("succeeded"):
        handle("refund_execute", {"subject": refund["id"]})
    time.move_on(hours=72)
    before = snapshot(world.environment)
    invoke("refund_sweep")
    assert snapshot(world.environment) == before


def test_an_outcome_that_stays_unknown_is_asked_for_every_quarter_of_an_hour(
    world: World, time: StillClock
) -> None:
    refund = pending_refund(world)
    with provider_that_answers(OutcomeUnknown()):
        handle("refund_execute", {"subject": refund["id"]})
    time.move_on(minutes=15)
    invoke("refund_sweep")
    invoke("refund_sweep")
    assert asked_for(world) == [refund["id"]]
    time.move_on(minutes=15)
    invoke("refund_sweep")
    assert asked_for(world) == [refund["id"]]


@pytest.mark.parametrize("method", ["card", "leader_collect"])
def test_after_48_hours_a_person_must_look_once(
    world: World, time: StillClock, method: str
) -> None:
    refund = pending_refund(world, method)
    time.move_on(hours=47, minutes=59)
    invoke("refund_sweep")
    assert cases(world) == []
    world.messages("REFUND_EXECUTE")
    time.move_on(minutes=1)
    for _ in range(3):
        invoke("refund_sweep")
        time.move_on(hours=1)
    (case,) = cases(world)
    assert (case["kind"], case["subject"]) == ("refund_unconfirmed", refund["id"])
    assert asked_for(world) == []
    assert read(world, refund)["status"] == "pending"
    assert world.trial_balance()["refunds_in_flight"] == -1000
    opened = [each for each in world.messages("WEBHOOK_FAN_OUT") if each["type"] == "case.opened"]
    assert len(opened) == 1


def test_money_that_arrives_after_the_case_is_booked_all_the_same(
    world: World, time: StillClock
) -> None:
    refund = pending_refund(world)
    time.move_on(hours=48)
    invoke("refund_sweep")
    world.provider_event("refund.succeeded", {"refund_id": refund["id"]})
    assert read(world, refund)["status"] == "succeeded"
    assert "refunds_in_flight" not in world.trial_balance()


def test_the_leader_may_confirm_after_the_case_too(world: World, time: StillClock) -> None:
    refund = pending_refund(world, "leader_collect")
    time.move_on(hours=49)
    invoke("refund_sweep")
    answer = world.operator.post(f"/v1/refunds/{refund['id']}/confirm")
    assert (answer.status, answer.json["status"]) == (200, "succeeded")
    assert "refunds_in_flight" not in world.trial_balance()


def test_one_refund_that_cannot_be_looked_at_does_not_hold_back_the_others(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pending_refund(world)
    time.move_on(seconds=1)
    second = pending_refund(world)
    time.move_on(hours=48)
    look = refunds._look_at

    def look_or_fail(refund: Any, now: Any) -> None:
        if refund.id == first["id"]:
            raise RuntimeError("poison")
        look(refund, now)

    monkeypatch.setattr(refunds, "_look_at", look_or_fail)
    with pytest.raises(RuntimeError, match="poison"):
        invoke("refund_sweep")
    assert [case["subject"] for case in cases(world)] == [second["id"]]


def pending_refund(world: World, method: str = "card") -> Any:
    """A refund of 10.00 whose message was lost."""
    sale = world.sale()
    order = world.place(sale, quantity=2, payment_method=method)
    if method == "card":
        assert world.pay(order).status == 200
    else:
        body = {"amount": 2000, "reference": "cash box"}
        assert world.operator.post(f"/v1/orders/{order['id']}/payments", body).status == 201
    world.work()
    lines = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
    body = {"lines": lines, "reason": "broken"}
    answer = world.operator.post(f"/v1/orders/{order['id']}/refunds", body)
    assert answer.status == 201, answer.text
    world.messages("REFUND_EXECUTE")
    return answer.json


def asked_for(world: World) -> list[str]:
    return [message["subject"] for message in world.messages("REFUND_EXECUTE")]


def cases(world: World) -> list[Any]:
    items: list[Any] = world.operator.get("/v1/cases").json["items"]
    return items


def read(world: World, refund: Any) -> Any:
    return world.operator.get(f"/v1/refunds/{refund['id']}").json
