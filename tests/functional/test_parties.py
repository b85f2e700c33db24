"""Suppliers and leaders."""

import re
from typing import Any

from tests.support.world import World, created

SUPPLIER = {"name": "Green Farm", "email": "orders@green.example", "currency": "EUR"}
POINT: dict[str, Any] = {
    "line1": "1 Main St",
    "city": "Berlin",
    "postal_code": "10115",
    "country": "DE",
}
LEADER = {"name": "Lena", "community": "North", "pickup_point": POINT, "currency": "EUR"}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def test_a_supplier_is_read_as_it_was_registered(world: World) -> None:
    made = created(world.operator.post("/v1/suppliers", SUPPLIER))
    assert made["id"].startswith("sup_")
    assert {name: made[name] for name in SUPPLIER} == SUPPLIER
    assert INSTANT.fullmatch(made["created_at"])
    path = f"/v1/suppliers/{made['id']}"
    assert world.operator.get(path).json == made
    assert world.supplier(made["id"]).get(path).json == made


def test_a_leader_is_read_as_it_was_registered(world: World) -> None:
    made = created(world.operator.post("/v1/leaders", LEADER))
    assert made["id"].startswith("ldr_")
    assert made["pickup_point"] == {**POINT, "latitude": None, "longitude": None}
    path = f"/v1/leaders/{made['id']}"
    assert world.operator.get(path).json == made
    assert world.leader(made["id"]).get(path).json == made


def test_a_pickup_point_may_say_where_it_lies(world: World) -> None:
    point = {**POINT, "latitude": 52.5321, "longitude": -13.3849}
    made = created(world.operator.post("/v1/leaders", {**LEADER, "pickup_point": point}))
    assert world.operator.get(f"/v1/leaders/{made['id']}").json["pickup_point"] == point


def test_text_is_stored_without_the_space_around_it(world: World) -> None:
    made = created(world.operator.post("/v1/suppliers", {**SUPPLIER, "name": "  Green Farm "}))
    assert made["name"] == "Green Farm"


def test_a_party_that_nobody_registered_is_not_found(world: World) -> None:
    for path in ("/v1/suppliers/sup_0", "/v1/leaders/ldr_0"):
        assert world.operator.get(path).code == "not_found"
    assert world.leader("ldr_0").get("/v1/leaders/ldr_0/balance").code == "not_found"
    assert world.operator.post("/v1/suppliers/sup_0/api-keys").code == "not_found"


def test_a_new_leader_has_nothing_coming(world: World) -> None:
    leader_id = world.add_leader()
    assert world.leader(leader_id).get(f"/v1/leaders/{leader_id}/balance").json == {
        "currency": "EUR",
        "estimated": 0,
        "pending": 0,
        "available": 0,
        "collected": 0,
        "credit_limit": None,
        "in_payout": 0,
        "paid_out": 0,
    }
