"""Refunds that had not arrived when the customer's bank took the money by itself: nobody has it
twice, and what is won is owed again."""

from collections.abc import Callable, Iterator

import pytest
from pytest_httpserver import HTTPServer

from chalicelib.kernel import clock
from chalicelib.payments.refund_store import REFUND, RefundRow
from tests.functional.conftest import Clock, new_world
from tests.functional.test_chargebacks import ask, close
from tests.functional.test_failed_refunds import (
    at_stripe,
    cases,
    decided,
    failed,
    give,
    read,
    retry,
)
from tests.functional.test_refunds_by_hand import confirm
from tests.support.audited import look_at_everything
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.lambdas import handle, invoke
from tests.support.snapshot import snapshot
from tests.support.stripe_server import StripeServer, event
from tests.support.stripe_world import connected, tell
from tests.support.world import Issuer, Json, World, created


@pytest.fixture
def stripe(server: HTTPServer) -> StripeServer:
    return StripeServer(server)


@pytest.fixture
def world(issuer: Issuer, time: Clock, stripe: StripeServer) -> Iterator[World]:
    """A world with Stripe, in which everything adds up in the end."""
    with new_world(issuer) as made, connected(stripe):
        yield made
        made.work()
        assert findings() == []


def charge_back(world: World, refund: Json, amount: int = 2000, **changes: str) -> Json:
    """The bank takes back some of the refund's order of 20.00."""
    order = {"id": refund["order_id"]}
    return created(ask(world, order, amount=amount, fee=0, **changes))


def paid(chargeback: Json) -> list[tuple[str, int]]:
    return [(each["refund_id"], each["amount"]) for each in chargeback["paid"]]


def unmoved(world: World, answer: Answer, before: object) -> bool:
    return answer.status == 409 and snapshot(world.environment) == before


@pytest.mark.parametrize("given", [failed, decided])
def test_what_was_not_sent_is_paid_by_the_chargeback_and_sent_no_more(
    world: World, stripe: StripeServer, given: Callable[[World, StripeServer], Json]
) -> None:
    refund = given(world, stripe)
    sent = len(stripe.refunds)
    made = charge_back(world, refund)
    assert (made["refunded"], paid(made)) == (1000, [(refund["id"], 1000)])
    done = read(world, refund)
    assert (done["status"], done["paid_from"]) == ("succeeded", "chargeback")
    assert (done["charged_back"], done["completed_at"]) == (1000, made["opened_at"])
    assert world.trial_balance() == {}
    before = snapshot(world.environment)
    assert unmoved(world, retry(world, refund), before)
    assert unmoved(world, confirm(world.operator, refund, "bank"), before)
    world.work()
    assert len(stripe.refunds) == sent
    close(world, made, "lost")
    assert world.trial_balance() == {}
    assert "chargeback_unmatched" not in cases(world)


def test_a_chargeback_takes_what_was_to_be_refunded_before_anything_else(
    world: World, stripe: StripeServer
) -> None:
    refund = failed(world, stripe)
    made = charge_back(world, refund, 1000)
    assert (made["refunded"], made["refund_id"], paid(made)) == (0, None, [(refund["id"], 1000)])
    assert world.order(refund["order_id"])["refunded_amount"] == 1000
    assert world.trial_balance() == {"customer_prepayments": -1000, "cash:stripe": 1000}


def test_what_a_chargeback_leaves_of_a_refund_is_sent(world: World, stripe: StripeServer) -> None:
    refund = failed(world, stripe)
    made = charge_back(world, refund, 400)
    assert paid(made) == [(refund["id"], 400)]
    left = read(world, refund)
    assert (left["status"], left["charged_back"], left["paid_from"]) == ("failed", 400, None)
    assert world.trial_balance()["refunds_in_flight"] == -600
    assert findings() == []
    assert retry(world, refund).status == 200
    world.work()
    assert read(world, refund)["status"] == "succeeded"
    assert [each["amount"] for each in stripe.refunds.values()] == [1000, 600]
    assert world.trial_balance() == {"customer_prepayments": -1000, "cash:stripe": 1000}


