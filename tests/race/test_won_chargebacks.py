"""An order is refunded while a chargeback of it is won."""

from tests.support.at_once import THREADS, at_once, each
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import Json, World, created


def won_and_refunded_at_once(world: World) -> tuple[int, Json, list[str]]:
    """Of a delivered order of 30.00 10.00 are charged back. Eight say that they are won, while
    eight refund 2.00 each. What was refunded, the order, and what is wrong."""
    order = world.delivered_order(world.sale(), quantity=3)
    told = {"order_id": order["id"], "amount": 1000, "reference": f"dp_{order['id']}"}
    chargeback = created(world.operator.post("/v1/chargebacks", told))
    won = f"/v1/chargebacks/{chargeback['id']}/close", {"outcome": "won"}
    refunded = f"/v1/orders/{order['id']}/refunds", {"amount": 200, "reason": "late"}

    def patiently(request: tuple[str, Json]) -> Answer:
        """As an operator does: where the order is busy, the same request once more."""
        for _ in range(10):
            answer = world.operator.post(*request)
            if answer.status != 503:
                return answer
        raise AssertionError("the order stays busy")

    answers = at_once(each([won, refunded] * (THREADS // 2), patiently))
    world.work()
    given = sum(answer.json["amount"] for answer in answers[1::2] if answer.status == 201)
    return given, world.order(order["id"]), findings()


@ALSO_IN_MEMORY
def test_what_is_won_and_what_is_refunded_meanwhile_add_up(world: World) -> None:
    given, order, found = won_and_refunded_at_once(world)
    assert (given, order["refunded_amount"]) == (1600, 1600)
    assert found == []


@IN_MEMORY
def test_control_the_rig_catches_lines_that_are_given_back_over_a_refund(world: World) -> None:
    with unguarded():
        _, _, found = won_and_refunded_at_once(world)
    assert found != []
