"""A decided refund is sent to its provider until its outcome is known, and booked once."""

from typing import Any
from unittest import mock

import pytest

from chalicelib.payments.providers import OutcomeUnknown, RefundRequest
from chalicelib.payments.providers.local import LocalProvider
from tests.support.invariants import findings
from tests.support.lambdas import handle
from tests.support.provider import provider_that_answers
from tests.support.snapshot import snapshot
from tests.support.world import Sale, World


def test_a_refund_that_succeeds_leaves_the_providers_cash(world: World) -> None:
    order, refund = refunded(world)
    with provider_that_answers("succeeded") as provider:
        assert handle("refund_execute", about(refund)) == []
    assert provider.asked == [RefundRequest(refund["id"], 1, f"ch_{order['id']}", 1000, "EUR")]
    done = read(world, refund)
    assert (done["status"], done["amount"]) == ("succeeded", 1000)
    assert done["completed_at"] == "2026-03-10T12:00:00.000Z"
    assert world.trial_balance() == {"cash:local": 2000, "customer_prepayments": -2000}


def test_a_refund_is_sent_once_however_often_its_message_comes(world: World) -> None:
    _, refund = refunded(world)
    with provider_that_answers("succeeded") as provider:
        assert handle("refund_execute", about(refund), about(refund)) == []
        before = snapshot(world.environment)
        assert handle("refund_execute", about(refund)) == []
    assert len(provider.asked) == 1
    assert snapshot(world.environment) == before


def test_until_it_is_sent_a_refund_is_in_flight(world: World) -> None:
    _, refund = refunded(world)
    assert refund["status"] == "pending"
    assert world.trial_balance() == {
        "cash:local": 3000,
        "customer_prepayments": -2000,
        "refunds_in_flight": -1000,
    }


def test_a_refund_that_is_under_way_stays_pending(world: World) -> None:
    _, refund = refunded(world)
    with provider_that_answers("pending"):
        assert handle("refund_execute", about(refund)) == []
    assert read(world, refund)["status"] == "pending"
    assert world.trial_balance()["refunds_in_flight"] == -1000


def test_the_providers_event_ends_a_refund_that_was_under_way(world: World) -> None:
    _, refund = refunded(world)
    with provider_that_answers("pending"):
        handle("refund_execute", about(refund))
    for _ in range(2):
        assert world.provider_event("refund.succeeded", {"refund_id": refund["id"]}).status == 200
    assert read(world, refund)["status"] == "succeeded"
    assert world.trial_balance() == {"cash:local": 2000, "customer_prepayments": -2000}


def test_a_message_behind_the_providers_event_asks_for_nothing(world: World) -> None:
    _, refund = refunded(world)
    world.provider_event("refund.succeeded", {"refund_id": refund["id"]})
    with provider_that_answers("failed") as provider:
        assert handle("refund_execute", about(refund)) == []
    assert provider.asked == []
    assert read(world, refund)["status"] == "succeeded"


def test_a_refund_that_fails_stays_in_flight_and_opens_a_case(world: World) -> None:
    order, refund = refunded(world)
    with provider_that_answers("failed"):
        assert handle("refund_execute", about(refund), about(refund)) == []
    assert read(world, refund)["status"] == "failed"
    assert world.trial_balance()["refunds_in_flight"] == -1000
    (case,) = world.operator.get("/v1/cases").json["items"]
    assert (case["kind"], case["subject"], case["status"]) == (
        "refund_failed",
        refund["id"],
        "open",
    )
    assert order["id"] in case["detail"]


def test_a_refund_that_fails_after_it_had_succeeded_opens_a_case(world: World) -> None:
    _, refund = refunded(world)
    for kind in ("refund.succeeded", "refund.failed", "refund.failed"):
        assert world.provider_event(kind, {"refund_id": refund["id"]}).status == 200
    assert read(world, refund)["status"] == "succeeded"
    (case,) = world.operator.get("/v1/cases").json["items"]
    assert (case["kind"], case["subject"]) == ("refund_failed", refund["id"])
    assert "attempt 1 of refund" in case["detail"]
    assert "failed, after attempt 1 had succeeded" in case["detail"]


