"""Several parcels a dispatch: each is shipped, corrected and delivered, and posts its own share."""

from datetime import timedelta

import pytest

from chalicelib.dispatch.parcels import MOST_PARCELS
from chalicelib.kernel import clock
from tests.functional.conftest import Clock
from tests.support.dispatching import call
from tests.support.invariants import findings
from tests.support.sending import Sending
from tests.support.snapshot import snapshot
from tests.support.world import Json, World


@pytest.fixture
def sending(world: World) -> Sending:
    return Sending(world)


def test_a_dispatch_ships_in_parcels(sending: Sending) -> None:
    first = sending.ship("T1", 1).json
    assert (first["status"], first["shipped_at"] is not None) == ("shipped", True)
    assert sending.world.stock(sending.eggs)["committed"] == 2
    second = sending.ship("T2", carrier="Cousin Otto").json
    assert sending.world.stock(sending.eggs)["committed"] == 0
    assert (second["carrier"], second["tracking_number"]) == ("DHL", "T1")
    shown = [
        (p["tracking_number"], p["carrier_known"], p["status"], p["lines"][0]["quantity"])
        for p in second["parcels"]
    ]
    assert shown == [("T1", True, "shipped", 1), ("T2", False, "shipped", 2)]
    assert all(each["id"].startswith("prc_") for each in second["parcels"])
    (in_order,) = sending.order["dispatches"]
    assert (sending.order["status"], in_order["carrier"]) == ("shipped", "DHL")
    assert [each["tracking_number"] for each in in_order["parcels"]] == ["T1", "T2"]


def test_a_parcel_told_again_is_one(sending: Sending) -> None:
    sending.ship("T1", 1)
    first = sending.ship("T2", 2)
    stored = snapshot(sending.world.environment)
    for again in (sending.ship("T2", 2), sending.ship("T1", 1), sending.ship("T2")):
        assert (again.status, again.json) == (200, first.json)
    for other in (sending.ship("T1", 2), sending.ship("T1"), sending.ship("T3")):
        assert (other.status, other.code) == (409, "already_shipped")
    assert snapshot(sending.world.environment) == stored


def test_a_tracking_number_with_other_lines_is_refused_while_units_are_left(
    sending: Sending,
) -> None:
    sending.ship("T1", 1)
    for other in (sending.ship("T1", 2), sending.ship("T1")):
        assert (other.status, other.code) == (409, "already_shipped")
    assert sending.ship("T1", 1, carrier="UPS").status == 200


def test_no_more_ships_than_was_accepted(sending: Sending) -> None:
    answer = sending.ship("T1", 4)
    assert (answer.status, answer.code) == (422, "more_than_is_left")
    assert [each["field"] for each in answer.json["errors"]] == ["lines.0.quantity"]
    sending.ship("T1", 2)
    assert sending.ship("T2", 2).code == "more_than_is_left"
    assert sending.ship("T2", 1).status == 200


def test_what_is_not_accepted_does_not_ship(world: World) -> None:
    order = world.paid_order(world.sale())
    dispatch_id = order["dispatches"][0]["id"]
    body = {"carrier": "DHL", "tracking_number": "T1"}
    assert call(world.operator, dispatch_id, "ship", body).code == "invalid_transition"


@pytest.mark.parametrize("number", ["T\n1", "T\x001", "T\u202e1", "\x7f", " ", "T" * 101])
@pytest.mark.parametrize("field", ["carrier", "tracking_number"])
def test_words_that_cannot_be_printed_are_refused(world: World, field: str, number: str) -> None:
    body = {"carrier": "DHL", "tracking_number": "T1", field: number}
    for method, path in (("POST", "ship"), ("PATCH", "parcels/prc_1")):
        answer = world.operator.send(method, f"/v1/dispatches/dsp_1/{path}", body, {})
        assert answer.status == 422
        assert [each["field"] for each in answer.json["errors"]] == [field]


def test_a_dispatch_has_only_so_many_parcels(world: World) -> None:
    sending = Sending(world, quantity=MOST_PARCELS + 1)
    for n in range(MOST_PARCELS):
        assert sending.ship(f"T{n}", 1).status == 200
    assert sending.ship("T_more").code == "too_many_parcels"
    assert sending.ship("T0", 1).status == 200
    assert call(sending.world.operator, sending.id, "deliver").status == 200
    assert sending.shares() == (14000, 2000, 4000)


def test_each_parcel_posts_its_own_share(sending: Sending) -> None:
    sending.ship("T1", 1)
    sending.ship("T2", 1)
    assert sending.deliver("T2").json["status"] == "shipped"
    assert sending.shares() == (700, 100, 200)
    assert sending.world.trial_balance()["customer_prepayments"] == -2000
    sending.ship("T3")
    assert call(sending.world.operator, sending.id, "deliver").json["status"] == "delivered"
    assert sending.shares() == (2100, 300, 600)
    assert "customer_prepayments" not in sending.world.trial_balance()
    assert sending.order["status"] == "delivered"