def test_a_second_payment_that_goes_back_is_paid_by_its_own_chargeback(
    world: World, stripe: StripeServer
) -> None:
    order = world.place(world.sale(), quantity=1)
    intent = stripe.pay_order(order)
    assert tell(world, intent).status == 200
    again = {**intent["data"]["object"], "id": "pi_second"}
    stripe.intents["pi_second"] = again
    assert tell(world, event("payment_intent.succeeded", again)).status == 200
    dispute = stripe.dispute("pi_second", 1000, fee=0)
    assert tell(world, event("charge.dispute.created", dispute)).status == 200
    world.work()
    assert stripe.refunds == {}
    (made,) = world.operator.get("/v1/chargebacks").json["items"]
    assert [amount for _, amount in paid(made)] == [1000]
    assert world.trial_balance() == {"cash:stripe": 1000, "customer_prepayments": -1000}
    close(world, made, "won")
    world.work()
    assert [each["payment_intent"] for each in stripe.refunds.values()] == ["pi_second"]
    assert world.trial_balance() == {"cash:stripe": 1000, "customer_prepayments": -1000}


@pytest.mark.parametrize("status", ["pending", "unknown"])
def test_what_may_be_on_its_way_is_neither_taken_nor_sent_again(
    world: World, stripe: StripeServer, status: str
) -> None:
    refund = decided(world, stripe)
    give(world, stripe, status)
    made = charge_back(world, refund)
    assert (made["refunded"], paid(made)) == (1000, [])
    assert world.trial_balance() == {"refunds_in_flight": -1000, "unmatched_chargebacks": 1000}
    (called,) = (
        each
        for each in world.operator.get("/v1/cases").json["items"]
        if each["kind"] == "chargeback_unmatched"
    )
    assert f"Refund {refund['id']} of 10.00 EUR is on its way" in called["detail"]
    before = snapshot(world.environment)
    assert unmoved(world, retry(world, refund), before)
    (sent,) = stripe.refunds.values()
    stripe.settle(sent, "succeeded")
    assert tell(world, event("refund.updated", sent)).status == 200
    assert (read(world, refund)["status"], read(world, refund)["paid_from"]) == ("succeeded", None)
    assert world.trial_balance() == {"cash:stripe": -1000, "unmatched_chargebacks": 1000}
    close(world, made, "lost")
    assert world.trial_balance() == {"cash:stripe": -1000, "platform:revenue": 1000}


@pytest.mark.parametrize("closed", [None, "lost", "won"])
def test_what_fails_after_a_chargeback_is_paid_by_what_fitted_nothing(
    world: World, stripe: StripeServer, closed: str | None
) -> None:
    refund = decided(world, stripe)
    give(world, stripe, "pending")
    made = charge_back(world, refund)
    stripe.refunds_begin_as = "succeeded"
    if closed:
        close(world, made, closed)
        world.work()
    (sent, *_) = stripe.refunds.values()
    stripe.settle(sent, "failed")
    for _ in range(2):
        assert tell(world, event("refund.failed", sent)).status == 200
    done = read(world, refund)
    if closed == "won":
        assert (done["status"], done["charged_back"]) == ("failed", 0)
        assert world.trial_balance()["refunds_in_flight"] == -1000
        assert retry(world, refund).status == 200
        world.work()
        assert read(world, refund)["status"] == "succeeded"
        return
    assert (done["status"], done["paid_from"]) == ("succeeded", "chargeback")
    now = world.operator.get(f"/v1/chargebacks/{made['id']}").json
    assert paid(now) == [(refund["id"], 1000)]
    assert world.trial_balance() == {}
    assert "refund_failed" not in cases(world)


def test_what_was_never_made_is_not_made_beside_a_chargeback(
    world: World, stripe: StripeServer, time: Clock
) -> None:
    refund = decided(world, stripe)
    with stripe.accident(r"POST /v1/refunds$", "down"):
        assert handle("refund_execute", *world.messages("REFUND_EXECUTE")) != []
    assert (read(world, refund)["status"], stripe.refunds) == ("unknown", {})
    charge_back(world, refund)
    time.move_on(minutes=16)
    invoke("refund_sweep")
    world.work()
    assert stripe.refunds == {}
    assert read(world, refund)["paid_from"] == "chargeback"
    assert world.trial_balance() == {}


