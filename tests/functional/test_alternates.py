"""Alternates: another supplier's SKU in place of units that will not be shipped."""

from typing import Any

import pytest

from tests.functional.conftest import Clock
from tests.support.dispatching import call, read
from tests.support.gateway import Answer
from tests.support.snapshot import snapshot
from tests.support.world import Json, World, created


class Ordered:
    """A paid order of three boxes of eggs and one of milk at 10.00, with 10 % commission."""

    def __init__(self, world: World, **terms: Any) -> None:
        self.world, self.sale = world, world.sale(skus=2, stock=10, **terms)
        self.eggs, self.milk = self.sale.sku_ids
        lines = [{"sku_id": self.eggs, "quantity": 3}, {"sku_id": self.milk, "quantity": 1}]
        self.order_id = world.paid_order(self.sale, lines=lines)["id"]
        self.id = self.order["dispatches"][0]["id"]

    @property
    def order(self) -> Json:
        return self.world.order(self.order_id)

    def alternate(self, *, stock: int = 10, priority: int = 1, cost: int = 800) -> tuple[str, str]:
        """Another supplier and its SKU in place of the eggs."""
        supplier_id = self.world.add_supplier()
        sku_id = self.world.add_product(supplier_id, cost=cost)["skus"][0]["id"]
        self.world.set_stock(sku_id, stock)
        assert name(self.world, sku_id, self.eggs, priority).status == 200
        return supplier_id, sku_id

    def reject(self, **body: Any) -> Json:
        answer = call(self.world.operator, self.id, "reject", {"reason": "out_of_stock", **body})
        assert answer.status == 200, answer.text
        return answer.json

    def reject_eggs(self, units: int) -> Json:
        return self.reject(lines=[{"sku_id": self.eggs, "quantity": units}])

    def lines(self) -> list[tuple[str, str | None, int, int]]:
        """SKU, what it substitutes, units and how many of them were refunded."""
        return [
            (line["sku_id"], line["substitutes"], line["quantity"], line["refunded_quantity"])
            for line in self.order["lines"]
        ]

    def estimated(self) -> int:
        path = f"/v1/leaders/{self.sale.leader_id}/balance"
        return int(self.world.operator.get(path).json["estimated"])


def name(
    world: World, sku_id: str, alternate_of: str | None, priority: int | None = None
) -> Answer:
    body: Json = {"alternate_of": alternate_of}
    body |= {"priority": priority} if priority else {}
    return world.operator.patch(f"/v1/skus/{sku_id}", body)


@pytest.fixture
def ordered(world: World) -> Ordered:
    return Ordered(world)


def test_another_supplier_ships_what_was_rejected(ordered: Ordered) -> None:
    world = ordered.world
    supplier_id, brown = ordered.alternate()
    before = ordered.order
    ordered.reject_eggs(2)
    assert ordered.lines() == [
        (ordered.eggs, None, 1, 0),
        (brown, ordered.eggs, 2, 0),
        (ordered.milk, None, 1, 0),
    ]
    after = ordered.order
    assert {key: after[key] for key in ("subtotal", "total", "refunded_amount", "status")} == {
        key: before[key] for key in ("subtotal", "total", "refunded_amount", "status")
    }
    line = after["lines"][1]
    assert (line["supplier_id"], line["unit_price"], line["amount"]) == (supplier_id, 1000, 2000)
    assert (ordered.estimated(), world.trial_balance()["customer_prepayments"]) == (400, -4000)
    stock = world.stock(brown)
    assert (stock["available"], stock["committed"]) == (8, 2)
    assert world.stock(ordered.eggs)["committed"] == 1
    made = read(world, after["dispatches"][1]["id"])
    assert (made["supplier_id"], made["status"], made["version"]) == (supplier_id, "created", 1)
    assert [(each["quantity"], each["unit_cost"]) for each in made["lines"]] == [(2, 800)]


