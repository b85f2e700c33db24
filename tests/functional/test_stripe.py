"""Orders that are paid and refunded through Stripe, whatever becomes of a call or an event."""

import json
import logging
import time as real_time
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from tests.functional.conftest import Clock, new_world
from tests.support.invariants import findings
from tests.support.lambdas import handle, invoke
from tests.support.snapshot import snapshot
from tests.support.statements import differences, reconcile, resolve
from tests.support.stripe_server import (
    API_KEY,
    WEBHOOK_SECRET,
    Accident,
    StripeServer,
    event,
    signature,
)
from tests.support.stripe_world import at_odds, connected, tell
from tests.support.world import Issuer, Json, World, created

# Two units at 1000.
TOTAL = 2000
# All by which an answer can fail to come.
ACCIDENTS: tuple[Accident, ...] = ("fail", "down", "lose", "limit")
CREATE = r"POST /v1/payment_intents$"
CANCEL = r"POST /v1/payment_intents/\w+/cancel"
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


def read(world: World, order: Json) -> Json:
    """The order as its customer reads it."""
    return world.customer().get(f"/v1/orders/{order['id']}").json


def cancel(world: World, order: Json) -> Any:
    return world.customer().post(f"/v1/orders/{order['id']}/cancel", {})


def paid(world: World, stripe: StripeServer) -> Json:
    """An order of 20.00 that Stripe has told to be paid."""
    order = world.place(world.sale(stock=5), quantity=2)
    assert tell(world, stripe.pay_order(order)).status == 200
    world.work()
    return world.order(order["id"])


def let_expire(world: World, time: Clock, minutes: int = 16) -> None:
    time.move_on(minutes=minutes)
    invoke("order_expire")


def refund(world: World, order: Json, quantity: int = 1) -> Json:
    lines = [{"sku_id": order["lines"][0]["sku_id"], "quantity": quantity}]
    body = {"lines": lines, "reason": "broken"}
    return created(world.operator.post(f"/v1/orders/{order['id']}/refunds", body))


def status_of(world: World, made: Json) -> str:
    return str(world.operator.get(f"/v1/refunds/{made['id']}").json["status"])


def cases(world: World) -> list[str]:
    return [case["kind"] for case in world.operator.get("/v1/cases").json["items"]]


# Paying


def test_a_customer_gets_what_it_takes_to_pay(world: World, stripe: StripeServer) -> None:
    order = world.place(world.sale(), quantity=2)
    intent = stripe.intent_of(order)
    assert order["payment"]["client_secret"] == intent["client_secret"]
    assert (intent["amount"], intent["currency"]) == (TOTAL, "eur")
    assert intent["metadata"] == {"payment_id": order["payment"]["id"], "order_id": order["id"]}
    assert stripe.asked == [("POST", "/v1/payment_intents", order["payment"]["id"])]


def test_a_payment_is_booked_as_stripes_and_the_order_is_paid(
    world: World, stripe: StripeServer
) -> None:
    order = paid(world, stripe)
    assert (order["status"], order["payment"]["status"]) == ("paid", "succeeded")
    assert world.trial_balance() == {"cash:stripe": TOTAL, "customer_prepayments": -TOTAL}
    assert cases(world) == []


def test_only_the_customer_of_a_pending_order_sees_its_secret(
    world: World, stripe: StripeServer
) -> None:
    order = world.place(world.sale())
    secret = order["payment"]["client_secret"]
    path = f"/v1/orders/{order['id']}"
    assert read(world, order) == order
    for other in (world.operator, world.leader(order["leader_id"])):
        assert other.get(path).json["payment"]["client_secret"] is None
    listed = world.customer().get("/v1/orders").json["items"]
    assert [each["payment"]["client_secret"] for each in listed] == [None]
    tell(world, stripe.pay(secret))
    assert read(world, order)["payment"]["client_secret"] is None


def test_the_secret_is_stored_nowhere(world: World) -> None:
    order = world.place(world.sale())
    read(world, order)
    assert order["payment"]["client_secret"]
    assert order["payment"]["client_secret"] not in str(snapshot(world.environment))


def test_reading_again_makes_no_second_intent(world: World, stripe: StripeServer) -> None:
    order = world.place(world.sale())
    for _ in range(3):
        assert read(world, order) == order
    assert len(stripe.intents) == 1