def test_one_that_arrives_after_a_bank_has_taken_it_needs_a_person(
    world: World, stripe: StripeServer
) -> None:
    refund = failed(world, stripe)
    charge_back(world, refund)
    (sent,) = stripe.refunds.values()
    stripe.settle(sent, "succeeded")
    assert tell(world, event("refund.updated", sent)).status == 200
    details = [each["detail"] for each in world.operator.get("/v1/cases").json["items"]]
    assert any("the customer's bank had taken it by a chargeback" in each for each in details)
    assert world.trial_balance() == {}


def test_what_is_won_of_a_refund_is_refunded_again(world: World, stripe: StripeServer) -> None:
    refund = failed(world, stripe)
    made = charge_back(world, refund)
    assert close(world, made, "won").status == 200
    assert world.trial_balance() == {"cash:stripe": 2000, "refunds_in_flight": -2000}
    *_, again = world.order(refund["order_id"])["refunds"]
    owed = read(world, {"id": again})
    assert (owed["status"], owed["amount"]) == ("pending", 2000)
    assert owed["reason"] == f"chargeback {made['id']} was won"
    world.work()
    assert read(world, {"id": again})["status"] == "succeeded"
    assert at_stripe(stripe) == [("1", "failed"), ("1", "succeeded")]
    assert world.trial_balance() == {}


def test_what_is_owed_again_is_paid_by_a_second_chargeback(
    world: World, stripe: StripeServer
) -> None:
    refund = failed(world, stripe)
    close(world, charge_back(world, refund), "won")
    second = charge_back(world, refund, reference="dp_2")
    assert (second["refunded"], [amount for _, amount in paid(second)]) == (0, [2000])
    world.work()
    assert len(stripe.refunds) == 1
    assert world.trial_balance() == {}


def fail(world: World, stripe: StripeServer) -> None:
    """Stripe says that the first refund has failed, and sends those of later at once."""
    (sent, *_) = stripe.refunds.values()
    stripe.settle(sent, "failed")
    assert tell(world, event("refund.failed", sent)).status == 200
    stripe.refunds_begin_as = "succeeded"
    world.work()


@pytest.mark.parametrize("closed", [None, "lost"])
def test_what_fails_is_paid_by_each_chargeback_beside_it(
    world: World, stripe: StripeServer, closed: str | None
) -> None:
    refund = decided(world, stripe)
    give(world, stripe, "pending")
    first = charge_back(world, refund, 1300)
    second = charge_back(world, refund, 700, reference="dp_2")
    assert (first["refunded"], second["refunded"]) == (1000, 0)
    if closed:
        close(world, first, closed)
        close(world, second, closed)
    fail(world, stripe)
    done = read(world, refund)
    assert (done["status"], done["paid_from"]) == ("succeeded", "chargeback")
    assert done["charged_back"] == 300 + 700
    now = (world.operator.get(f"/v1/chargebacks/{each['id']}").json for each in (first, second))
    assert [paid(each) for each in now] == [[(refund["id"], 300)], [(refund["id"], 700)]]
    assert len(stripe.refunds) == 1
    assert world.trial_balance() == {}
    assert "refund_failed" not in cases(world)


def test_one_that_is_won_beside_a_refund_leaves_it_to_the_next(
    world: World, stripe: StripeServer
) -> None:
    refund = decided(world, stripe)
    give(world, stripe, "pending")
    first = charge_back(world, refund)
    close(world, first, "won")
    second = charge_back(world, refund, reference="dp_2")
    fail(world, stripe)
    assert read(world, refund)["paid_from"] == "chargeback"
    now = world.operator.get(f"/v1/chargebacks/{second['id']}").json
    assert (refund["id"], 1000) in paid(now)
    assert world.trial_balance() == {}


@pytest.mark.parametrize("is_sent_anew", [False, True])
def test_an_audit_finds_what_a_customer_has_twice(
    world: World, stripe: StripeServer, time: Clock, is_sent_anew: bool
) -> None:
    refund = decided(world, stripe)
    give(world, stripe, "pending")
    made = charge_back(world, refund, 1300)
    row = RefundRow.get(refund["id"], REFUND)
    row.beside = ()
    row.save()
    time.move_on(minutes=1)
    fail(world, stripe)
    if is_sent_anew:
        assert retry(world, refund).status == 200
        world.work()
    (found,) = look_at_everything(clock.now())
    assert (found.check, found.subject, found.amount) == ("chargebacks_twice", made["id"], 300)
    close(world, made, "won")
