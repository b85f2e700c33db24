"""Suppliers' clocks: reminded at half time, and at the end what their terms say, once."""

import json
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.dispatch import clocks, rules
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Busy
from chalicelib.webhooks import store as webhooks
from tests.functional.workers.conftest import NOON, StillClock
from tests.support.dispatching import SHIP, call, read
from tests.support.invariants import findings
from tests.support.lambdas import handle, invoke
from tests.support.snapshot import snapshot
from tests.support.world import Json, Sale, World, created

FINE: Json = {"on_missed": "fine", "fine_amount": 300}
CANCEL: Json = {"on_missed": "cancel"}
# 700 each for two units; 1000 each is what the customer paid, and 10 % the leader's.
DELIVERED = {"supplier": -1400, "platform:revenue": -400}


def set_terms(world: World, supplier_id: str, **terms: Any) -> None:
    assert world.operator.put(f"/v1/suppliers/{supplier_id}/terms", terms).status == 200


def a_dispatch(world: World, sale: Sale | None = None, **terms: Any) -> Json:
    """Of two units, ordered and paid at noon, under terms that are set before."""
    sold = sale or world.sale(stock=10)
    if terms:
        set_terms(world, sold.supplier_id, **terms)
    order = world.paid_order(sold, quantity=2)
    return read(world, order["dispatches"][0]["id"])


def sweep(world: World, time: StillClock, **later: float) -> None:
    """Some time later every schedule of a minute has run, and again."""
    time.at = NOON + timedelta(**later)
    invoke("dispatch_clocks")
    invoke("dispatch_clocks")
    world.work()


def cases(world: World) -> list[tuple[str, str]]:
    found = world.operator.get("/v1/cases").json["items"]
    return [(each["kind"], each["subject"]) for each in found]


def clock_of(dispatch: Json, kind: str) -> Json:
    return next(each for each in dispatch["clocks"] if each["kind"] == kind)


def told(world: World, event_type: str) -> list[Json]:
    deliveries = world.operator.get("/v1/webhook-deliveries").json["items"]
    return [each for each in deliveries if each["event_type"] == event_type]


def hears(world: World, supplier_id: str) -> None:
    hook = {"url": "http://127.0.0.1:9/hook", "supplier_id": supplier_id}
    assert world.operator.post("/v1/webhook-endpoints", hook).status == 201


def test_a_dispatch_shows_its_clocks(world: World) -> None:
    dispatch = a_dispatch(world)
    assert (dispatch["accept_by"], dispatch["ship_by"], dispatch["deliver_by"]) == (
        "2026-03-11T00:00:00.000Z",
        "2026-03-11T12:00:00.000Z",
        None,
    )
    untouched = {
        "parcel_id": None,
        "reminded_at": None,
        "fired_at": None,
        "on_missed": "escalate",
        "fine_amount": None,
        "fined": None,
        "waived_at": None,
        "waived_for": None,
    }
    assert dispatch["clocks"] == [
        {
            "kind": "accept",
            "hours": 12,
            "half_time_at": "2026-03-10T18:00:00.000Z",
            "due_at": dispatch["accept_by"],
            **untouched,
        },
        {
            "kind": "ship",
            "hours": 24,
            "half_time_at": "2026-03-11T00:00:00.000Z",
            "due_at": dispatch["ship_by"],
            **untouched,
        },
        {"kind": "deliver", "hours": 72, "half_time_at": None, "due_at": None, **untouched},
    ]


def test_at_half_time_its_supplier_is_reminded_once(world: World, time: StillClock) -> None:
    sale = world.sale()
    hears(world, sale.supplier_id)
    dispatch = a_dispatch(world, sale)
    sweep(world, time, hours=6, seconds=-1)
    assert read(world, dispatch["id"]) == dispatch
    sweep(world, time, hours=6)
    sweep(world, time, hours=6, minutes=1)
    (reminder,) = told(world, "dispatch.reminder")
    assert reminder["subject"] == dispatch["id"]
    reminded = read(world, dispatch["id"])
    assert clock_of(reminded, "accept")["reminded_at"] == "2026-03-10T18:00:00.000Z"
    assert (reminded["status"], reminded["version"]) == ("created", 2)
    assert cases(world) == []