def test_parcels_of_a_line_that_does_not_divide_add_up(world: World) -> None:
    """3 units at 3.33 with 10 %: 99.9 is 100 of commission; its thirds are 33, 34 and 33."""
    sending, seen = Sending(world, price=333), []
    for number in ("T1", "T2", "T3"):
        sending.ship(number, 1)
        sending.deliver(number)
        seen.append(sending.shares()[1])
    assert seen == [33, 67, 100]


def test_a_delivery_told_again_is_one(sending: Sending) -> None:
    sending.ship("T1", 1)
    sending.ship("T2")
    first = sending.deliver("T1")
    stored = snapshot(sending.world.environment)
    again = sending.deliver("T1")
    assert (again.status, again.json) == (200, first.json)
    other = sending.deliver("T1", delivered_at=clock.to_text(clock.now()))
    assert (other.status, other.code) == (409, "already_delivered")
    assert snapshot(sending.world.environment) == stored


def test_delivering_the_dispatch_delivers_what_has_shipped(sending: Sending) -> None:
    sending.ship("T1", 2)
    first = call(sending.world.operator, sending.id, "deliver")
    assert (first.status, first.json["status"]) == (200, "shipped")
    assert sending.shares() == (1400, 200, 400)
    again = call(sending.world.operator, sending.id, "deliver")
    assert again.json == first.json
    when = {"delivered_at": clock.to_text(clock.now())}
    assert call(sending.world.operator, sending.id, "deliver", when).code == "already_delivered"
    sending.ship("T2")
    assert call(sending.world.operator, sending.id, "deliver").json["status"] == "delivered"


def test_a_parcel_is_not_delivered_before_it_shipped(sending: Sending, time: Clock) -> None:
    sending.ship("T1", 1)
    time.move_on(hours=2)
    sending.ship("T2", 1)
    hour_ago = {"delivered_at": clock.to_text(clock.now() - timedelta(hours=1))}
    refused = sending.deliver("T2", **hour_ago)
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "delivered_at")
    assert call(sending.world.operator, sending.id, "deliver", hour_ago).status == 422
    assert sending.deliver("T1", **hour_ago).status == 200


def test_each_parcels_commission_matures_by_its_own_day(sending: Sending, time: Clock) -> None:
    sending.ship("T1", 1)
    sending.deliver("T1")
    time.move_on(days=2)
    sending.ship("T2")
    sending.deliver("T2")
    time.move_on(days=6)
    run = settle(sending.world)
    assert run["totals"] == [{"currency": "EUR", "amount": 100}]
    time.move_on(days=2)
    assert settle(sending.world)["totals"] == [{"currency": "EUR", "amount": 200}]


def settle(world: World) -> Json:
    day = clock.day_before(clock.now().date()).isoformat()
    assert world.operator.post("/v1/settlement-runs", {"business_date": day}).status == 202
    world.work()
    return world.operator.get(f"/v1/settlement-runs/run_{day}").json


def test_refunds_take_what_waits_then_what_is_on_its_way_then_what_is_here(
    sending: Sending,
) -> None:
    sending.ship("T1", 1)
    sending.deliver("T1")
    sending.ship("T2", 1)
    sending.refund_units(1)
    assert sending.world.stock(sending.eggs)["committed"] == 0
    assert [line["quantity"] for line in sending.now["lines"]] == [2]
    assert sending.shares() == (700, 100, 200)
    sending.refund_units(1)
    assert sending.now["status"] == "delivered"
    assert sending.shares() == (700, 100, 200)
    assert "customer_prepayments" not in sending.world.trial_balance()
    sending.refund_units(1)
    sending.world.work()
    assert sending.world.trial_balance() == {}
    assert sending.order["status"] == "refunded"


def test_the_supplier_hears_of_what_it_need_not_ship_any_more(sending: Sending) -> None:
    sending.ship("T1", 1)
    sending.world.messages("WEBHOOK_FAN_OUT")
    sending.refund_units(1)
    told = [each["type"] for each in sending.world.messages("WEBHOOK_FAN_OUT")]
    assert "dispatch.updated" in told
    assert sending.ship("T2", 2).code == "more_than_is_left"


def test_a_refunded_parcel_on_its_way_arrives_and_posts_nothing(sending: Sending) -> None:
    sending.ship("T1")
    sending.refund_units(3)
    assert (sending.now["status"], sending.order["status"]) == ("cancelled", "refunded")
    arrived = sending.deliver("T1").json
    assert (arrived["status"], arrived["parcels"][0]["status"]) == ("cancelled", "delivered")
    assert call(sending.world.operator, sending.id, "deliver").status == 200
    assert sending.ship("T2").code == "invalid_transition"
    sending.world.work()
    assert sending.world.trial_balance() == {}


