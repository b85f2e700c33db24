"""Placing orders: all of one, or nothing."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.kernel import clock
from tests.functional.conftest import Clock, new_world
from tests.support.snapshot import snapshot
from tests.support.world import Issuer, Json, Sale, World, created

ORDERS = "/v1/orders"


def lines(*wanted: tuple[str, int]) -> list[Json]:
    return [{"sku_id": sku_id, "quantity": quantity} for sku_id, quantity in wanted]


def test_an_order_answers_with_all_it_comes_to(world: World) -> None:
    sale = world.sale(skus=2, price=1250)
    eggs, milk = sale.sku_ids
    order = world.place(sale, lines=lines((eggs, 3), (milk, 1)), note="Ring twice")
    assert order.pop("id").startswith("ord_")
    payment = order.pop("payment")
    assert payment.pop("id").startswith("pay_")
    assert payment == {
        "method": "card",
        "status": "pending",
        "amount": 5000,
        "client_secret": None,
    }
    placed, expires = (clock.from_text(order.pop(n)) for n in ("created_at", "expires_at"))
    assert expires - placed == timedelta(minutes=15)
    shared: dict[str, Any] = {
        "supplier_id": sale.supplier_id,
        "substitutes": None,
        "refunded_quantity": 0,
        "refunded_amount": 0,
        "unit_price": 1250,
        "price_reason": [],
        "discount": 0,
        "tax": 0,
    }
    eggs_line = {"sku_id": eggs, "title": "Eggs, Box 0", "quantity": 3, "amount": 3750, "net": 3750}
    milk_line = {"sku_id": milk, "title": "Eggs, Box 1", "quantity": 1, "amount": 1250, "net": 1250}
    assert order == {
        "status": "pending_payment",
        "version": 1,
        "completes_at": None,
        "refunds": [],
        "cancel_reason": None,
        "depends_on_target": False,
        "customer_id": "cus_alice",
        "leader_id": sale.leader_id,
        "campaign_id": sale.campaign_id,
        "currency": "EUR",
        "lines": [{**eggs_line, **shared}, {**milk_line, **shared}],
        "subtotal": 5000,
        "discount": 0,
        "shipping": 0,
        "tax": 0,
        "total": 5000,
        "refunded_amount": 0,
        "dispatches": [],
        "ship_to": {
            "name": "Alice Doe",
            "phone": "+49 30 1234567",
            "line1": "2 Side St",
            "line2": None,
            "city": "Berlin",
            "region": None,
            "postal_code": "10117",
            "country": "DE",
        },
        "note": "Ring twice",
    }


def test_an_order_is_read_as_it_was_answered(world: World) -> None:
    sale = world.sale()
    order = world.place(sale)
    for caller in (world.customer(), world.leader(sale.leader_id), world.operator):
        assert caller.get(f"{ORDERS}/{order['id']}").json == order


def expiry(order: Json) -> datetime:
    return clock.from_text(order["expires_at"])


def test_a_leader_has_a_day_to_collect(world: World) -> None:
    order = world.place(world.sale(), payment_method="leader_collect")
    assert expiry(order) - clock.from_text(order["created_at"]) == timedelta(hours=24)


def test_no_order_waits_for_its_money_longer_than_two_hours_past_the_close(world: World) -> None:
    sale = world.sale(open_for=timedelta(minutes=10))
    closes = world.operator.get(f"/v1/campaigns/{sale.campaign_id}").json["closes_at"]
    order = world.place(sale, payment_method="leader_collect")
    assert expiry(order) == clock.from_text(closes) + timedelta(hours=2)
    card = world.place(sale)
    assert expiry(card) - clock.from_text(card["created_at"]) == timedelta(minutes=15)


def test_how_long_units_are_held_is_a_setting(issuer: Issuer) -> None:
    with new_world(issuer, RESERVATION_MINUTES="5", LEADER_COLLECT_HOURS="3") as world:
        sale = world.sale()
        card, collected = world.place(sale), world.place(sale, payment_method="leader_collect")
        assert expiry(card) - clock.from_text(card["created_at"]) == timedelta(minutes=5)
        assert expiry(collected) - clock.from_text(collected["created_at"]) == timedelta(hours=3)


def test_an_order_takes_all_its_lines_or_none(world: World) -> None:
    sale = world.sale(skus=3, stock=5)
    world.set_stock(sale.sku_ids[1], 1)
    before = snapshot(world.environment)
    answer = world.customer().post(ORDERS, world.order_body(sale, 2))
    assert (answer.status, answer.code) == (409, "out_of_stock")
    assert sale.sku_ids[1] in answer.json["detail"]
    assert snapshot(world.environment) == before


def errors_of(world: World, sale: Sale, *quantities: int) -> dict[str, str]:
    """What the lines of an order, by their quantities, are refused for."""
    sent = zip(sale.sku_ids, quantities, strict=True)
    body = world.order_body(sale, lines=lines(*sent))
    answer = world.customer().post(ORDERS, body)
    assert answer.status == 409
    return {each["field"]: each["message"] for each in answer.json["errors"]}


def test_a_line_that_is_out_of_stock_is_named_with_what_is_left(world: World) -> None:
    sale = world.sale(skus=3, stock=5)
    world.set_stock(sale.sku_ids[1], 1)
    world.set_stock(sale.sku_ids[2], 0)
    assert errors_of(world, sale, 1, 2, 1) == {"lines.1.quantity": "is more than the 1 left"}
    assert errors_of(world, sale, 1, 1, 1) == {"lines.2.quantity": "is more than the 0 left"}


def test_a_line_beyond_its_offers_cap_is_named_with_what_is_left(world: World) -> None:
    sale = world.sale(skus=2, stock=50, quantity_cap=5)
    world.place(sale, quantity=3)
    assert errors_of(world, sale, 2, 3) == {"lines.1.quantity": "is more than the 2 left"}
    world.place(sale, quantity=2)
    sold_out = {"lines.0.quantity": "is more than the 0 left"}
    assert errors_of(world, sale, 1, 1) == sold_out
    assert errors_of(world, sale, 1, 1) == sold_out  # by the mark that the first refusal has left


def test_lines_beyond_a_limit_are_named(world: World) -> None:
    sale = world.sale(skus=3, limit=4)
    all_left, one_left = (f"is more than the {n} left of the limit of 4" for n in (4, 1))
    assert errors_of(world, sale, 5, 4, 6) == {
        "lines.0.quantity": all_left,
        "lines.2.quantity": all_left,
    }
    first = replace(sale, sku_ids=sale.sku_ids[:2])
    world.place(first, quantity=3)
    assert errors_of(world, sale, 2, 1, 4) == {"lines.0.quantity": one_left}
    assert errors_of(world, sale, 2, 1, 5) == {
        "lines.0.quantity": one_left,
        "lines.2.quantity": all_left,
    }
    assert errors_of(world, first, 1, 2) == {"lines.1.quantity": one_left}
    alone = replace(sale, sku_ids=sale.sku_ids[:1])
    assert errors_of(world, alone, 2) == {"lines.0.quantity": one_left}


def test_a_limit_that_has_room_again_by_now_is_named_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sale = world.sale(limit=2)
    world.place(sale, quantity=2)
    monkeypatch.setattr("chalicelib.ordering.store.counted", lambda *_: {})
    assert errors_of(world, sale, 1) == {"lines.0.quantity": "goes beyond the limit of 2"}


def test_what_no_line_is_to_blame_for_names_none(world: World) -> None:
    sale = world.sale(max_orders=1)
    world.place(sale)
    answer = world.customer("cus_bob").post(ORDERS, world.order_body(sale))
    assert (answer.status, answer.code) == (409, "campaign_not_open")
    assert "errors" not in answer.json


def test_the_last_units_go_to_whoever_comes_first(world: World) -> None:
    sale = world.sale(stock=3)
    world.place(sale, quantity=2)
    late = world.customer("cus_bob").post(ORDERS, world.order_body(sale, 2))
    assert (late.status, late.code) == (409, "out_of_stock")
    world.place(sale, world.customer("cus_bob"), quantity=1)
    assert world.stock(sale.sku_ids[0])["available"] == 0


def refused(world: World, sale: Sale, quantity: int, customer: str = "cus_alice") -> bool:
    answer = world.customer(customer).post(ORDERS, world.order_body(sale, quantity))
    if answer.status == 201:
        return False
    assert (answer.status, answer.code) == (409, "customer_limit_reached")
    return True


def test_a_limit_counts_all_of_a_customers_live_orders(world: World) -> None:
    sale = world.sale(limit=4)
    assert refused(world, sale, 5)
    assert not refused(world, sale, 3)
    assert refused(world, sale, 2)
    assert not refused(world, sale, 1)
    assert refused(world, sale, 1)
    assert not refused(world, sale, 4, "cus_bob")


def test_a_limit_is_one_campaigns_own(world: World) -> None:
    sale = world.sale(limit=2)
    again = world.add_campaign(sale.sku_ids, [sale.leader_id], limit=2)
    assert not refused(world, sale, 2)
    assert refused(world, sale, 1)
    sale.campaign_id = again["id"]
    assert not refused(world, sale, 2)


def test_a_limit_on_one_line_refuses_the_whole_order(world: World) -> None:
    sale = world.sale(skus=2, limit=2)
    body = world.order_body(sale, lines=lines((sale.sku_ids[0], 1), (sale.sku_ids[1], 3)))
    assert world.customer().post(ORDERS, body).code == "customer_limit_reached"
    assert world.stock(sale.sku_ids[0])["reserved"] == 0


def test_a_cancelled_order_counts_no_more(world: World) -> None:
    sale = world.sale(limit=2)
    order = world.place(sale, quantity=2)
    assert refused(world, sale, 1)
    assert world.customer().post(f"{ORDERS}/{order['id']}/cancel", {}).status == 200
    assert not refused(world, sale, 2)


def test_an_order_that_is_wholly_refunded_counts_no_more(world: World) -> None:
    sale = world.sale(limit=2)
    order = world.paid_order(sale, quantity=2)
    one = {"lines": lines((sale.sku_ids[0], 1)), "reason": "broken"}
    created(world.operator.post(f"{ORDERS}/{order['id']}/refunds", one))
    assert refused(world, sale, 1)
    created(world.operator.post(f"{ORDERS}/{order['id']}/refunds", one))
    assert not refused(world, sale, 2)
    assert refused(world, sale, 1)


@pytest.mark.parametrize("role", ["operator", "leader", "customer"])
def test_orders_are_listed_by_their_campaign(world: World, role: str) -> None:
    sale = world.sale()
    other = replace(sale, campaign_id=world.add_campaign(sale.sku_ids, [sale.leader_id])["id"])
    placed = [world.place(each)["id"] for each in (sale, other, sale, other, sale)]
    caller = {
        "operator": world.operator,
        "leader": world.leader(sale.leader_id),
        "customer": world.customer(),
    }[role]
    path = f"{ORDERS}?campaign_id={sale.campaign_id}&limit=2"
    first = caller.get(path).json
    rest = caller.get(f"{path}&cursor={first['next_cursor']}").json
    listed = [each["id"] for each in (*first["items"], *rest["items"])]
    assert listed == [placed[4], placed[2], placed[0]]
    assert rest["next_cursor"] is None
    assert caller.get(f"{ORDERS}?campaign_id=cmp_none").json["items"] == []


@pytest.fixture
def great_sale(world: World) -> Sale:
    """Fifty SKUs of fifty suppliers, each with a limit."""
    leader_id = world.add_leader()
    sku_ids = []
    for _ in range(50):
        product = world.add_product(world.add_supplier())
        sku_ids.append(product["skus"][0]["id"])
        world.set_stock(sku_ids[-1], 5)
    campaign = world.add_campaign(sku_ids, [leader_id], limit=3)
    return Sale("", leader_id, campaign["id"], "", sku_ids)


def test_fifty_lines_with_limits_of_fifty_suppliers_are_one_order_to_its_end(
    world: World, great_sale: Sale
) -> None:
    unpaid = world.place(great_sale, quantity=3)
    assert world.customer().post(f"{ORDERS}/{unpaid['id']}/cancel", {}).status == 200
    assert world.stock(great_sale.sku_ids[0])["available"] == 5
    order = world.paid_order(great_sale, quantity=2)
    assert order["total"] == 50 * 2 * 1000
    assert len(order["dispatches"]) == 50
    for dispatch in order["dispatches"]:
        world.move(dispatch["id"], "accept")
    cancelled = world.operator.post(f"{ORDERS}/{order['id']}/cancel", {"reason": "no van"})
    assert (cancelled.status, cancelled.json["status"]) == (200, "refunded")
    world.work()
    assert {each["status"] for each in world.order(order["id"])["dispatches"]} == {"cancelled"}
    assert world.stock(great_sale.sku_ids[49])["on_hand"] == 5
    assert world.trial_balance() == {}
    assert world.place(great_sale, quantity=3)["status"] == "pending_payment"


def test_a_campaign_takes_orders_until_the_moment_it_closes(world: World, time: Clock) -> None:
    sale = world.sale(open_for=timedelta(minutes=30))
    time.move_on(minutes=29)
    world.place(sale)
    time.move_on(minutes=1)
    late = world.customer().post(ORDERS, world.order_body(sale))
    assert (late.status, late.code) == (409, "campaign_not_open")


def test_names_in_every_script_and_emoji_come_back_as_they_were_sent(world: World) -> None:
    sale = world.sale()
    names = ["Ada Nguyễn", "王小明", "محمد", "Zoë 🥚👩‍🌾", "O'Brien-Smith", "Ἀθηνᾶ", "n" * 100]
    for name in names:
        body = world.order_body(sale)
        body["ship_to"] = {**body["ship_to"], "name": name}
        order = created(world.customer().post(ORDERS, {**body, "note": f"{name}\n🔔"}))
        read = world.order(order["id"])
        assert (read["ship_to"]["name"], read["note"]) == (name, f"{name}\n🔔")


def test_each_sees_its_own_orders_newest_first(world: World) -> None:
    north, south = world.sale(), world.sale()
    alice, bob = world.customer("cus_alice"), world.customer("cus_bob")
    first, second = world.place(north, alice), world.place(south, alice)
    third = world.place(north, bob)

    def ids(sale: Sale | None = None, customer: str = "") -> list[str]:
        caller = world.leader(sale.leader_id) if sale else world.customer(customer)
        return [each["id"] for each in caller.get(ORDERS).json["items"]]

    assert ids(customer="cus_alice") == [second["id"], first["id"]]
    assert ids(customer="cus_bob") == [third["id"]]
    assert ids(customer="cus_carol") == []
    assert ids(north) == [third["id"], first["id"]]
    everything = [each["id"] for each in world.operator.get(ORDERS).json["items"]]
    assert everything == [third["id"], second["id"], first["id"]]


def test_what_is_new_does_not_disturb_whoever_is_paging(world: World) -> None:
    sale, alice = world.sale(), world.customer()
    first, second, third = (world.place(sale)["id"] for _ in range(3))
    page = alice.get("/v1/orders?limit=2").json
    world.place(sale)
    rest = alice.get(f"/v1/orders?limit=2&cursor={page['next_cursor']}").json
    assert [each["id"] for each in page["items"]] == [third, second]
    assert [each["id"] for each in rest["items"]] == [first]
    assert rest["next_cursor"] is None