def test_a_reminder_says_which_clock_ends_when_and_what_follows(
    world: World, time: StillClock
) -> None:
    sale = world.sale(stock=10)
    hears(world, sale.supplier_id)
    dispatch = a_dispatch(world, sale, **FINE)
    sweep(world, time, hours=6)
    (reminder,) = told(world, "dispatch.reminder")
    delivery = webhooks.get_delivery(reminder["id"])
    assert delivery
    data = json.loads(delivery.body)["data"]
    assert data["clock"] == {
        "kind": "accept",
        "parcel_id": None,
        "due_at": dispatch["accept_by"],
        "on_missed": "fine",
        "fine_amount": 300,
    }
    assert (data["dispatch_id"], data["version"]) == (dispatch["id"], 2)
    assert data["lines"] == dispatch["lines"]


def test_who_answers_before_the_reminder_is_told_does_not_hear_it(
    world: World, time: StillClock
) -> None:
    sale = world.sale(stock=10)
    hears(world, sale.supplier_id)
    dispatch = a_dispatch(world, sale)
    time.move_on(hours=6)
    invoke("dispatch_clocks")
    call(world.operator, dispatch["id"], "accept")
    world.work()
    assert told(world, "dispatch.reminder") == []


def test_an_endpoint_made_later_hears_of_no_clock_that_is_over(
    world: World, time: StillClock
) -> None:
    sale = world.sale(stock=10)
    a_dispatch(world, sale)
    sweep(world, time, hours=6)
    hears(world, sale.supplier_id)
    # The end of accepting, and half of the time to ship.
    sweep(world, time, hours=12)
    (reminder,) = told(world, "dispatch.reminder")
    delivery = webhooks.get_delivery(reminder["id"])
    assert delivery
    assert json.loads(delivery.body)["data"]["clock"]["kind"] == "ship"


def test_a_reminder_that_comes_twice_is_told_once(world: World, time: StillClock) -> None:
    sale = world.sale(stock=10)
    hears(world, sale.supplier_id)
    a_dispatch(world, sale)
    time.move_on(hours=6)
    invoke("dispatch_clocks")
    messages = world.messages("WEBHOOK_FAN_OUT")
    assert [each["type"] for each in messages] == ["dispatch.reminder"]
    assert handle("webhook_fan_out", *messages, *messages) == []
    assert len(told(world, "dispatch.reminder")) == 1


def test_at_the_end_a_person_is_called_once(world: World, time: StillClock) -> None:
    dispatch = a_dispatch(world)
    sweep(world, time, hours=12, seconds=-1)
    assert cases(world) == []
    sweep(world, time, hours=12)
    sweep(world, time, hours=12, minutes=1)
    assert cases(world) == [("accept_missed", dispatch["id"])]
    found = read(world, dispatch["id"])
    assert clock_of(found, "accept")["fired_at"] == "2026-03-11T00:00:00.000Z"
    assert clock_of(found, "accept")["fined"] is None
    assert found["status"] == "created"
    assert findings() == []


def test_who_accepts_is_not_called_for_accepting_but_for_shipping(
    world: World, time: StillClock
) -> None:
    dispatch = a_dispatch(world)
    call(world.operator, dispatch["id"], "accept")
    sweep(world, time, hours=23)
    assert cases(world) == []
    sweep(world, time, hours=24)
    assert cases(world) == [("ship_missed", dispatch["id"])]