def test_each_supplier_is_paid_its_own_cost_and_the_leader_what_was_agreed(
    ordered: Ordered,
) -> None:
    world = ordered.world
    supplier_id, _ = ordered.alternate()
    ordered.reject_eggs(2)
    for dispatch in ordered.order["dispatches"]:
        world.move(dispatch["id"], "accept", "ship", "deliver")
    assert ordered.order["status"] == "delivered"
    assert world.trial_balance() == {
        "cash:local": 4000,
        f"supplier:{ordered.sale.supplier_id}:payable": -1400,
        f"supplier:{supplier_id}:payable": -1600,
        f"leader:{ordered.sale.leader_id}:pending": -400,
        "platform:revenue": -600,
    }


def test_a_dispatch_rejected_whole_is_replaced_where_it_can_be(ordered: Ordered) -> None:
    _, brown = ordered.alternate()
    assert ordered.reject()["status"] == "rejected"
    assert ordered.lines() == [
        (ordered.eggs, None, 0, 0),
        (brown, ordered.eggs, 3, 0),
        (ordered.milk, None, 1, 1),
    ]
    ordered.world.work()
    order = ordered.order
    assert (order["status"], order["refunded_amount"]) == ("paid", 1000)
    assert [each["status"] for each in order["dispatches"]] == ["rejected", "created"]
    ordered.world.move(order["dispatches"][1]["id"], "accept", "ship", "deliver")
    assert ordered.order["status"] == "delivered"


def test_a_part_acceptance_is_replaced_too(ordered: Ordered) -> None:
    _, brown = ordered.alternate()
    lines = [{"sku_id": ordered.eggs, "quantity": 1}, {"sku_id": ordered.milk, "quantity": 1}]
    call(ordered.world.operator, ordered.id, "accept", {"lines": lines})
    assert (brown, ordered.eggs, 2, 0) in ordered.lines()
    assert ordered.order["refunded_amount"] == 0


def test_alternates_are_tried_by_priority_and_must_have_all_units(ordered: Ordered) -> None:
    ordered.alternate(priority=1, stock=1)
    _, second = ordered.alternate(priority=2)
    ordered.alternate(priority=3)
    ordered.reject_eggs(2)
    assert (second, ordered.eggs, 2, 0) in ordered.lines()


def test_where_no_alternate_has_enough_it_is_refunded(ordered: Ordered) -> None:
    _, brown = ordered.alternate(stock=1)
    ordered.reject_eggs(2)
    assert ordered.lines()[0] == (ordered.eggs, None, 3, 2)
    assert ordered.order["refunded_amount"] == 2000
    assert ordered.world.stock(brown)["available"] == 1


def test_what_the_alternate_rejects_the_next_one_ships(ordered: Ordered) -> None:
    _, first = ordered.alternate(priority=1)
    _, second = ordered.alternate(priority=2)
    ordered.reject_eggs(3)
    made = ordered.order["dispatches"][1]["id"]
    call(ordered.world.operator, made, "reject", {"reason": "damaged"})
    assert ordered.lines()[:3] == [
        (ordered.eggs, None, 0, 0),
        (first, ordered.eggs, 0, 0),
        (second, ordered.eggs, 3, 0),
    ]
    last = ordered.order["dispatches"][2]["id"]
    call(ordered.world.operator, last, "reject", {"reason": "damaged"})
    ordered.world.work()
    assert ordered.order["refunded_amount"] == 3000


def test_an_alternate_that_is_not_on_sale_is_not_tried(ordered: Ordered) -> None:
    supplier_id = ordered.world.add_supplier()
    body = {
        "supplier_id": supplier_id,
        "title": "Eggs",
        "currency": "EUR",
        "skus": [{"title": "Brown", "list_price": 1, "cost": 1}],
    }
    pending = created(ordered.world.supplier(supplier_id).post("/v1/products", body))
    sku_id = pending["skus"][0]["id"]
    ordered.world.set_stock(sku_id, 10)
    assert name(ordered.world, sku_id, ordered.eggs).status == 200
    ordered.reject_eggs(2)
    assert ordered.order["refunded_amount"] == 2000


