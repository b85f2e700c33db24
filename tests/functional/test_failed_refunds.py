"""Refunds that have failed at Stripe and are sent once more, never beside one that may arrive."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from tests.functional.conftest import Clock, new_world
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.lambdas import handle, invoke
from tests.support.snapshot import snapshot
from tests.support.stripe_server import StripeServer, event
from tests.support.stripe_world import at_odds, connected, tell
from tests.support.world import Issuer, Json, World, created

REFUND = r"POST /v1/refunds$"


@pytest.fixture
def stripe(server: HTTPServer) -> StripeServer:
    return StripeServer(server)


@pytest.fixture
def world(issuer: Issuer, time: Clock, stripe: StripeServer) -> Iterator[World]:
    """A world with Stripe. In the end both must add up, and agree."""
    with new_world(issuer) as made, connected(stripe):
        yield made
        made.work()
        assert findings() == []
        assert at_odds(made, stripe) == []


def decided(world: World, stripe: StripeServer) -> Json:
    """The refund of one of two units at 10.00, not sent yet."""
    order = world.place(world.sale(), quantity=2)
    assert tell(world, stripe.pay_order(order)).status == 200
    world.work()
    lines = [{"sku_id": order["lines"][0]["sku_id"], "quantity": 1}]
    body = {"lines": lines, "reason": "broken"}
    return created(world.operator.post(f"/v1/orders/{order['id']}/refunds", body))


def failed(world: World, stripe: StripeServer) -> Json:
    """The same, sent, and failed at Stripe. The next will not fail."""
    refund = decided(world, stripe)
    stripe.refunds_begin_as = "failed"
    world.work()
    stripe.refunds_begin_as = "succeeded"
    assert read(world, refund)["status"] == "failed"
    return refund


def read(world: World, refund: Json) -> Json:
    return world.operator.get(f"/v1/refunds/{refund['id']}").json


def retry(world: World, refund: Json, **headers: Any) -> Answer:
    return world.operator.post(f"/v1/refunds/{refund['id']}/retry", **headers)


def at_stripe(stripe: StripeServer) -> list[tuple[str, str]]:
    """Attempt and status of each refund in the account."""
    return [(each["metadata"]["attempt"], each["status"]) for each in stripe.refunds.values()]


def cases(world: World) -> list[str]:
    return [case["kind"] for case in world.operator.get("/v1/cases").json["items"]]


def test_a_failed_refund_is_sent_again_as_another(world: World, stripe: StripeServer) -> None:
    refund = failed(world, stripe)
    assert world.trial_balance()["refunds_in_flight"] == -1000
    again = retry(world, refund)
    assert (again.status, again.json["status"], again.json["attempt"]) == (200, "pending", 2)
    world.work()
    done = read(world, refund)
    assert (done["status"], done["attempt"], done["paid_from"]) == ("succeeded", 2, None)
    assert at_stripe(stripe) == [("1", "failed"), ("2", "succeeded")]
    assert world.trial_balance() == {"cash:stripe": 1000, "customer_prepayments": -1000}
    assert cases(world) == ["refund_failed"]


def test_a_refund_that_stripe_had_refused_is_made_at_last(
    world: World, stripe: StripeServer
) -> None:
    refund = decided(world, stripe)
    (intent,) = stripe.intents.values()
    by_hand = {
        "id": "re_hand",
        "amount": 1500,
        "currency": "eur",
        "payment_intent": intent["id"],
        "status": "pending",
        "metadata": {"note": "by hand"},
    }
    stripe.refunds["re_hand"] = by_hand
    world.work()
    assert read(world, refund)["status"] == "failed"
    by_hand["status"] = "canceled"
    assert retry(world, refund).status == 200
    world.work()
    assert read(world, refund)["status"] == "succeeded"


def give(world: World, stripe: StripeServer, status: str) -> None:
    """Let the worker send what waits, to come back with this status."""
    if status == "unknown":
        with stripe.accident(REFUND, "lose"):
            assert handle("refund_execute", *world.messages("REFUND_EXECUTE")) != []
        return
    stripe.refunds_begin_as = status
    world.work()


@pytest.mark.parametrize("status", ["pending", "unknown", "succeeded"])
def test_what_may_have_arrived_is_not_sent_again(
    world: World, stripe: StripeServer, status: str
) -> None:
    refund = decided(world, stripe)
    give(world, stripe, status)
    before = snapshot(world.environment)
    answer = retry(world, refund)
    assert (answer.status, answer.code) == (409, "refund_not_failed")
    assert status in answer.json["detail"]
    assert snapshot(world.environment) == before
    assert len(stripe.refunds) == 1
    handle("refund_execute", {"subject": refund["id"]})


def test_a_refund_that_had_not_failed_after_all_is_not_sent_beside_it(
    world: World, stripe: StripeServer
) -> None:
    refund = failed(world, stripe)
    (first,) = stripe.refunds.values()
    stripe.settle(first, "succeeded")
    assert retry(world, refund).status == 200
    world.work()
    done = read(world, refund)
    assert (done["status"], done["attempt"]) == ("succeeded", 1)
    assert len(stripe.refunds) == 1
    assert world.trial_balance() == {"cash:stripe": 1000, "customer_prepayments": -1000}


def test_what_is_told_late_of_a_former_attempt_changes_nothing(
    world: World, stripe: StripeServer
) -> None:
    refund = failed(world, stripe)
    (first,) = stripe.refunds.values()
    stripe.refunds_begin_as = "pending"
    assert retry(world, refund).status == 200
    told = event("refund.failed", first)

    def unmoved() -> bool:
        before = snapshot(world.environment)
        assert tell(world, told).status == 200
        return snapshot(world.environment) == before

    assert unmoved()
    world.work()
    assert unmoved()
    second = list(stripe.refunds.values())[1]
    stripe.settle(second, "succeeded")
    assert tell(world, event("refund.updated", second)).status == 200
    assert read(world, refund)["status"] == "succeeded"
    assert unmoved()


def test_each_attempt_that_fails_needs_a_person_and_is_told_once(
    world: World, stripe: StripeServer
) -> None:
    body = {"url": "http://127.0.0.1:9/hook", "event_types": ["refund.failed"]}
    created(world.operator.post("/v1/webhook-endpoints", body))
    refund = failed(world, stripe)
    stripe.refunds_begin_as = "failed"
    assert retry(world, refund).status == 200
    world.work()
    assert (read(world, refund)["status"], read(world, refund)["attempt"]) == ("failed", 2)
    for each in stripe.refunds.values():
        assert tell(world, event("refund.failed", each)).status == 200
    world.work()
    assert cases(world) == ["refund_failed", "refund_failed"]
    told = world.operator.get("/v1/webhook-deliveries").json["items"]
    assert [(each["event_type"], each["subject"]) for each in told] == [
        ("refund.failed", refund["id"])
    ] * 2


def test_an_attempt_without_an_answer_is_found_and_not_made_twice(
    world: World, stripe: StripeServer, time: Clock
) -> None:
    refund = failed(world, stripe)
    assert retry(world, refund).status == 200
    give(world, stripe, "unknown")
    assert read(world, refund)["status"] == "unknown"
    stripe.forget_keys()
    time.move_on(hours=25)
    invoke("refund_sweep")
    world.work()
    assert read(world, refund)["status"] == "succeeded"
    assert at_stripe(stripe) == [("1", "failed"), ("2", "succeeded")]


def test_48_hours_begin_anew_with_each_attempt(
    world: World, stripe: StripeServer, time: Clock
) -> None:
    refund = failed(world, stripe)
    time.move_on(hours=72)
    stripe.refunds_begin_as = "pending"
    assert retry(world, refund).status == 200
    world.work()
    time.move_on(hours=47)
    invoke("refund_sweep")
    world.work()
    assert cases(world) == ["refund_failed"]
    time.move_on(hours=1)
    invoke("refund_sweep")
    assert sorted(cases(world)) == ["refund_failed", "refund_unconfirmed"]


def test_a_retry_whose_message_was_lost_is_made_up_for(
    world: World, stripe: StripeServer, time: Clock
) -> None:
    refund = failed(world, stripe)
    assert retry(world, refund).status == 200
    assert len(world.messages("REFUND_EXECUTE")) == 1
    time.move_on(minutes=15)
    invoke("refund_sweep")
    world.work()
    assert read(world, refund)["status"] == "succeeded"


def test_one_request_is_one_attempt(world: World, stripe: StripeServer) -> None:
    refund = failed(world, stripe)
    first, again = retry(world, refund, key="once-more"), retry(world, refund, key="once-more")
    assert (again.status, again.json) == (200, first.json)
    assert again.headers["idempotent-replayed"] == "true"


def test_a_refund_that_is_not_there_is_not_sent(world: World) -> None:
    answer = retry(world, {"id": "rfd_0"})
    assert (answer.status, answer.code) == (404, "not_found")