def test_delivering_is_owed_from_the_shipping_on(world: World, time: StillClock) -> None:
    dispatch = a_dispatch(world)
    time.move_on(hours=10)
    world.move(dispatch["id"], "accept", "ship")
    shipped = read(world, dispatch["id"])
    assert shipped["deliver_by"] == "2026-03-13T22:00:00.000Z"
    sweep(world, time, hours=10 + 36)
    assert clock_of(read(world, dispatch["id"]), "deliver")["reminded_at"] is not None
    sweep(world, time, hours=10 + 72)
    assert cases(world) == [("deliver_missed", dispatch["id"])]
    world.move(dispatch["id"], "deliver")
    sweep(world, time, days=30)
    assert len(cases(world)) == 1
    assert findings() == []


@pytest.mark.parametrize("verbs", [("accept", "ship", "deliver"), ("reject",)])
def test_a_dispatch_that_has_ended_owes_nothing(
    world: World, time: StillClock, verbs: tuple[str, ...]
) -> None:
    dispatch = a_dispatch(world)
    for verb in verbs:
        assert call(world.operator, dispatch["id"], verb).status == 200
    before = read(world, dispatch["id"])
    sweep(world, time, days=30)
    assert read(world, dispatch["id"]) == before
    assert cases(world) == []


def test_a_late_sweep_does_what_is_over_and_reminds_of_nothing(
    world: World, time: StillClock
) -> None:
    sale = world.sale()
    hears(world, sale.supplier_id)
    dispatch = a_dispatch(world, sale)
    sweep(world, time, days=4)
    assert sorted(cases(world)) == [
        ("accept_missed", dispatch["id"]),
        ("ship_missed", dispatch["id"]),
    ]
    assert told(world, "dispatch.reminder") == []
    assert [each["reminded_at"] for each in read(world, dispatch["id"])["clocks"]] == [None] * 3


def test_late_answers_are_taken_where_the_terms_only_escalate(
    world: World, time: StillClock
) -> None:
    dispatch = a_dispatch(world)
    sweep(world, time, days=4)
    assert world.move(dispatch["id"], "accept", "ship", "deliver")["status"] == "delivered"
    assert findings() == []


def test_a_fine_is_taken_of_what_the_supplier_is_owed(world: World, time: StillClock) -> None:
    dispatch = a_dispatch(world, **FINE)
    payable = f"supplier:{dispatch['supplier_id']}:payable"
    sweep(world, time, hours=12)
    books = world.trial_balance()
    # A supplier that is owed nothing yet owes its fine.
    assert (books[payable], books["platform:revenue"]) == (300, -300)
    assert clock_of(read(world, dispatch["id"]), "accept")["fined"] == 300
    sweep(world, time, hours=24)
    world.move(dispatch["id"], "accept", "ship", "deliver")
    books = world.trial_balance()
    assert books[payable] == DELIVERED["supplier"] + 600
    assert books["platform:revenue"] == DELIVERED["platform:revenue"] - 600
    detail = world.operator.get("/v1/cases").json["items"][0]["detail"]
    assert "fined 3.00 EUR" in detail
    assert findings() == []


def test_a_fine_is_waived_once_with_its_reason(world: World, time: StillClock) -> None:
    dispatch = a_dispatch(world, **FINE)
    sweep(world, time, hours=12)
    path = f"/v1/dispatches/{dispatch['id']}/fines/accept/waive"
    answer = world.operator.post(path, {"reason": "the road was flooded"})
    assert answer.status == 200, answer.text
    waived = clock_of(answer.json, "accept")
    assert (waived["fined"], waived["waived_for"]) == (300, "the road was flooded")
    assert waived["waived_at"] == clock.to_text(time.at)
    again = world.operator.post(path, {"reason": "the road was flooded"})
    assert again.json == answer.json
    other = world.operator.post(path, {"reason": "a mistake"})
    assert (other.status, other.code) == (409, "already_waived")
    books = world.trial_balance()
    assert [name for name in books if name.startswith(("supplier:", "platform:"))] == []
    assert findings() == []


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x" * 301}, {"amount": 1}])
def test_a_waiver_has_a_reason_and_nothing_else(world: World, body: Json) -> None:
    answer = world.operator.post("/v1/dispatches/dsp_none/fines/accept/waive", body)
    assert (answer.status, answer.code) == (422, "invalid_request")