def test_the_alternates_supplier_hears_of_its_dispatch_and_nobody_else(ordered: Ordered) -> None:
    ordered.alternate()
    ordered.world.messages("WEBHOOK_FAN_OUT")
    ordered.reject_eggs(3)
    made = ordered.order["dispatches"][1]["id"]
    told = [(each["type"], each["subject"]) for each in ordered.world.messages("WEBHOOK_FAN_OUT")]
    assert ("dispatch.created", made) in told


def test_refunds_before_it_stay_with_what_was_ordered(ordered: Ordered) -> None:
    world = ordered.world
    path, amount = f"/v1/orders/{ordered.order_id}/refunds", {"amount": 400, "reason": "late"}
    created(world.operator.post(path, amount))
    _, brown = ordered.alternate()
    ordered.reject_eggs(2)
    order = ordered.order
    assert [line["refunded_amount"] for line in order["lines"]] == [300, 0, 100]
    # A tenth of the eggs' 30.00 had gone back: two thirds of the 27.00 that were left moved.
    assert [line["net"] for line in order["lines"]] == [1200, 1800, 1000]
    back = {"lines": [{"sku_id": brown, "quantity": 1}], "reason": "broken"}
    assert created(world.operator.post(path, back))["amount"] == 900
    back = {"lines": [{"sku_id": ordered.eggs, "quantity": 1}], "reason": "broken"}
    assert created(world.operator.post(path, back))["amount"] == 900


def test_limits_count_what_was_ordered(world: World) -> None:
    ordered = Ordered(world, limit=3)
    ordered.alternate()
    ordered.reject()
    body = world.order_body(ordered.sale, lines=[{"sku_id": ordered.eggs, "quantity": 1}])
    assert world.customer().post("/v1/orders", body).code == "customer_limit_reached"
    made = ordered.order["dispatches"][1]["id"]
    call(world.operator, made, "reject", {"reason": "damaged"})
    assert ordered.order["status"] == "refunded"
    assert world.customer().post("/v1/orders", body).status == 201


def test_caps_count_what_was_ordered(world: World, time: Clock) -> None:
    ordered = Ordered(world, quantity_cap=3)
    ordered.alternate()
    ordered.reject()
    body = world.order_body(ordered.sale, lines=[{"sku_id": ordered.eggs, "quantity": 1}])
    assert world.customer().post("/v1/orders", body).status == 409
    call(world.operator, ordered.order["dispatches"][1]["id"], "reject", {"reason": "damaged"})
    time.move_on(minutes=1)  # until the mark that nothing is left has run out
    assert world.customer().post("/v1/orders", body).status == 201


def test_commission_on_gross_profit_stays_what_was_agreed(world: World) -> None:
    ordered = Ordered(world, basis="gross_profit", rate_bps=2500)
    ordered.alternate(cost=900)
    ordered.reject_eggs(3)
    assert ordered.estimated() == 300  # 25 % of 4000 - 2800
    world.move(ordered.order["dispatches"][1]["id"], "accept", "ship", "deliver")
    assert world.trial_balance()[f"leader:{ordered.sale.leader_id}:pending"] == -225


def test_the_answer_to_the_orders_key_stays_what_it_was(world: World) -> None:
    sale = world.sale(stock=10)
    body = world.order_body(sale, 3)
    placed = created(world.customer().post("/v1/orders", body, key="one"))
    world.pay(placed)
    world.work()
    supplier_id = world.add_supplier()
    brown = world.add_product(supplier_id)["skus"][0]["id"]
    world.set_stock(brown, 5)
    name(world, brown, sale.sku_ids[0])
    reject = {"reason": "damaged", "lines": [{"sku_id": sale.sku_ids[0], "quantity": 2}]}
    dispatch_id = world.order(placed["id"])["dispatches"][0]["id"]
    assert call(world.operator, dispatch_id, "reject", reject).status == 200
    again = world.customer().post("/v1/orders", body, key="one").json
    assert again["lines"] == placed["lines"]


