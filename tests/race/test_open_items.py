"""An open item that sixteen operators clear at once, each in another way."""

import pytest

from tests.support.at_once import THREADS, at_once, each
from tests.support.clouds import IN_MEMORY
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import Json, World


def cleared_at_once(world: World) -> None:
    """Of 16.00, a quarter each: four of them have it, and nothing is left for the others."""
    event = {"payment_id": "pay_0", "amount": 1600, "currency": "EUR", "reference": "ch_1"}
    assert world.provider_event("payment.succeeded", event).status == 200
    bodies: list[Json] = [
        {"goes": ("payer", "income")[n % 2], "reference": f"C{n}", "amount": 400}
        for n in range(THREADS)
    ]

    def clear(body: Json) -> str:
        for _ in range(10):
            answer = world.operator.post("/v1/open-items/receipt:local:ch_1/clear", body)
            if answer.status != 503:
                return f"{answer.status} {answer.code or ''}".rstrip()
        raise AssertionError("the item stays busy")

    said = at_once(each(bodies, clear))
    assert sorted(said) == ["201"] * 4 + ["409 more_than_left"] * 12
    item = world.operator.get("/v1/open-items/receipt:local:ch_1").json
    assert (item["left"], len(item["clearings"])) == (0, 4)
    assert world.trial_balance().get("unmatched_receipts", 0) == 0
    (case,) = world.operator.get("/v1/cases").json["items"]
    assert case["status"] == "resolved"
    world.work()
    assert findings() == []


@IN_MEMORY
def test_no_more_of_an_item_is_cleared_than_there_is(world: World) -> None:
    cleared_at_once(world)


@IN_MEMORY
def test_control_the_rig_catches_clearings_that_nobody_counts(world: World) -> None:
    with unguarded(), pytest.raises(AssertionError):
        cleared_at_once(world)