@pytest.mark.parametrize("kind", ["ship", "deliver"])
def test_what_was_not_fined_is_not_waived(world: World, time: StillClock, kind: str) -> None:
    dispatch = a_dispatch(world, **FINE)
    sweep(world, time, hours=12)
    before = snapshot(world.environment)
    path = f"/v1/dispatches/{dispatch['id']}/fines/{kind}/waive"
    answer = world.operator.post(path, {"reason": "mercy"})
    assert (answer.status, answer.code) == (404, "not_found")
    assert answer.json["detail"] == f"The clock {kind} of this dispatch was not fined."
    parcel = {"reason": "mercy", "parcel_id": "prc_none"}
    assert "of parcel prc_none" in world.operator.post(path, parcel).json["detail"]
    assert snapshot(world.environment) == before


def test_a_clock_that_is_none_is_no_clock_to_waive(world: World) -> None:
    path = "/v1/dispatches/dsp_none/fines/lunch/waive"
    answer = world.operator.post(path, {"reason": "mercy"})
    assert answer.status == 422
    assert answer.json["errors"] == [
        {"field": "clock", "message": "must be 'accept', 'ship' or 'deliver'"}
    ]


def test_a_clock_may_cancel_what_has_not_shipped(world: World, time: StillClock) -> None:
    sale = world.sale(stock=10)
    hears(world, sale.supplier_id)
    dispatch = a_dispatch(world, sale, **CANCEL)
    sweep(world, time, hours=12)
    found = read(world, dispatch["id"])
    assert (found["status"], found["reason"]) == ("cancelled", "was not accepted in time")
    order = world.order(dispatch["order_id"])
    assert (order["status"], order["refunded_amount"]) == ("refunded", 2000)
    (refund_id,) = order["refunds"]
    refund = world.operator.get(f"/v1/refunds/{refund_id}").json
    assert refund["reason"] == "dispatch was not accepted in time"
    assert world.trial_balance() == {}
    stock = world.stock(sale.sku_ids[0])
    # Whether a supplier that is silent has them nobody knows: they stay off sale.
    assert (stock["on_hand"], stock["committed"]) == (8, 0)
    assert cases(world) == [("accept_missed", dispatch["id"])]
    assert len(told(world, "dispatch.cancelled")) == 1
    late = call(world.operator, dispatch["id"], "accept")
    assert (late.status, late.code) == (409, "invalid_transition")
    sweep(world, time, days=3)
    assert len(cases(world)) == 1
    assert findings({sale.sku_ids[0]: 10}) == []


def test_what_has_shipped_is_not_cancelled_by_its_last_clock(
    world: World, time: StillClock
) -> None:
    dispatch = a_dispatch(world, **CANCEL)
    world.move(dispatch["id"], "accept", "ship")
    sweep(world, time, hours=72)
    assert read(world, dispatch["id"])["status"] == "shipped"
    assert cases(world) == [("deliver_missed", dispatch["id"])]
    assert world.move(dispatch["id"], "deliver")["status"] == "delivered"
    assert findings() == []


def test_only_what_is_left_of_a_dispatch_is_refunded_by_its_clock(
    world: World, time: StillClock
) -> None:
    sale = world.sale(stock=10)
    dispatch = a_dispatch(world, sale, **CANCEL)
    lines = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
    path = f"/v1/orders/{dispatch['order_id']}/refunds"
    assert world.operator.post(path, {"lines": lines, "reason": "one less"}).status == 201
    sweep(world, time, hours=12)
    assert world.order(dispatch["order_id"])["refunded_amount"] == 2000
    assert world.trial_balance() == {}
    assert findings({sale.sku_ids[0]: 10}) == []