def test_a_refund_that_arrives_twice_opens_a_case(world: World) -> None:
    _, refund = refunded(world)
    world.provider_event("refund.failed", {"refund_id": refund["id"]})
    world.operator.post(f"/v1/refunds/{refund['id']}/retry")
    for attempt in (1, 2, 2):
        arrived = {"refund_id": refund["id"], "attempt": attempt}
        assert world.provider_event("refund.succeeded", arrived).status == 200
    done = read(world, refund)
    assert (done["status"], done["attempt"]) == ("succeeded", 1)
    cases = world.operator.get("/v1/cases").json["items"]
    assert {(each["kind"], each["subject"]) for each in cases} == {("refund_failed", refund["id"])}
    (twice,) = (each for each in cases if "attempt 2 of refund" in each["detail"])
    assert "succeeded, after attempt 1 had succeeded" in twice["detail"]


def test_a_provider_says_nothing_of_cash_that_a_leader_hands_back(world: World) -> None:
    order = world.place(world.sale(), payment_method="leader_collect")
    cash = {"amount": order["total"], "reference": "cash 1"}
    world.leader(order["leader_id"]).post(f"/v1/orders/{order['id']}/payments", cash)
    world.work()
    world.operator.post(f"/v1/orders/{order['id']}/cancel", {})
    (refund_id,) = world.order(order["id"])["refunds"]
    answer = world.provider_event("refund.succeeded", {"refund_id": refund_id})
    assert (answer.status, answer.code) == (404, "not_found")
    assert world.operator.get(f"/v1/refunds/{refund_id}").json["status"] == "pending"


def test_a_refund_that_fails_is_told_once(world: World) -> None:
    body = {"url": "http://127.0.0.1:9/hook", "event_types": ["refund.failed", "case.opened"]}
    assert world.operator.post("/v1/webhook-endpoints", body).status == 201
    _, refund = refunded(world)
    with provider_that_answers("failed"):
        handle("refund_execute", about(refund), about(refund))
    events = world.messages("WEBHOOK_FAN_OUT")
    assert handle("webhook_fan_out", *events, *reversed(events)) == []
    made = world.operator.get("/v1/webhook-deliveries").json["items"]
    assert sorted(each["event_type"] for each in made) == ["case.opened", "refund.failed"]
    assert [each["subject"] for each in made if each["event_type"] == "refund.failed"] == [
        refund["id"]
    ]


def test_a_failed_refund_that_arrives_after_all_is_done(world: World) -> None:
    _, refund = refunded(world)
    with provider_that_answers("failed"):
        handle("refund_execute", about(refund))
    world.provider_event("refund.succeeded", {"refund_id": refund["id"]})
    assert read(world, refund)["status"] == "succeeded"
    assert "refunds_in_flight" not in world.trial_balance()


def test_an_answer_that_does_not_come_says_nothing_of_a_refund_that_failed(world: World) -> None:
    """The provider's event is there before its answer is lost."""
    _, refund = refunded(world)

    def failed_meanwhile(*_: Any) -> None:
        world.provider_event("refund.failed", {"refund_id": refund["id"]})
        raise OutcomeUnknown

    with mock.patch.object(LocalProvider, "refund", side_effect=failed_meanwhile):
        assert handle("refund_execute", about(refund)) == [about(refund)]
    assert read(world, refund)["status"] == "failed"
    with provider_that_answers() as provider:
        assert handle("refund_execute", about(refund)) == []
    assert provider.asked == []
    assert [case["kind"] for case in world.operator.get("/v1/cases").json["items"]] == [
        "refund_failed"
    ]