def test_a_repeat_of_the_placing_gives_the_same_secret(world: World, stripe: StripeServer) -> None:
    sale, alice = world.sale(), world.customer()
    first = alice.post("/v1/orders", world.order_body(sale), key="basket-1")
    again = alice.post("/v1/orders", world.order_body(sale), key="basket-1")
    assert (again.status, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.text == first.text
    assert len(stripe.intents) == 1


def test_a_repeat_after_the_payment_gives_no_secret(world: World, stripe: StripeServer) -> None:
    sale, alice = world.sale(), world.customer()
    first = alice.post("/v1/orders", world.order_body(sale), key="basket-1").json
    tell(world, stripe.pay_order(first))
    again = alice.post("/v1/orders", world.order_body(sale), key="basket-1").json
    assert again == {**first, "payment": {**first["payment"], "client_secret": None}}


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_an_order_stands_whatever_stripe_answers(
    world: World, stripe: StripeServer, accident: Accident
) -> None:
    sale, alice = world.sale(stock=1), world.customer()
    with stripe.accident(CREATE, accident):
        answer = alice.post("/v1/orders", world.order_body(sale), key="basket-1")
    assert (answer.status, answer.json["status"]) == (201, "pending_payment")
    assert answer.json["payment"]["client_secret"] is None
    assert world.stock(sale.sku_ids[0])["reserved"] == 1


@pytest.mark.parametrize("accident", ["down", "lose", "limit"])
def test_a_secret_that_did_not_come_is_had_by_reading_the_order(
    world: World, stripe: StripeServer, accident: Accident
) -> None:
    sale, alice = world.sale(), world.customer()
    with stripe.accident(CREATE, accident):
        order = alice.post("/v1/orders", world.order_body(sale), key="basket-1").json
    secret = stripe.intent_of(read(world, order))["client_secret"]
    assert read(world, order)["payment"]["client_secret"] == secret
    again = alice.post("/v1/orders", world.order_body(sale), key="basket-1").json
    assert again["payment"]["client_secret"] == secret
    tell(world, stripe.pay(secret))
    assert world.order(order["id"])["status"] == "paid"


def test_a_payment_that_stripe_refuses_needs_a_person_once(
    world: World, stripe: StripeServer, time: Clock
) -> None:
    order = world.place(world.sale(price=49))
    for _ in range(2):
        assert read(world, order)["payment"]["client_secret"] is None
    (case,) = world.operator.get("/v1/cases").json["items"]
    assert (case["kind"], case["subject"]) == ("payment_refused", order["id"])
    assert "amount_too_small" in case["detail"]
    let_expire(world, time)
    assert world.order(order["id"])["status"] == "expired"


def test_wrong_credentials_are_no_refusal(
    world: World, stripe: StripeServer, monkeypatch: pytest.MonkeyPatch, time: Clock
) -> None:
    with monkeypatch.context() as wrong:
        wrong.setattr(stripe, "api_key", "sk_of_tomorrow")
        order = world.place(world.sale())
        assert order["payment"]["client_secret"] is None
        let_expire(world, time)
        assert world.order(order["id"])["status"] == "pending_payment"
        assert cases(world) == []
    assert read(world, order)["payment"]["client_secret"]


def test_cards_are_not_taken_in_currencies_that_stripe_counts_otherwise(world: World) -> None:
    supplier, leader = world.add_supplier("KWD"), world.add_leader("KWD")
    skus = [{"title": "Box", "list_price": 1200, "cost": 700}]
    product = {"supplier_id": supplier, "title": "Eggs", "currency": "KWD", "skus": skus}
    sku_id = created(world.operator.post("/v1/products", product))["skus"][0]["id"]
    world.set_stock(sku_id, 5)
    commission = {"basis": "sales", "rate_bps": 1000}
    campaign = {
        "title": "Today",
        "opens_at": "2020-01-01T00:00:00Z",
        "closes_at": "2099-01-01T00:00:00Z",
        "currency": "KWD",
        "offers": [{"sku_id": sku_id, "price": 1000, "commission": commission}],
    }
    campaign_id = created(world.operator.post("/v1/campaigns", campaign))["id"]
    sale = world.sale()
    body = {
        **world.order_body(sale),
        "campaign_id": campaign_id,
        "leader_id": leader,
        "lines": [{"sku_id": sku_id, "quantity": 1}],
    }
    refused = world.customer().post("/v1/orders", body)
    assert (refused.status, refused.code) == (422, "method_not_taken")
    assert "KWD" in refused.json["detail"]
    collected = world.customer().post("/v1/orders", {**body, "payment_method": "leader_collect"})
    assert collected.status == 201


def test_an_order_that_its_leader_collects_for_is_nothing_to_stripe(
    world: World, stripe: StripeServer, time: Clock
) -> None:
    order = world.place(world.sale(), payment_method="leader_collect")
    assert read(world, order)["payment"]["client_secret"] is None
    let_expire(world, time, minutes=25 * 60)
    assert world.order(order["id"])["status"] == "expired"
    assert stripe.asked == []


# Ending unpaid


def test_an_expired_order_can_no_longer_be_paid(
    world: World, stripe: StripeServer, time: Clock
) -> None:
    sale = world.sale(stock=5)
    order = world.place(sale, quantity=2)
    let_expire(world, time)
    assert world.order(order["id"])["status"] == "expired"
    assert stripe.intent_of(order)["status"] == "canceled"
    assert world.stock(sale.sku_ids[0])["available"] == 5


@pytest.mark.parametrize("who", ["customer", "operator"])
def test_a_cancelled_order_can_no_longer_be_paid(
    world: World, stripe: StripeServer, who: str
) -> None:
    order = world.place(world.sale())
    caller = world.operator if who == "operator" else world.customer()
    answer = caller.post(f"/v1/orders/{order['id']}/cancel", {})
    assert (answer.status, answer.json["status"]) == (200, "cancelled")
    assert stripe.intent_of(order)["status"] == "canceled"


def test_money_that_came_before_the_sweep_wins(
    world: World, stripe: StripeServer, time: Clock
) -> None:
    sale = world.sale(stock=5)
    order = world.place(sale, quantity=2)
    told_later = stripe.pay_order(order)
    let_expire(world, time)
    world.work()
    after = world.order(order["id"])
    assert (after["status"], len(after["dispatches"])) == ("paid", 1)
    before = snapshot(world.environment)
    assert tell(world, told_later).status == 200
    assert snapshot(world.environment) == before
    assert world.trial_balance() == {"cash:stripe": TOTAL, "customer_prepayments": -TOTAL}


def test_money_that_came_before_the_customers_cancel_wins(
    world: World, stripe: StripeServer
) -> None:
    order = world.place(world.sale(), quantity=2)
    told_later = stripe.pay_order(order)
    answer = cancel(world, order)
    assert (answer.status, answer.code) == (409, "order_not_cancellable")
    assert world.order(order["id"])["status"] == "paid"
    assert tell(world, told_later).status == 200
    assert world.trial_balance() == {"cash:stripe": TOTAL, "customer_prepayments": -TOTAL}


def test_a_cancelled_campaign_sends_money_that_came_first_back(
    world: World, stripe: StripeServer
) -> None:
    """The worker that ends the order is the first to learn of the money."""
    sale = world.sale(stock=5)
    order = world.place(sale, quantity=2)
    stripe.pay_order(order)
    assert world.operator.post(f"/v1/campaigns/{sale.campaign_id}/cancel").status == 200
    world.work()
    assert world.order(order["id"])["status"] == "refunded"
    assert world.stock(sale.sku_ids[0])["available"] == 5


def test_an_operators_cancel_sends_money_that_came_first_back(
    world: World, stripe: StripeServer
) -> None:
    order = world.place(world.sale(), quantity=2)
    told_later = stripe.pay_order(order)
    answer = world.operator.post(f"/v1/orders/{order['id']}/cancel", {})
    assert (answer.status, answer.json["status"]) == (200, "refunded")
    world.work()
    assert tell(world, told_later).status == 200
    assert world.trial_balance() == {}
    assert [each["amount"] for each in stripe.refunds.values()] == [TOTAL]


@pytest.mark.parametrize(
    ("call", "accident"),
    [*((CANCEL, each) for each in ACCIDENTS), *((CREATE, each) for each in ACCIDENTS[1:])],
)
def test_units_stay_held_until_stripe_has_answered(
    world: World, stripe: StripeServer, time: Clock, call: str, accident: Accident
) -> None:
    sale = world.sale(stock=1)
    with stripe.accident(CREATE, "down"):
        order = world.place(sale)
    with stripe.accident(call, accident):
        let_expire(world, time)
    assert world.order(order["id"])["status"] == "pending_payment"
    assert world.stock(sale.sku_ids[0])["reserved"] == 1
    let_expire(world, time, minutes=1)
    assert world.order(order["id"])["status"] == "expired"
    assert [each["status"] for each in stripe.intents_of(order)] == ["canceled"]
    assert world.stock(sale.sku_ids[0])["available"] == 1


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_a_cancel_without_stripes_answer_changes_nothing_and_can_be_sent_again(
    world: World, stripe: StripeServer, accident: Accident
) -> None:
    order, alice = world.place(world.sale()), world.customer()
    path, before = f"/v1/orders/{order['id']}/cancel", snapshot(world.environment)
    with stripe.accident(CANCEL, accident):
        refused = alice.post(path, {}, key="cancel-1")
    assert (refused.status, refused.code) == (503, "payment_not_stopped")
    assert refused.headers["retry-after"]
    assert snapshot(world.environment) == before
    again = alice.post(path, {}, key="cancel-1")
    assert (again.status, again.json["status"]) == (200, "cancelled")


def test_an_intent_that_was_never_made_is_made_and_cancelled(
    world: World, stripe: StripeServer, time: Clock
) -> None:
    with stripe.accident(CREATE, "down"):
        order = world.place(world.sale())
    let_expire(world, time)
    assert stripe.intent_of(order)["status"] == "canceled"
    assert world.order(order["id"])["status"] == "expired"


def test_a_failure_that_stripe_keeps_does_not_hold_units_for_a_day(
    world: World, stripe: StripeServer, time: Clock
) -> None:
    with stripe.accident(CREATE, "fail"):
        order = world.place(world.sale())
    assert read(world, order)["payment"]["client_secret"] is None
    assert cases(world) == ["payment_refused"]
    let_expire(world, time)
    assert world.order(order["id"])["status"] == "expired"
    assert stripe.intents == {}


def test_after_a_day_an_intent_is_found_without_its_key(
    world: World, stripe: StripeServer, time: Clock
) -> None:
    order = world.place(world.sale())
    stripe.forget_keys()
    time.move_on(hours=25)
    assert read(world, order) == order
    invoke("order_expire")
    assert stripe.intent_of(order)["status"] == "canceled"
    assert world.order(order["id"])["status"] == "expired"


def test_after_a_day_money_is_found_without_its_key(
    world: World, stripe: StripeServer, time: Clock
) -> None:
    order = world.place(world.sale())
    stripe.pay_order(order)
    stripe.forget_keys()
    let_expire(world, time, minutes=25 * 60)
    assert world.order(order["id"])["status"] == "paid"
    assert len(stripe.intents) == 1


def test_an_order_whose_stopping_is_asked_for_too_long_needs_a_person(
    world: World, stripe: StripeServer, time: Clock
) -> None:
    order = world.place(world.sale())
    stripe.intent_of(order)["status"] = "processing"
    let_expire(world, time)
    let_expire(world, time, minutes=118)
    assert cases(world) == []
    for _ in range(3):
        let_expire(world, time, minutes=2)
    assert cases(world) == ["payment_not_stopped"]
    assert world.order(order["id"])["status"] == "pending_payment"
    stripe.intent_of(order)["status"] = "requires_payment_method"
    let_expire(world, time, minutes=2)
    assert world.order(order["id"])["status"] == "expired"


def test_a_case_that_is_opened_each_minute_is_told_once(
    world: World, stripe: StripeServer, time: Clock
) -> None:
    body = {"url": "http://127.0.0.1:9/hook", "event_types": ["case.opened"]}
    created(world.operator.post("/v1/webhook-endpoints", body))
    order = world.place(world.sale())
    stripe.intent_of(order)["status"] = "processing"
    let_expire(world, time, minutes=3 * 60)
    for _ in range(2):
        let_expire(world, time, minutes=1)
    opened = [each for each in world.messages("WEBHOOK_FAN_OUT") if each["type"] == "case.opened"]
    assert len(opened) == 3
    for each in opened:
        assert handle("webhook_fan_out", each) == []
    (told,) = world.operator.get("/v1/webhook-deliveries").json["items"]
    (case,) = world.operator.get("/v1/cases").json["items"]
    assert (told["subject"], case["subject"]) == (case["id"], order["id"])
    world.work()
    tried = world.operator.get(f"/v1/webhook-deliveries/{told['id']}").json
    assert len(tried["attempts"]) == 1


def test_orders_that_wait_for_stripe_hold_back_no_others(
    world: World, stripe: StripeServer, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = world.sale()
    waiting = [world.place(sale, world.customer(f"cus_{n}")) for n in range(3)]
    for order in waiting:
        stripe.intent_of(order)["status"] = "processing"
    time.move_on(seconds=1)
    last = world.place(sale)
    monkeypatch.setattr("chalicelib.ordering.ending.ORDERS_A_SWEEP", 3)
    let_expire(world, time)
    assert world.order(last["id"])["status"] == "pending_payment"
    invoke("order_expire")
    assert world.order(last["id"])["status"] == "expired"


def test_a_sweep_whose_time_is_over_leaves_the_rest_to_the_next(
    world: World, stripe: StripeServer, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.place(world.sale())
    asked = len(stripe.asked)
    with monkeypatch.context() as hurried:
        hurried.setattr("chalicelib.ordering.ending.STOPPING_SECONDS", -1)
        let_expire(world, time)
    assert world.order(order["id"])["status"] == "pending_payment"
    assert len(stripe.asked) == asked
    let_expire(world, time, minutes=1)
    assert world.order(order["id"])["status"] == "expired"


def test_an_order_keeps_its_provider_when_the_settings_change(
    world: World, stripe: StripeServer, time: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.place(world.sale())
    with monkeypatch.context() as without:
        without.delenv("STRIPE_SECRET")
        local = world.place(world.sale())
        assert local["payment"]["client_secret"] is None
        assert read(world, order)["payment"]["client_secret"] is None
        let_expire(world, time)
        assert world.order(local["id"])["status"] == "expired"
        assert world.order(order["id"])["status"] == "pending_payment"
    let_expire(world, time, minutes=1)
    assert world.order(order["id"])["status"] == "expired"
    assert len(stripe.intents) == 1


def test_neither_secrets_nor_signatures_are_logged(
    world: World,
    stripe: StripeServer,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # boto3's own log of bodies is the AWS side's affair.
    with caplog.at_level(logging.INFO, "botocore"), caplog.at_level(logging.DEBUG):
        with stripe.accident(CREATE, "down"):
            order = world.place(world.sale())
        secret = read(world, order)["payment"]["client_secret"]
        told = stripe.pay(secret)
        tell(world, told, signed="t=1,v1=forged")
        tell(world, told)
        world.operator.post(f"/v1/orders/{order['id']}/cancel", {})
        world.work()
    text = caplog.text + "".join(capsys.readouterr())
    assert "payment not started" in text
    private = [secret, API_KEY, WEBHOOK_SECRET, "v1=forged"]
    assert [each for each in private if each in text] == []


# Money that does not fit


def test_money_for_an_expired_order_goes_the_late_moneys_way(
    world: World, stripe: StripeServer, time: Clock
) -> None:
    order = world.place(world.sale(), quantity=2)
    let_expire(world, time)
    intent = stripe.intent_of(order)  # by a fault of Stripe's it was paid all the same
    intent |= {"status": "succeeded", "amount_received": TOTAL}
    assert tell(world, event("payment_intent.succeeded", intent)).status == 200
    assert world.order(order["id"])["status"] == "paid"


def test_an_intent_of_somebody_else_is_kept_for_a_person(
    world: World, stripe: StripeServer
) -> None:
    stripe.intents["pi_web"] = {
        "id": "pi_web",
        "object": "payment_intent",
        "amount": 700,
        "amount_received": 700,
        "currency": "eur",
        "status": "succeeded",
        "client_secret": "pi_web_secret",
        "metadata": {},
    }
    told = event("payment_intent.succeeded", stripe.intents["pi_web"])
    for _ in range(2):
        assert tell(world, told).status == 200
    assert world.trial_balance() == {"cash:stripe": 700, "unmatched_receipts": -700}
    assert cases(world) == ["unmatched_receipt"]


# Events


def test_an_event_that_comes_again_changes_nothing(world: World, stripe: StripeServer) -> None:
    order = world.place(world.sale())
    told = stripe.pay_order(order)
    assert tell(world, told).status == 200
    before = snapshot(world.environment)
    for _ in range(2):
        assert tell(world, told).json == {"received": True}
    assert snapshot(world.environment) == before


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1,v1=00",
        "t=,v1=",
        "v1=00",
        "nonsense",
        "t=99999999999999999999999,v1=00",
        "t=1,v1=\u00fc",
        "t=1,v0=00",
    ],
)
def test_an_event_that_stripe_has_not_signed_changes_nothing(
    world: World, stripe: StripeServer, header: str
) -> None:
    order = world.place(world.sale())
    told, before = stripe.pay_order(order), snapshot(world.environment)
    answer = tell(world, told, signed=header)
    assert (answer.status, answer.code) == (400, "invalid_signature")
    assert snapshot(world.environment) == before
    assert tell(world, told).status == 200


def test_an_event_without_a_signature_or_in_no_text_is_refused(world: World) -> None:
    for body in (b"{}", b"\xff\xfe"):
        answer = world.anyone.send("POST", "/v1/payment-events/stripe", body, {})
        assert (answer.status, answer.code) == (400, "invalid_signature")


def test_an_event_of_six_minutes_ago_is_refused(world: World, stripe: StripeServer) -> None:
    order = world.place(world.sale())
    told = stripe.pay_order(order)
    answer = tell(world, told, at=real_time.time() - 360)
    assert (answer.status, answer.code) == (400, "invalid_signature")
    assert world.order(order["id"])["status"] == "pending_payment"
    assert tell(world, told, at=real_time.time() - 240).status == 200


def test_a_body_that_was_changed_is_refused(world: World, stripe: StripeServer) -> None:
    order = world.place(world.sale())
    told = stripe.pay_order(order)
    forged = signature(b"another body", real_time.time())
    assert tell(world, told, signed=forged).code == "invalid_signature"
    assert tell(world, told).status == 200


@pytest.mark.parametrize(
    "kind", ["payment_intent.created", "payment_intent.canceled", "charge.refunded", "x"]
)
def test_kinds_that_do_not_matter_are_taken_and_change_nothing(
    world: World, stripe: StripeServer, kind: str
) -> None:
    order = world.place(world.sale())
    before = snapshot(world.environment)
    assert tell(world, event(kind, stripe.intent_of(order))).json == {"received": True}
    assert snapshot(world.environment) == before


@pytest.mark.parametrize(
    "about",
    [
        None,
        [],
        {},
        {"id": "pi_1", "currency": "eur", "metadata": {}},
        {"id": "pi_1", "currency": "eur", "metadata": {}, "amount_received": 0},
        {"id": "pi_1", "currency": "eur", "metadata": {}, "amount_received": 10.5},
        {"id": "pi_1", "currency": 7, "metadata": {}, "amount_received": 10},
        {"id": "", "currency": "eur", "metadata": {}, "amount_received": 10},
        {"id": "pi_1", "currency": "eur", "metadata": None, "amount_received": 10},
    ],
)
def test_a_signed_event_that_cannot_be_read_is_malformed(world: World, about: Any) -> None:
    told = {"type": "payment_intent.succeeded", "data": {"object": about}}
    before = snapshot(world.environment)
    answer = tell(world, told)
    assert (answer.status, answer.code) == (400, "malformed_request")
    assert snapshot(world.environment) == before


def test_a_dispute_is_booked_with_its_fee_and_needs_a_person_once(
    world: World, stripe: StripeServer
) -> None:
    order = paid(world, stripe)
    dispute = stripe.dispute(stripe.intent_of(order)["id"], TOTAL)
    for kind in ("created", "created", "funds_withdrawn"):
        assert tell(world, event(f"charge.dispute.{kind}", dispute)).status == 200
    (case,) = world.operator.get("/v1/cases").json["items"]
    assert (case["kind"], case["subject"]) == ("payment_disputed", dispute["id"])
    assert order["id"] in case["detail"]
    assert world.order(order["id"])["status"] == "refunded"
    assert world.trial_balance() == {"cash:stripe": -1500, "platform:revenue": 1500}


def test_a_fee_is_booked_when_the_money_goes(world: World, stripe: StripeServer) -> None:
    order = paid(world, stripe)
    dispute = stripe.dispute(stripe.intent_of(order)["id"], TOTAL)
    told_early = {**dispute, "balance_transactions": []}
    assert tell(world, event("charge.dispute.created", told_early)).status == 200
    assert tell(world, event("charge.dispute.funds_withdrawn", dispute)).status == 200
    assert world.trial_balance() == {"cash:stripe": -1500, "platform:revenue": 1500}


def test_a_dispute_that_is_won_brings_the_money_back(world: World, stripe: StripeServer) -> None:
    order = paid(world, stripe)
    dispute = stripe.dispute(stripe.intent_of(order)["id"], TOTAL)
    won = stripe.win(dispute)
    for kind, told in (("closed", won), ("created", dispute), ("closed", won)):
        assert tell(world, event(f"charge.dispute.{kind}", told)).status == 200
    assert world.trial_balance() == {
        "cash:stripe": TOTAL - 1500,
        "refunds_in_flight": -TOTAL,
        "platform:revenue": 1500,
    }
    world.work()
    assert world.trial_balance() == {"cash:stripe": -1500, "platform:revenue": 1500}


@pytest.mark.parametrize("fee_back", [0, 1500])
def test_a_statement_of_a_won_dispute_is_matched_and_a_fee_that_is_back_is_posted(
    world: World, stripe: StripeServer, time: Clock, fee_back: int
) -> None:
    intent_id = stripe.intent_of(paid(world, stripe))["id"]
    dispute = stripe.dispute(intent_id, TOTAL)
    won = stripe.win(dispute, fee_back)
    for kind, told in (("created", dispute), ("closed", won)):
        assert tell(world, event(f"charge.dispute.{kind}", told)).status == 200
    assert "chargeback_differs" not in cases(world)
    charge = {"object": "charge", "id": "ch_1", "payment_intent": intent_id}
    moved = [
        {"amount": TOTAL, "fee": 0, "currency": "eur", "type": "charge", "source": charge},
        *({**each, "type": "adjustment", "source": won} for each in won["balance_transactions"]),
    ]
    at = int(time.now().timestamp())
    data = [{**each, "id": f"txn_{n}", "created": at} for n, each in enumerate(moved, 1)]
    done = reconcile(world, json.dumps(data).encode(), account="cash:stripe", format="stripe")
    told_fees = differences(world, done)
    assert (done["matched"], len(told_fees)) == (4, 1 if fee_back else 0)
    for fee in told_fees:
        assert (fee["kind"], fee["changes"]) == ("fee", [{"currency": "EUR", "amount": fee_back}])
        assert resolve(world, done, fee["n"], "post_fee").status == 200
    # Nothing was shipped, so what was won has gone back to the customer.
    kept = 1500 - fee_back
    assert world.trial_balance() == (
        {"cash:stripe": -kept, "platform:revenue": kept} if kept else {}
    )


def test_an_inquiry_takes_no_money_and_is_answered_by_a_person(
    world: World, stripe: StripeServer
) -> None:
    order = paid(world, stripe)
    inquiry = {
        "id": "dp_1",
        "amount": TOTAL,
        "currency": "eur",
        "charge": "ch_1",
        "payment_intent": stripe.intent_of(order)["id"],
        "status": "warning_needs_response",
    }
    closed = {**inquiry, "status": "warning_closed"}
    for kind, told in (("created", inquiry), ("created", inquiry), ("closed", closed)):
        assert tell(world, event(f"charge.dispute.{kind}", told)).status == 200
    (case,) = world.operator.get("/v1/cases").json["items"]
    assert (case["kind"], case["subject"]) == ("payment_disputed", "dp_1")
    assert world.order(order["id"])["status"] == "paid"


# Refunds


def test_refunds_go_back_in_part_and_in_full(world: World, stripe: StripeServer) -> None:
    order = paid(world, stripe)
    first = refund(world, order)
    world.work()
    assert status_of(world, first) == "succeeded"
    assert world.trial_balance() == {"cash:stripe": 1000, "customer_prepayments": -1000}
    second = refund(world, order)
    world.work()
    assert status_of(world, second) == "succeeded"
    assert world.order(order["id"])["status"] == "refunded"
    assert [each["metadata"] for each in stripe.refunds.values()] == [
        {"refund_id": first["id"], "attempt": "1"},
        {"refund_id": second["id"], "attempt": "1"},
    ]
    assert world.trial_balance() == {}


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_a_refund_without_an_answer_is_unknown_and_is_never_made_twice(
    world: World, stripe: StripeServer, time: Clock, accident: Accident
) -> None:
    order = paid(world, stripe)
    made = refund(world, order)
    with stripe.accident(REFUND, accident):
        give_refunds_to_stripe(world, failing=True)
    assert status_of(world, made) == "unknown"
    assert world.trial_balance()["refunds_in_flight"] == -1000
    stripe.forget_keys()
    time.move_on(hours=25)
    invoke("refund_sweep")
    give_refunds_to_stripe(world)
    assert status_of(world, made) == "succeeded"
    assert [each["amount"] for each in stripe.refunds.values()] == [1000]
    assert world.trial_balance() == {"cash:stripe": 1000, "customer_prepayments": -1000}


def test_a_refund_whose_search_fails_is_not_asked_for(world: World, stripe: StripeServer) -> None:
    made = refund(world, paid(world, stripe))
    with stripe.accident(r"GET /v1/refunds$", "down"):
        give_refunds_to_stripe(world, failing=True)
    assert (status_of(world, made), stripe.refunds) == ("unknown", {})
    invoke_again(world, made)
    assert status_of(world, made) == "succeeded"


def test_a_refund_that_stripe_refuses_fails_with_a_case(world: World, stripe: StripeServer) -> None:
    order = paid(world, stripe)
    made = refund(world, order)
    intent_id = stripe.intent_of(order)["id"]
    stripe.refunds["re_hand"] = {
        "id": "re_hand",
        "object": "refund",
        "amount": TOTAL,
        "currency": "eur",
        "payment_intent": intent_id,
        "status": "pending",
        "metadata": {},
    }
    world.work()
    assert status_of(world, made) == "failed"
    assert cases(world) == ["refund_failed"]


def test_a_refund_by_hand_needs_a_person(world: World, stripe: StripeServer) -> None:
    order = paid(world, stripe)
    by_hand = {
        "id": "re_hand",
        "amount": 500,
        "currency": "eur",
        "payment_intent": stripe.intent_of(order)["id"],
        "status": "succeeded",
        "metadata": {},
    }
    for kind in ("refund.created", "refund.updated"):
        assert tell(world, event(kind, by_hand)).status == 200
    (case,) = world.operator.get("/v1/cases").json["items"]
    assert (case["kind"], case["subject"]) == ("foreign_refund", "re_hand")
    assert order["id"] in case["detail"]


def test_a_refund_under_way_is_settled_by_its_event(world: World, stripe: StripeServer) -> None:
    stripe.refunds_begin_as = "pending"
    made = refund(world, paid(world, stripe))
    world.work()
    (at_stripe,) = stripe.refunds.values()
    assert status_of(world, made) == "pending"
    assert tell(world, event("refund.created", at_stripe)).status == 200
    assert status_of(world, made) == "pending"
    stripe.settle(at_stripe, "succeeded")
    for _ in range(2):
        assert tell(world, event("refund.updated", at_stripe)).status == 200
    assert status_of(world, made) == "succeeded"


def test_events_of_a_refund_may_come_in_any_order(world: World, stripe: StripeServer) -> None:
    stripe.refunds_begin_as = "pending"
    made = refund(world, paid(world, stripe))
    world.work()
    (at_stripe,) = stripe.refunds.values()
    stripe.settle(at_stripe, "succeeded")
    told_late = event("refund.updated", at_stripe)
    stripe.settle(at_stripe, "failed")
    assert tell(world, event("refund.failed", at_stripe)).status == 200
    assert tell(world, told_late).status == 200
    assert status_of(world, made) == "failed"
    assert cases(world) == ["refund_failed"]


def test_an_event_that_stripe_does_not_explain_must_come_again(
    world: World, stripe: StripeServer
) -> None:
    stripe.refunds_begin_as = "pending"
    made = refund(world, paid(world, stripe))
    world.work()
    (at_stripe,) = stripe.refunds.values()
    stripe.settle(at_stripe, "succeeded")
    told = event("refund.updated", at_stripe)
    with stripe.accident(r"GET /v1/refunds/", "down"):
        answer = tell(world, told)
    assert (answer.status, answer.code) == (503, "provider_unavailable")
    assert status_of(world, made) == "pending"
    assert tell(world, told).status == 200
    assert status_of(world, made) == "succeeded"


def give_refunds_to_stripe(world: World, *, failing: bool = False) -> None:
    """Let the worker do what waits; where it fails, the message is lost with it."""
    failed = handle("refund_execute", *world.messages("REFUND_EXECUTE"))
    assert bool(failed) == failing


def invoke_again(world: World, made: Json) -> None:
    assert handle("refund_execute", {"subject": made["id"]}) == []