@pytest.mark.parametrize("on_missed", [FINE, CANCEL])
def test_a_supplier_does_not_pay_for_the_platforms_delay(
    world: World, time: StillClock, on_missed: Json
) -> None:
    """The message that makes dispatches lay for thirteen hours."""
    sale = world.sale(stock=10)
    set_terms(world, sale.supplier_id, **on_missed)
    order = world.place(sale, quantity=2)
    assert world.pay(order).status == 200
    sweep(world, time, hours=13)
    sweep(world, time, hours=14)
    (made,) = world.order(order["id"])["dispatches"]
    shown = read(world, made["id"])
    assert (shown["status"], shown["accept_by"]) == ("created", "2026-03-11T13:00:00.000Z")
    assert cases(world) == []
    sweep(world, time, hours=25)
    assert cases(world) == [("accept_missed", made["id"])]


def test_clocks_pause_outside_the_suppliers_hours(world: World, time: StillClock) -> None:
    """It is Tuesday, 13:00 in Berlin; half time is on Wednesday, the end behind a closed day."""
    week = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    dispatch = a_dispatch(
        world, timezone="Europe/Berlin", weekly_hours=week, closed_days=["2026-03-12"]
    )
    assert clock_of(dispatch, "accept")["half_time_at"] == "2026-03-11T10:00:00.000Z"
    assert dispatch["accept_by"] == "2026-03-11T16:00:00.000Z"
    # 4 hours of Tuesday, 8 of Wednesday, 8 of Friday, 4 of Monday.
    assert dispatch["ship_by"] == "2026-03-16T12:00:00.000Z"
    sweep(world, time, hours=24)
    assert cases(world) == []
    world.move(dispatch["id"], "accept")
    sweep(world, time, days=6, seconds=-1)
    assert cases(world) == []
    sweep(world, time, days=6)
    assert cases(world) == [("ship_missed", dispatch["id"])]


def test_terms_that_change_leave_running_clocks_as_they_were(
    world: World, time: StillClock
) -> None:
    sale = world.sale()
    week = {"wed": [["00:00", "24:00"]]}
    before = a_dispatch(world, sale, deliver_by_hours=24, weekly_hours=week, **FINE)
    set_terms(world, sale.supplier_id, accept_by_hours=1, deliver_by_hours=1, **CANCEL)
    after = a_dispatch(world, sale)
    assert read(world, before["id"])["clocks"] == before["clocks"]
    assert [each["hours"] for each in after["clocks"]] == [1, 24, 1]
    call(world.operator, before["id"], "accept")
    call(world.operator, before["id"], "ship", SHIP)
    # By the hours of its own terms: all of Wednesday.
    assert read(world, before["id"])["deliver_by"] == "2026-03-12T00:00:00.000Z"
    sweep(world, time, days=2)
    assert clock_of(read(world, before["id"]), "deliver")["fined"] == 300
    assert read(world, after["id"])["status"] == "cancelled"


def test_a_sku_of_another_mode_has_the_clocks_of_its_mode(world: World) -> None:
    supplier_id = world.add_supplier()
    fresh = {"mode": "fresh", "accept_by_hours": 1, "ship_by_hours": 2, "deliver_by_hours": 3}
    set_terms(world, supplier_id, modes=[fresh])
    skus = [
        {"title": "Fish", "list_price": 1200, "cost": 700, "fulfilment_mode": "fresh"},
        {"title": "Salt", "list_price": 1200, "cost": 700},
    ]
    body = {"supplier_id": supplier_id, "title": "Sea", "currency": "EUR", "skus": skus}
    product = world.operator.post("/v1/products", body).json
    fish, salt = (sku["id"] for sku in product["skus"])
    assert [sku["fulfilment_mode"] for sku in product["skus"]] == ["fresh", "standard"]
    leader_id = world.add_leader()
    for sku_id in (fish, salt):
        world.set_stock(sku_id, 10)
    campaign = world.add_campaign([fish, salt], [leader_id])
    found = {}
    for sku_ids in ([fish], [salt], [fish, salt]):
        sale = Sale(supplier_id, leader_id, campaign["id"], product["id"], sku_ids)
        found[len(sku_ids), sku_ids[0]] = [
            each["hours"] for each in a_dispatch(world, sale)["clocks"]
        ]
    assert found == {(1, fish): [1, 2, 3], (1, salt): [12, 24, 72], (2, fish): [1, 2, 3]}