def test_an_unknown_outcome_is_asked_for_again_with_the_same_key(world: World) -> None:
    order, refund = refunded(world)
    with provider_that_answers(OutcomeUnknown(), OutcomeUnknown(), "succeeded") as provider:
        for _ in range(2):
            assert handle("refund_execute", about(refund)) == [about(refund)]
            assert read(world, refund)["status"] == "unknown"
            assert world.trial_balance()["refunds_in_flight"] == -1000
        assert handle("refund_execute", about(refund)) == []
    assert set(provider.asked) == {RefundRequest(refund["id"], 1, f"ch_{order['id']}", 1000, "EUR")}
    assert len(provider.asked) == 3
    assert read(world, refund)["status"] == "succeeded"
    assert world.trial_balance() == {"cash:local": 2000, "customer_prepayments": -2000}


def test_a_provider_that_breaks_leaves_the_refund_as_it_was(world: World) -> None:
    _, refund = refunded(world)
    with provider_that_answers(ConnectionError("no network"), "succeeded"):
        assert handle("refund_execute", about(refund)) == [about(refund)]
        assert read(world, refund)["status"] == "pending"
        assert handle("refund_execute", about(refund)) == []
    assert read(world, refund)["status"] == "succeeded"


def test_only_the_message_that_failed_goes_back(world: World) -> None:
    sale = world.sale()
    (_, one), (_, two), (_, three) = [refunded(world, sale) for _ in range(3)]
    with provider_that_answers("succeeded", OutcomeUnknown(), "succeeded"):
        given_back = handle("refund_execute", about(one), about(two), about(three))
    assert given_back == [about(two)]
    assert [read(world, each)["status"] for each in (one, two, three)] == [
        "succeeded",
        "unknown",
        "succeeded",
    ]


def test_cash_that_a_leader_hands_back_is_no_providers(world: World) -> None:
    sale = world.sale()
    order = collected_order(world, sale)
    refund = refund_one(world, order)
    with provider_that_answers("succeeded") as provider:
        assert handle("refund_execute", about(refund)) == []
    assert provider.asked == []
    assert (read(world, refund)["status"], refund["method"]) == ("pending", "leader_collect")
    answer = world.leader(sale.leader_id).post(f"/v1/refunds/{refund['id']}/confirm")
    assert (answer.status, answer.json["status"]) == (200, "succeeded")
    assert world.trial_balance() == {
        f"leader:{sale.leader_id}:collected": 2000,
        "customer_prepayments": -2000,
    }


@pytest.mark.parametrize("step", [1, -1], ids=["in order", "backwards"])
def test_two_refunds_of_one_order_are_two(world: World, step: int) -> None:
    order, one = refunded(world)
    two = refund_one(world, order)
    messages = [about(one), about(two), about(one), about(two)]
    with provider_that_answers("succeeded") as provider:
        handle("refund_execute", *messages[::step])
    assert len(provider.asked) == 2
    assert world.order(order["id"])["refunded_amount"] == 2000
    assert world.trial_balance() == {"cash:local": 1000, "customer_prepayments": -1000}
    world.work()
    assert findings() == []


def refunded(world: World, sale: Sale | None = None) -> tuple[Any, Any]:
    """A paid order of three units at 10.00, and the refund of one of them, not sent yet."""
    order = world.paid_order(sale or world.sale(), quantity=3)
    return order, refund_one(world, order)


def refund_one(world: World, order: Any) -> Any:
    lines = [{"sku_id": order["lines"][0]["sku_id"], "quantity": 1}]
    body = {"lines": lines, "reason": "broken"}
    answer = world.operator.post(f"/v1/orders/{order['id']}/refunds", body)
    assert answer.status == 201, answer.text
    decided = world.messages("REFUND_EXECUTE")
    assert [message["subject"] for message in decided] == [answer.json["id"]]
    return answer.json


def collected_order(world: World, sale: Sale) -> Any:
    order = world.place(sale, quantity=3, payment_method="leader_collect")
    paid = world.leader(sale.leader_id).post(
        f"/v1/orders/{order['id']}/payments", {"amount": 3000, "reference": "cash box"}
    )
    assert paid.status == 201, paid.text
    world.work()
    return world.order(order["id"])


def about(refund: Any) -> Any:
    return {"type": "refund.decided", "subject": refund["id"], "data": {}}


def read(world: World, refund: Any) -> Any:
    return world.operator.get(f"/v1/refunds/{refund['id']}").json
