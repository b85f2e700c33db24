"""Refunds of one order at the same moment, by amount and by units, and of one that has failed."""

from collections import Counter

from tests.support.at_once import THREADS, at_once, each, outcomes
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.lambdas import handle
from tests.support.unguarded import unguarded
from tests.support.world import Json, World, created


def refund_at_once(world: World, order: Json, *bodies: Json) -> list[Answer]:
    path = f"/v1/orders/{order['id']}/refunds"

    def patiently(body: Json) -> Answer:
        """As an operator does: where the order is busy, the same request once more."""
        answer = world.operator.post(path, body)
        return world.operator.post(path, body) if answer.status == 503 else answer

    answers = at_once(each([{"reason": "late", **body} for body in bodies], patiently))
    world.work()
    return answers


def amounts_at_once(world: World) -> tuple[list[Answer], Json, list[str]]:
    """Sixteen refunds of 3.00 each, of an order of 20.00."""
    sale = world.sale()
    order = world.paid_order(sale, quantity=2)
    answers = refund_at_once(world, order, *[{"amount": 300}] * THREADS)
    return answers, world.order(order["id"]), findings({sale.sku_ids[0]: 100})


@IN_MEMORY
def test_amounts_refunded_at_once_never_exceed_what_was_paid(world: World) -> None:
    answers, order, found = amounts_at_once(world)
    assert Counter(answer.status for answer in answers) == {201: 6, 422: 10}
    assert {answer.code for answer in answers} == {None, "more_than_is_left"}
    assert (order["refunded_amount"], order["status"]) == (1800, "paid")
    assert len({answer.json["id"] for answer in answers if answer.status == 201}) == 6
    assert found == []


@IN_MEMORY
def test_control_the_rig_catches_amounts_beyond_what_was_paid(world: World) -> None:
    with unguarded():
        answers, order, found = amounts_at_once(world)
    assert sum(answer.status == 201 for answer in answers) > 6
    assert order["refunded_amount"] <= 2000
    assert found != []


def amounts_and_units_at_once(world: World) -> tuple[list[Answer], Json, list[str]]:
    """Of ten delivered units at 10.00 eight are refunded, while amounts are taken from all."""
    sale = world.sale()
    order = world.delivered_order(sale, quantity=10)
    unit = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "restock": True}
    answers = refund_at_once(world, order, *[unit, {"amount": 101}] * (THREADS // 2))
    return answers, world.order(order["id"]), findings({sale.sku_ids[0]: 100})


@IN_MEMORY
def test_amounts_and_units_refunded_at_once_add_up(world: World) -> None:
    answers, order, found = amounts_and_units_at_once(world)
    assert outcomes(answers) == {"201": THREADS}
    assert order["refunded_amount"] == sum(answer.json["amount"] for answer in answers)
    assert found == []
    (line,) = order["lines"]
    assert line["refunded_quantity"] == 8
    assert world.stock(line["sku_id"])["available"] == 98
    refund_at_once(world, order, {"amount": order["total"] - order["refunded_amount"]})
    assert world.order(order["id"])["status"] == "refunded"
    assert world.trial_balance() == {}


@IN_MEMORY
def test_control_the_rig_catches_shares_taken_back_twice(world: World) -> None:
    with unguarded():
        _, _, found = amounts_and_units_at_once(world)
    assert any(finding.startswith("account EUR supplier:") for finding in found)


def a_failed_refund(world: World) -> str:
    """The path of a refund of one unit of two that its provider has refused."""
    order = world.paid_order(world.sale(), quantity=2)
    lines = [{"sku_id": order["lines"][0]["sku_id"], "quantity": 1}]
    body = {"lines": lines, "reason": "broken"}
    refund = created(world.operator.post(f"/v1/orders/{order['id']}/refunds", body))
    world.messages("REFUND_EXECUTE")
    assert world.provider_event("refund.failed", {"refund_id": refund["id"]}).status == 200
    return f"/v1/refunds/{refund['id']}"


def retry_at_once(world: World) -> tuple[Counter[str], int]:
    """Sixteen operators have a refund sent again. Their answers, and how often it is sent."""
    path = a_failed_refund(world)
    retries = at_once(each(range(THREADS), lambda _: world.operator.post(f"{path}/retry")))
    sent = world.messages("REFUND_EXECUTE")
    for message in sent:
        handle("refund_execute", message)
    return outcomes(retries), len(sent)


@ALSO_IN_MEMORY
def test_a_refund_that_sixteen_have_sent_again_is_one_attempt(world: World) -> None:
    assert retry_at_once(world) == ({"200": 1, "409 refund_not_failed": 15}, 1)
    assert findings() == []


@IN_MEMORY
def test_control_the_rig_catches_a_refund_sent_again_by_many(world: World) -> None:
    with unguarded():
        answered, sent = retry_at_once(world)
    assert answered["200"] > 1
    assert sent > 1


def retry_and_hand_back_at_once(world: World) -> tuple[bool, bool, str]:
    """Whether a failed refund was sent again, whether by hand, and what became of it."""
    path = a_failed_refund(world)
    retries = each(range(THREADS // 2), lambda _: world.operator.post(f"{path}/retry"))
    by_bank = {"paid_from": "bank"}
    confirms = each(range(THREADS // 2), lambda _: world.operator.post(f"{path}/confirm", by_bank))
    answers = at_once([*retries, *confirms])
    world.work()
    retried, confirmed = (
        any(answer.status == 200 for answer in some)
        for some in (answers[: THREADS // 2], answers[THREADS // 2 :])
    )
    return retried, confirmed, world.operator.get(path).json["paid_from"]


@ALSO_IN_MEMORY
def test_a_refund_is_sent_again_or_handed_back_and_never_both(world: World) -> None:
    retried, confirmed, paid_from = retry_and_hand_back_at_once(world)
    assert (retried, paid_from) in ((True, None), (False, "bank"))
    assert retried != confirmed
    assert findings() == []


@IN_MEMORY
def test_control_the_rig_catches_a_refund_sent_again_and_handed_back(world: World) -> None:
    with unguarded():
        retried, confirmed, _ = retry_and_hand_back_at_once(world)
    assert retried
    assert confirmed