def test_an_alternate_has_the_clocks_of_its_own_mode(world: World) -> None:
    sale, other = world.sale(stock=10), world.add_supplier()
    chilled = {"mode": "chilled", "accept_by_hours": 2, "ship_by_hours": 6}
    set_terms(world, other, modes=[{**chilled, "deliver_by_hours": 24}])
    sku = {"title": "x", "list_price": 1000, "cost": 800, "fulfilment_mode": "chilled"}
    body = {"supplier_id": other, "title": "Milk", "currency": "EUR", "skus": [sku]}
    (alternate,) = created(world.operator.post("/v1/products", body))["skus"]
    world.set_stock(alternate["id"], 10)
    path = f"/v1/skus/{alternate['id']}"
    assert world.operator.patch(path, {"alternate_of": sale.sku_ids[0]}).status == 200
    dispatch = a_dispatch(world, sale)
    assert call(world.operator, dispatch["id"], "reject").status == 200
    _, in_place = world.order(dispatch["order_id"])["dispatches"]
    shown = read(world, in_place["id"])
    assert shown["supplier_id"] == other
    assert [each["hours"] for each in shown["clocks"]] == [2, 6, 24]


def test_a_leader_sees_no_clocks(world: World) -> None:
    dispatch = a_dispatch(world)
    world.move(dispatch["id"], "accept", "ship")
    leader = world.leader(world.order(dispatch["order_id"])["leader_id"])
    assert call(leader, dispatch["id"], "deliver").json["clocks"] == []


def test_the_feed_can_be_narrowed_to_what_is_due(world: World, time: StillClock) -> None:
    sale = world.sale(stock=10)
    waiting = a_dispatch(world, sale)
    accepted = a_dispatch(world, sale)
    call(world.operator, accepted["id"], "accept")

    supplier = world.supplier(sale.supplier_id)

    def due_before(instant: str) -> set[str]:
        found = supplier.get(f"/v1/dispatches?due_before={instant}").json["items"]
        return {each["id"] for each in found}

    assert due_before("2026-03-10T23:59:59Z") == set()
    assert due_before("2026-03-11T00:00:00Z") == {waiting["id"]}
    assert due_before("2026-03-11T12:00:00Z") == {waiting["id"], accepted["id"]}
    assert world.operator.get("/v1/dispatches?due_before=soon").status == 422


def test_one_dispatch_that_fails_holds_back_no_other(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = world.sale(stock=10)
    first, second = a_dispatch(world, sale), a_dispatch(world, sale)
    look = clocks.look_at

    def fail(dispatch_id: str, now: Any) -> None:
        if dispatch_id == first["id"]:
            raise RuntimeError("no luck")
        look(dispatch_id, now)

    time.move_on(hours=12)
    with monkeypatch.context() as patch:
        patch.setattr(clocks, "look_at", fail)
        with pytest.raises(RuntimeError, match="no luck"):
            invoke("dispatch_clocks")
    assert cases(world) == [("accept_missed", second["id"])]
    invoke("dispatch_clocks")
    assert sorted(cases(world)) == sorted(
        [("accept_missed", first["id"]), ("accept_missed", second["id"])]
    )


def test_what_can_never_be_written_is_a_failure_of_the_sweep(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order that does not show its dispatch as it is, which no retry mends."""
    dispatch = a_dispatch(world, **CANCEL)
    monkeypatch.setattr(rules, "is_as_shown", lambda *_: False)
    time.move_on(hours=12)
    with pytest.raises(Busy):
        invoke("dispatch_clocks")
    assert read(world, dispatch["id"]) == dispatch
