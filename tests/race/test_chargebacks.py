"""A chargeback whose fee is named, and whose end is told, by sixteen events at once."""

import pytest

from tests.support.at_once import THREADS, at_once, each
from tests.support.clouds import IN_MEMORY
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import Json, World


def told_at_once(world: World, bearer: str) -> None:
    """The one who pays the fee of an order of 30.00 has it back, whichever event comes first."""
    rules = {"chargeback": bearer, "chargeback_fee": bearer}
    assert world.operator.put("/v1/refund-bearers", rules).status == 200
    order = world.delivered_order(world.sale(), quantity=3)
    said = {
        "dispute_id": "dp_1",
        "reference": f"ch_{order['id']}",
        "amount": 1000,
        "currency": "EUR",
    }

    def tell(kind: str, more: Json) -> None:
        for _ in range(10):
            status = world.provider_event(f"dispute.{kind}", {**said, **more}).status
            if status != 503:
                assert status == 200
                return
        raise AssertionError("the chargeback stays busy")

    tell("created", {"fee": 0})
    events: list[tuple[str, Json]] = [
        ("created", {"fee": 150}),
        ("closed", {"fee": 150, "outcome": "won"}),
    ]
    at_once(each(events * (THREADS // 2), lambda event: tell(*event)))
    world.work()
    assert findings() == []
    books = world.trial_balance()
    assert books["platform:revenue"] == -600 + 150
    assert sum(n for name, n in books.items() if name.startswith("leader:")) == -300
    assert sum(n for name, n in books.items() if name.startswith("supplier:")) == -2100


BEARERS = ["leader", "supplier", "platform"]


@IN_MEMORY
@pytest.mark.parametrize("bearer", BEARERS)
def test_a_fee_is_booked_once_and_given_back_once(world: World, bearer: str) -> None:
    told_at_once(world, bearer)


@IN_MEMORY
@pytest.mark.parametrize("bearer", BEARERS)
def test_control_the_rig_catches_fees_that_nobody_counts(world: World, bearer: str) -> None:
    with unguarded(), pytest.raises(AssertionError):
        told_at_once(world, bearer)
