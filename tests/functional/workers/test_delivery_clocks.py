"""Each parcel's clock to be delivered: begun when it ships, and run while it is awaited."""

from datetime import timedelta

import pytest

from tests.functional.workers.conftest import NOON, StillClock
from tests.functional.workers.test_dispatch_clocks import cases, hears, set_terms, sweep, told
from tests.support.dispatching import call
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.sending import Sending
from tests.support.world import Json, World

FINED: Json = {"on_missed": "fine", "fine_amount": 300, "ship_by_hours": 200}


@pytest.fixture
def sending(world: World, time: StillClock) -> Sending:
    """Three boxes that were paid at noon, each to arrive ten hours after it was sent."""
    sale = world.sale(stock=10)
    hears(world, sale.supplier_id)
    set_terms(world, sale.supplier_id, **FINED, deliver_by_hours=10)
    return Sending(world, sale=sale)


def deliver_clocks(sending: Sending) -> dict[str, Json]:
    """By the number of the parcel."""
    shown = sending.now
    numbers = {each["id"]: each["tracking_number"] for each in shown["parcels"]}
    clocks = [each for each in shown["clocks"] if each["kind"] == "deliver"]
    return {numbers[each["parcel_id"]]: each for each in clocks}


def fined(sending: Sending) -> list[str]:
    return [number for number, each in deliver_clocks(sending).items() if each["fined"]]


def called_for(sending: Sending) -> int:
    return cases(sending.world).count(("deliver_missed", sending.id))


def test_what_has_arrived_is_not_late_while_the_rest_waits(
    sending: Sending, time: StillClock
) -> None:
    sending.ship("T1", 1)
    call(sending.world.operator, sending.id, "deliver")
    assert sending.now["deliver_by"] is None
    sweep(sending.world, time, hours=6)
    sweep(sending.world, time, hours=11)
    assert (fined(sending), called_for(sending)) == ([], 0)
    assert told(sending.world, "dispatch.reminder") == []
    assert findings() == []


def test_another_parcel_puts_off_nothing(sending: Sending, time: StillClock) -> None:
    sending.ship("T1", 1)
    time.at = NOON + timedelta(hours=9)
    sending.ship("T2", 1)
    assert sending.now["deliver_by"] == "2026-03-10T22:00:00.000Z"
    sweep(sending.world, time, hours=10)
    assert (fined(sending), called_for(sending)) == (["T1"], 1)
    assert findings() == []


def test_each_parcel_is_reminded_of_and_missed_once(sending: Sending, time: StillClock) -> None:
    sending.ship("T1", 1)
    sweep(sending.world, time, hours=5)
    sweep(sending.world, time, hours=10)
    sending.ship("T2", 1)
    sweep(sending.world, time, hours=15)
    sweep(sending.world, time, hours=20)
    sweep(sending.world, time, hours=30)
    assert (fined(sending), called_for(sending)) == (["T1", "T2"], 2)
    assert len(told(sending.world, "dispatch.reminder")) == 2
    payable = f"supplier:{sending.sale.supplier_id}:payable"
    assert sending.world.trial_balance()[payable] == 600
    assert findings() == []


def test_what_is_refunded_on_its_way_is_awaited_no_longer(
    sending: Sending, time: StillClock
) -> None:
    sending.ship("T1", 2)
    sending.ship("T2")
    sending.refund_units(1)
    assert sending.now["status"] == "shipped"
    sweep(sending.world, time, hours=11)
    assert fined(sending) == ["T1"]
    assert findings() == []


def test_a_dispatch_of_which_all_was_refunded_ends(sending: Sending, time: StillClock) -> None:
    sending.ship("T1", 2)
    sending.refund_units(3)
    shown = sending.now
    assert (shown["status"], shown["deliver_by"]) == ("cancelled", None)
    sending.world.work()
    assert len(told(sending.world, "dispatch.cancelled")) == 1
    sweep(sending.world, time, hours=80)
    assert (fined(sending), cases(sending.world)) == ([], [])
    assert findings() == []


def test_a_refund_of_the_last_parcel_on_its_way_ends_what_has_arrived(sending: Sending) -> None:
    sending.ship("T1", 1)
    sending.deliver("T1")
    sending.ship("T2")
    sending.refund_units(2)
    assert (sending.now["status"], sending.order["status"]) == ("delivered", "delivered")
    assert findings() == []


def waive(sending: Sending, **body: str) -> Answer:
    path = f"/v1/dispatches/{sending.id}/fines/deliver/waive"
    return sending.world.operator.post(path, {"reason": "flood", **body})


def test_the_fine_of_one_parcel_is_waived(sending: Sending, time: StillClock) -> None:
    sending.ship("T1", 1)
    sending.ship("T2", 1)
    sweep(sending.world, time, hours=10)
    unsaid = waive(sending)
    assert (unsaid.status, unsaid.json["errors"][0]["field"]) == (422, "parcel_id")
    assert waive(sending, parcel_id="prc_0").code == "not_found"
    assert waive(sending, parcel_id=sending.parcel("T2")["id"]).status == 200
    waived = {name: each["waived_for"] for name, each in deliver_clocks(sending).items()}
    assert waived == {"T1": None, "T2": "flood"}
    payable = f"supplier:{sending.sale.supplier_id}:payable"
    assert sending.world.trial_balance()[payable] == 300
    assert findings() == []


def test_the_only_fine_for_a_delivery_needs_no_parcel(sending: Sending, time: StillClock) -> None:
    sending.ship("T1", 1)
    sweep(sending.world, time, hours=10)
    assert waive(sending).status == 200
    assert findings() == []
