"""A refund that is sent while the customer's bank takes its money by itself."""

from chalicelib.payments import refunds
from tests.support.at_once import THREADS, at_once, each
from tests.support.clouds import ALSO_IN_MEMORY, IN_MEMORY
from tests.support.invariants import findings
from tests.support.provider import provider_that_answers
from tests.support.unguarded import unguarded
from tests.support.world import World, created


def sent_and_charged_back_at_once(world: World) -> tuple[bool, bool]:
    """Of an order of 20.00 a refund of 10.00 is sent by eight, while eight tell that all of it was
    charged back. Whether it was sent, and whether the chargeback has paid it."""
    order = world.paid_order(world.sale(), quantity=2)
    lines = [{"sku_id": order["lines"][0]["sku_id"], "quantity": 1}]
    body = {"lines": lines, "reason": "broken"}
    refund = created(world.operator.post(f"/v1/orders/{order['id']}/refunds", body))
    world.messages("REFUND_EXECUTE")
    told = {"order_id": order["id"], "amount": 2000, "reference": f"dp_{order['id']}"}

    def tell() -> None:
        for _ in range(10):
            answer = world.operator.post("/v1/chargebacks", told)
            if answer.status != 503:
                assert answer.status in (200, 201)
                return
        raise AssertionError("the chargeback stays busy")

    half = range(THREADS // 2)
    with provider_that_answers("succeeded") as provider:
        at_once(
            [
                *each(half, lambda _: refunds.execute(refund["id"])),
                *each(half, lambda _: tell()),
            ]
        )
        world.work()
    paid_from = world.operator.get(f"/v1/refunds/{refund['id']}").json["paid_from"]
    return bool(provider.asked), paid_from == "chargeback"


@ALSO_IN_MEMORY
def test_a_refund_is_sent_or_paid_by_the_chargeback_and_never_both(world: World) -> None:
    was_sent, was_paid = sent_and_charged_back_at_once(world)
    assert was_sent != was_paid
    assert findings() == []


@IN_MEMORY
def test_control_the_rig_catches_a_refund_that_is_sent_and_charged_back(world: World) -> None:
    for _ in range(10):
        with unguarded():
            was_sent, was_paid = sent_and_charged_back_at_once(world)
        if was_sent and (was_paid or findings()):
            return
    raise AssertionError("no refund was sent and charged back")
