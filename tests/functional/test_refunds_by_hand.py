"""Refunds that a person pays: cash that a leader hands back, and what a provider failed to send."""

from typing import Any

import pytest

from tests.support.gateway import Answer
from tests.support.snapshot import snapshot
from tests.support.world import Api, Json, World, created


def refund_of(world: World, order: Json) -> Json:
    """The refund of one of the order's units, not sent yet."""
    lines = [{"sku_id": order["lines"][0]["sku_id"], "quantity": 1}]
    body = {"lines": lines, "reason": "broken"}
    refund = created(world.operator.post(f"/v1/orders/{order['id']}/refunds", body))
    world.messages("REFUND_EXECUTE")
    return {**refund, "leader_id": order["leader_id"]}


def by_card(world: World) -> Json:
    """A refund of 10.00 that waits for its provider."""
    return refund_of(world, world.paid_order(world.sale(), quantity=2))


def failed(world: World) -> Json:
    """The same, after its provider has refused it."""
    refund = by_card(world)
    tell(world, refund, "refund.failed")
    assert read(world, refund)["status"] == "failed"
    return refund


def collected(world: World) -> Json:
    """A refund of 10.00 of cash that a leader has collected."""
    order = world.place(world.sale(), quantity=2, payment_method="leader_collect")
    cash = {"amount": 2000, "reference": "cash box"}
    created(world.operator.post(f"/v1/orders/{order['id']}/payments", cash))
    world.work()
    return refund_of(world, world.order(order["id"]))


def tell(world: World, refund: Json, kind: str) -> None:
    """The provider tells of the refund."""
    assert world.provider_event(kind, {"refund_id": refund["id"]}).status == 200


def confirm(caller: Api, refund: Json, paid_from: str | None = None, **headers: Any) -> Answer:
    body = {"paid_from": paid_from} if paid_from else None
    return caller.post(f"/v1/refunds/{refund['id']}/confirm", body, **headers)


def read(world: World, refund: Json) -> Json:
    return world.operator.get(f"/v1/refunds/{refund['id']}").json


def cases(world: World) -> list[Json]:
    found: list[Json] = world.operator.get("/v1/cases").json["items"]
    return found


def test_a_failed_refund_is_paid_from_the_bank(world: World) -> None:
    refund = failed(world)
    done = confirm(world.operator, refund, "bank")
    assert (done.status, done.json["status"], done.json["paid_from"]) == (200, "succeeded", "bank")
    assert done.json["completed_at"] >= done.json["decided_at"]
    assert world.trial_balance() == {
        "cash:local": 2000,
        "cash:bank": -1000,
        "customer_prepayments": -1000,
    }


@pytest.mark.parametrize("said", [None, "leader"])
def test_a_failed_refund_that_the_leader_hands_back_is_owed_to_it(
    world: World, said: str | None
) -> None:
    refund = failed(world)
    assert confirm(world.operator, refund, said).json["paid_from"] == "leader"
    assert world.trial_balance() == {
        "cash:local": 2000,
        f"leader:{refund['leader_id']}:collected": -1000,
        "customer_prepayments": -1000,
    }


def test_collected_cash_may_be_paid_back_from_the_bank(world: World) -> None:
    refund = collected(world)
    assert confirm(world.operator, refund, "bank").json["paid_from"] == "bank"
    assert world.trial_balance() == {
        f"leader:{refund['leader_id']}:collected": 2000,
        "cash:bank": -1000,
        "customer_prepayments": -1000,
    }


def test_a_leader_confirms_its_own_cash_and_nothing_else(world: World) -> None:
    card, cash = failed(world), collected(world)
    before = snapshot(world.environment)
    for refund, paid_from in ((card, None), (card, "leader"), (card, "bank"), (cash, "bank")):
        answer = confirm(world.leader(refund["leader_id"]), refund, paid_from)
        assert (answer.status, answer.code) == (403, "forbidden")
    assert snapshot(world.environment) == before
    assert confirm(world.leader(cash["leader_id"]), cash).json["paid_from"] == "leader"


@pytest.mark.parametrize("status", ["pending", "succeeded"])
def test_what_its_provider_sends_is_not_confirmed_by_hand(world: World, status: str) -> None:
    refund = by_card(world)
    if status == "succeeded":
        tell(world, refund, "refund.succeeded")
    before = snapshot(world.environment)
    for paid_from in ("leader", "bank"):
        answer = confirm(world.operator, refund, paid_from)
        assert (answer.status, answer.code) == (409, "not_leader_collect")
        assert status in answer.json["detail"]
    assert snapshot(world.environment) == before