def test_a_sku_shows_what_it_is_an_alternate_of(ordered: Ordered) -> None:
    _, brown = ordered.alternate(priority=7)
    read_sku = ordered.world.operator.get(f"/v1/skus/{brown}").json
    assert (read_sku["alternate_of"], read_sku["priority"]) == (ordered.eggs, 7)
    moved = name(ordered.world, brown, ordered.milk).json
    assert (moved["alternate_of"], moved["priority"]) == (ordered.milk, 1)
    ordered.reject_eggs(1)
    assert ordered.order["refunded_amount"] == 1000
    none = name(ordered.world, brown, None).json
    assert (none["alternate_of"], none["priority"]) == (None, None)
    ordered.reject(lines=[{"sku_id": ordered.milk, "quantity": 1}])
    assert ordered.order["refunded_amount"] == 2000


def test_no_alternate_of_itself_of_an_alternate_or_of_another_currency(ordered: Ordered) -> None:
    world = ordered.world
    _, brown = ordered.alternate()
    _, green = ordered.alternate()
    dollars = {
        "supplier_id": world.add_supplier("USD"),
        "title": "Eggs",
        "currency": "USD",
        "skus": [{"title": "Eggs", "list_price": 1, "cost": 1}],
    }
    abroad = created(world.operator.post("/v1/products", dollars))["skus"][0]["id"]
    stored = snapshot(world.environment)
    refused = {
        "itself": (name(world, brown, brown), "invalid_request"),
        "nothing": (name(world, brown, "sku_0"), "invalid_request"),
        "an alternate": (name(world, green, brown), "alternate_chain"),
        "with alternates": (name(world, ordered.eggs, ordered.milk), "alternate_chain"),
        "another currency": (name(world, abroad, ordered.eggs), "currency_mismatch"),
    }
    for case, (answer, code) in refused.items():
        assert (answer.status, answer.code) == (422, code), case
        assert [each["field"] for each in answer.json["errors"]] == ["alternate_of"], case
    assert name(world, "sku_0", ordered.eggs).code == "not_found"
    assert snapshot(world.environment) == stored


def test_only_so_many_alternates_and_only_by_an_operator(ordered: Ordered) -> None:
    world, supplier_id = ordered.world, ordered.world.add_supplier()
    product = world.add_product(supplier_id, skus=11)
    *ten, last = [sku["id"] for sku in product["skus"]]
    for sku_id in ten:
        assert name(world, sku_id, ordered.eggs).status == 200
    assert name(world, last, ordered.eggs).status == 422
    body = {"alternate_of": ordered.milk}
    answer = world.supplier(supplier_id).patch(f"/v1/skus/{last}", body)
    assert (answer.status, answer.code) == (403, "forbidden")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ({"priority": 1}, "body"),
        ({"alternate_of": "sku_1", "stock_shards": 2}, "body"),
        ({"alternate_of": None, "priority": 1}, "body"),
        ({"alternate_of": "sku_1", "priority": 0}, "priority"),
        ({"alternate_of": "sku_1", "priority": 1001}, "priority"),
        ({"alternate_of": "a b"}, "alternate_of"),
    ],
)
def test_a_patch_that_says_nothing_is_refused(world: World, body: Json, field: str) -> None:
    answer = world.operator.patch("/v1/skus/sku_1", body)
    assert answer.status == 422
    assert [each["field"] for each in answer.json["errors"]] == [field]


def test_an_order_cancelled_after_it_puts_the_alternates_units_back(ordered: Ordered) -> None:
    _, brown = ordered.alternate()
    ordered.reject_eggs(2)
    path = f"/v1/orders/{ordered.order_id}/cancel"
    assert ordered.world.operator.post(path, {}).json["status"] == "refunded"
    ordered.world.work()
    assert ordered.world.stock(brown)["available"] == 10
    # The two units that were rejected are not for sale: their supplier counts its shelf.
    assert ordered.world.stock(ordered.eggs)["available"] == 8
    assert ordered.world.trial_balance() == {}
