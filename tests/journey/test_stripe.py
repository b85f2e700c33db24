"""The deployed stack with Stripe as its card provider, connected as an operator connects it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pytest
from pytest_httpserver import HTTPServer

from infra.local.stack import LocalStack, up
from tests.support.accidents import ago
from tests.support.deployed import DeployedWorld
from tests.support.stripe_server import API_KEY, WEBHOOK_SECRET, StripeServer, event
from tests.support.stripe_world import at_odds, tell
from tests.support.world import Json, created


@pytest.fixture(scope="module")
def account(stack: LocalStack) -> Iterator[HTTPServer]:
    """Where the stack finds Stripe for the time of these tests."""
    secrets = stack.client("secretsmanager")
    value = json.dumps({"api_key": API_KEY, "webhook_secret": WEBHOOK_SECRET})
    arn = secrets.create_secret(Name="tuan/stripe", SecretString=value)["ARN"]
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        up(stack.cloud, StripeSecretArn=arn, StripeApiBase=server.url_for("").rstrip("/"))
        yield server
        up(stack.cloud)
    secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


@pytest.fixture
def stripe(account: HTTPServer) -> StripeServer:
    """Stripe, with nothing in the account yet."""
    account.clear()
    return StripeServer(account)


def pay(world: DeployedWorld, stripe: StripeServer, order: Json) -> None:
    """The customer pays, and Stripe tells; first somebody else does."""
    paid = stripe.pay_order(order)
    assert tell(world, paid, signed="t=1,v1=00").code == "invalid_signature"
    assert tell(world, paid).status == 200
    world.work()


def let_expire(world: DeployedWorld, order: Json) -> None:
    """The order's time is over, and the sweep comes."""
    world.change("ORDERING", order["id"], "order", due_at=ago(), expires_at=ago())
    world.invoke("OrderExpire")
    world.work()


@contextmanager
def orders_stored_when_intents_are_made(
    world: DeployedWorld, stripe: StripeServer
) -> Iterator[list[str]]:
    """The payments of the orders that are in the store whenever Stripe is asked for an intent."""
    make, stored = stripe._make_intent, list[str]()

    def look(sent: Json) -> tuple[int, Json]:
        stored.extend(each["pk"]["S"] for each in world.items("ORDERING"))
        return make(sent)

    with mock.patch.object(stripe, "_make_intent", look):
        yield stored


def test_an_order_is_paid_and_partly_refunded_through_stripe(
    stripe: StripeServer, world: DeployedWorld
) -> None:
    sale = world.sale(stock=5)
    with orders_stored_when_intents_are_made(world, stripe) as stored:
        order = world.place(sale, quantity=2)
    assert order["id"] in stored
    assert stripe.asked == [("POST", "/v1/payment_intents", order["payment"]["id"])]
    assert order["payment"]["client_secret"] == stripe.intent_of(order)["client_secret"]

    pay(world, stripe, order)
    after = world.order(order["id"])
    assert (after["status"], after["payment"]["status"]) == ("paid", "succeeded")
    (dispatch,) = after["dispatches"]
    world.move(dispatch["id"], "accept", "ship", "deliver")

    stripe.refunds_begin_as = "pending"
    lines = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
    body = {"lines": lines, "reason": "broken"}
    path = f"/v1/orders/{order['id']}/refunds"
    refund = created(world.operator.post(path, body))
    world.work()
    world.invoke("RefundExecute", {"type": "refund.decided", "subject": refund["id"]})
    (sent,) = stripe.refunds.values()
    assert (sent["amount"], sent["metadata"]["refund_id"]) == (1000, refund["id"])
    read = f"/v1/refunds/{refund['id']}"
    assert world.operator.get(read).json["status"] == "pending"
    stripe.settle(sent, "succeeded")
    assert tell(world, event("refund.updated", sent)).status == 200
    assert world.operator.get(read).json["status"] == "succeeded"

    assert world.trial_balance() == {
        "cash:stripe": 1000,
        f"supplier:{sale.supplier_id}:payable": -700,
        f"leader:{sale.leader_id}:pending": -100,
        "platform:revenue": -200,
    }
    assert at_odds(world, stripe) == []
    assert world.operator.get("/v1/cases").json["items"] == []


def test_units_are_released_once_stripe_has_confirmed_that_nobody_can_pay(
    stripe: StripeServer, world: DeployedWorld
) -> None:
    sale = world.sale(stock=5)
    order = world.place(sale, quantity=2)
    intent = stripe.intent_of(order)
    intent["status"] = "processing"
    let_expire(world, order)
    assert world.order(order["id"])["status"] == "pending_payment"
    assert world.stock(sale.sku_ids[0])["reserved"] == 2
    intent["status"] = "requires_payment_method"
    let_expire(world, order)
    assert world.order(order["id"])["status"] == "expired"
    assert intent["status"] == "canceled"
    stock = world.stock(sale.sku_ids[0])
    assert (stock["reserved"], stock["available"]) == (0, 5)
    assert world.trial_balance() == {}
    assert at_odds(world, stripe) == []


def test_money_that_stripe_has_taken_and_not_told_of_wins_over_the_expiry(
    stripe: StripeServer, world: DeployedWorld
) -> None:
    order = world.place(world.sale(), quantity=2)
    told_late = stripe.pay_order(order)
    let_expire(world, order)
    after = world.order(order["id"])
    assert (after["status"], len(after["dispatches"])) == ("paid", 1)
    assert tell(world, told_late).status == 200
    assert world.trial_balance() == {"cash:stripe": 2000, "customer_prepayments": -2000}
    assert at_odds(world, stripe) == []
