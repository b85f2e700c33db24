"""A repeat of an order's placing is answered as at first, whatever has become of the order."""

import zlib

import boto3

from tests.support.world import World

KEY = "basket-1"


def test_a_repeat_shows_the_order_as_it_was_placed_to_the_byte(world: World) -> None:
    sale, alice = world.sale(skus=2), world.customer()
    body = world.order_body(sale, quantity=3, note="Ring twice, Frau Nguyễn")
    first = alice.post("/v1/orders", body, key=KEY)
    assert first.status == 201

    assert world.pay(first.json).status == 200
    world.work()
    paid = world.order(first.json["id"])
    refused = {"reason": "nothing is left"}
    rejected = world.operator.post(f"/v1/dispatches/{paid['dispatches'][0]['id']}/reject", refused)
    assert rejected.status == 200
    assert [line["refunded_quantity"] for line in world.order(paid["id"])["lines"]] == [3, 3]

    again = alice.post("/v1/orders", body, key=KEY)
    assert (again.status, again.headers["idempotent-replayed"]) == (201, "true")
    assert again.text == first.text


def test_the_record_of_a_key_holds_nothing_of_the_address(world: World) -> None:
    placed = world.customer().post("/v1/orders", world.order_body(world.sale()), key=KEY)
    items = boto3.client("dynamodb").scan(TableName=world.environment["IDEMPOTENCY_TABLE"])["Items"]
    bodies = [zlib.decompress(bytes(item["body"]["B"])).decode() for item in items]
    (recorded,) = [body for body in bodies if placed.json["id"] in body]
    assert "Alice Doe" in placed.text
    assert "Alice Doe" not in recorded
    assert "+49 30 1234567" not in recorded