def test_what_was_said_once_stays_so(world: World) -> None:
    refund = failed(world)
    first = confirm(world.operator, refund, "bank")
    again = confirm(world.operator, refund, "bank")
    assert (again.status, again.json) == (200, first.json)
    other = confirm(world.operator, refund, "leader")
    assert (other.status, other.code) == (409, "already_confirmed")
    assert world.trial_balance()["cash:bank"] == -1000


def test_where_nothing_is_to_be_paid_nothing_is_handed_back(world: World) -> None:
    order = world.place(world.sale(), quantity=3, payment_method="leader_collect")
    cash = {"amount": 3000, "reference": "cash box"}
    created(world.operator.post(f"/v1/orders/{order['id']}/payments", cash))
    world.work()
    path = f"/v1/orders/{order['id']}/refunds"
    created(world.operator.post(path, {"amount": 2999, "reason": "late"}))
    refund = refund_of(world, order)
    assert (refund["amount"], refund["status"]) == (0, "succeeded")
    before = snapshot(world.environment)
    done = world.operator.send("POST", f"/v1/refunds/{refund['id']}/confirm", None, {})
    assert (done.status, done.json["paid_from"]) == (200, None)
    assert snapshot(world.environment) == before


def test_a_refund_that_was_handed_back_is_not_sent_again(world: World) -> None:
    refund = failed(world)
    confirm(world.operator, refund, "bank")
    answer = world.operator.post(f"/v1/refunds/{refund['id']}/retry")
    assert (answer.status, answer.code) == (409, "refund_not_failed")


def test_a_refund_that_is_sent_again_is_not_handed_back_meanwhile(world: World) -> None:
    refund = failed(world)
    assert world.operator.post(f"/v1/refunds/{refund['id']}/retry").status == 200
    assert confirm(world.operator, refund, "bank").code == "not_leader_collect"
    world.work()
    assert (read(world, refund)["status"], read(world, refund)["paid_from"]) == ("succeeded", None)


def test_cash_is_not_sent_again(world: World) -> None:
    refund = collected(world)
    answer = world.operator.post(f"/v1/refunds/{refund['id']}/retry")
    assert (answer.status, answer.code) == (409, "refund_not_failed")


def test_money_that_arrives_after_it_was_handed_back_needs_a_person(world: World) -> None:
    refund = failed(world)
    confirm(world.operator, refund, "bank")
    before = world.trial_balance()
    for kind in ("refund.failed", "refund.succeeded", "refund.succeeded"):
        tell(world, refund, kind)
    assert world.trial_balance() == before
    newest, oldest = cases(world)
    assert newest["kind"] == oldest["kind"] == "refund_failed"
    assert "succeeded, after it was handed back from the bank" in newest["detail"]


def test_a_failure_told_again_after_it_was_handed_back_changes_nothing(world: World) -> None:
    refund = failed(world)
    confirm(world.operator, refund, "bank")
    before = snapshot(world.environment)
    tell(world, refund, "refund.failed")
    assert snapshot(world.environment) == before


@pytest.mark.parametrize("paid_from", ["cash", "", None, 7])
def test_money_comes_from_the_leader_or_the_bank(world: World, paid_from: Any) -> None:
    refund = failed(world)
    before = snapshot(world.environment)
    body = {"paid_from": paid_from}
    answer = world.operator.post(f"/v1/refunds/{refund['id']}/confirm", body)
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "paid_from")
    assert snapshot(world.environment) == before


def by_transfer(world: World, refund: Json, reference: str, paid_from: str = "bank") -> Answer:
    body = {"paid_from": paid_from, "reference": reference}
    return world.operator.post(f"/v1/refunds/{refund['id']}/confirm", body)


def test_a_transfer_keeps_the_reference_that_its_bank_knows_it_by(world: World) -> None:
    refund = failed(world)
    assert read(world, refund)["reference"] is None
    done = by_transfer(world, refund, "REFUND 4711")
    assert (done.status, done.json["reference"]) == (200, "REFUND 4711")
    assert by_transfer(world, refund, "REFUND 4711").json == done.json
    before = snapshot(world.environment)
    for answer in (by_transfer(world, refund, "4712"), confirm(world.operator, refund, "bank")):
        assert (answer.status, answer.code) == (409, "already_confirmed")
        assert "from the bank as REFUND 4711" in answer.json["detail"]
    assert snapshot(world.environment) == before


@pytest.mark.parametrize(
    ("reference", "paid_from"), [("", "bank"), ("two\nlines", "bank"), ("4711", "leader")]
)
def test_a_reference_is_a_line_of_a_transfer(world: World, reference: str, paid_from: str) -> None:
    refund = failed(world)
    answer = by_transfer(world, refund, reference, paid_from)
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "reference")
    assert read(world, refund)["status"] == "failed"