def test_a_refund_of_an_amount_takes_from_parcels_and_from_what_is_held(sending: Sending) -> None:
    sending.ship("T1", 1)
    sending.deliver("T1")
    sending.refund(amount=300)
    # A tenth of each: of the parcel's 7.00, 1.00 and 2.00, and of the 20.00 that are held.
    assert sending.shares() == (630, 90, 180)
    assert sending.world.trial_balance()["customer_prepayments"] == -1800
    sending.ship("T2")
    sending.deliver("T2")
    assert sending.shares() == (1890, 270, 540)


def test_a_refund_after_the_run_claws_back_of_the_parcel_it_takes(
    sending: Sending, time: Clock
) -> None:
    sending.ship("T1", 1)
    sending.deliver("T1")
    time.move_on(days=9)
    settle(sending.world)
    sending.ship("T2")
    sending.deliver("T2")
    sending.refund_units(2)  # all of the second parcel: nothing of it was settled
    assert sending.shares()[1] == 0
    balance = sending.world.operator.get(f"/v1/leaders/{sending.sale.leader_id}/balance").json
    assert (balance["pending"], balance["available"]) == (0, 100)
    sending.refund_units(1)
    balance = sending.world.operator.get(f"/v1/leaders/{sending.sale.leader_id}/balance").json
    assert (balance["pending"], balance["available"]) == (0, 0)


def test_units_go_back_on_sale_from_the_shelf_and_from_parcels(sending: Sending) -> None:
    sending.ship("T1", 2)
    sending.refund_units(2, restock=True)
    stock = sending.world.stock(sending.eggs)
    assert (stock["available"], stock["committed"]) == (9, 0)


def test_a_tracking_number_can_be_corrected_until_it_arrives(sending: Sending) -> None:
    sending.ship("T1", 1)
    supplier = sending.world.supplier(sending.sale.supplier_id)
    before = sending.now
    after = sending.of_parcel("T1", "PATCH", {"tracking_number": "T9"}, supplier).json
    assert after["version"] == before["version"] + 1
    (parcel,) = after["parcels"]
    assert (parcel["id"], parcel["tracking_number"]) == (before["parcels"][0]["id"], "T9")
    assert (after["carrier"], after["tracking_number"]) == ("DHL", "T9")
    assert sending.order["dispatches"][0]["tracking_number"] == "T9"
    again = sending.of_parcel("T9", "PATCH", {"carrier": "DHL", "tracking_number": "T9"})
    assert (again.status, again.json) == (200, after)
    assert sending.ship("T9", 1).json == after
    assert sending.ship("T9", 2).code == "already_shipped"
    sending.ship("T2")
    taken = sending.of_parcel("T2", "PATCH", {"tracking_number": "T9"})
    assert (taken.status, taken.code) == (409, "tracking_number_taken")
    sending.deliver("T9")
    refused = sending.of_parcel("T9", "PATCH", {"carrier": "UPS"})
    assert (refused.status, refused.code) == (409, "already_delivered")


def test_a_number_that_a_correction_set_free_ships_another_parcel(sending: Sending) -> None:
    """Two labels were mixed up."""
    sending.ship("T2", 1)
    first = sending.parcel("T2")["id"]
    sending.of_parcel("T2", "PATCH", {"tracking_number": "T1"})
    assert sending.ship("T2", 1).status == 200
    assert sending.parcel("T1")["id"] == first != sending.parcel("T2")["id"]
    assert sending.world.stock(sending.eggs)["committed"] == 1
    again = sending.ship("T2", 1)
    assert (again.status, len(again.json["parcels"])) == (200, 2)
    assert findings() == []


def test_a_correction_says_something_of_a_parcel_that_is_ones_own(sending: Sending) -> None:
    sending.ship("T1")
    assert sending.of_parcel("T1", "PATCH", {}).status == 422
    stranger = sending.world.supplier(sending.world.add_supplier())
    body = {"carrier": "UPS"}
    assert sending.of_parcel("T1", "PATCH", body, stranger).code == "not_found"
    nowhere = f"/v1/dispatches/{sending.id}/parcels/prc_0"
    assert sending.world.operator.patch(nowhere, body).code == "not_found"
    assert sending.world.operator.post(f"{nowhere}/deliver", {}).code == "not_found"


def test_a_leader_delivers_a_parcel_and_does_not_see_its_cost(sending: Sending) -> None:
    sending.ship("T1", 1)
    leader = sending.world.leader(sending.sale.leader_id)
    answer = sending.of_parcel("T1", "POST", {}, leader)
    assert (answer.status, answer.json["parcels"][0]["status"]) == (200, "delivered")
    assert [line["unit_cost"] for line in answer.json["lines"]] == [None]
    other = sending.world.leader(sending.world.add_leader())
    assert sending.of_parcel("T1", "POST", {}, other).code == "not_found"
