"""Products and campaigns."""

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.catalogue import store as catalogue
from chalicelib.kernel import clock
from tests.functional.conftest import Clock
from tests.support.gateway import Answer
from tests.support.world import Api, Json, World, created


def product_of(supplier_id: str, **changes: Any) -> Json:
    usual = {
        "supplier_id": supplier_id,
        "title": "Eggs",
        "description": "Free range.\nFrom the valley.",
        "category": "Dairy",
        "currency": "EUR",
        "skus": [
            {
                "title": "Box of 6",
                "supplier_sku": "E6",
                "list_price": 300,
                "cost": 180,
                "fulfilment_mode": "chilled",
            },
            {"title": "Box of 10", "list_price": 450, "cost": 270},
        ],
    }
    return {**usual, **changes}


def test_an_operators_product_is_active_at_once(world: World) -> None:
    body = product_of(world.add_supplier())
    made = created(world.operator.post("/v1/products", body))
    assert made["id"].startswith("prd_")
    assert made["status"] == "active"
    assert all(sku.pop("id").startswith("sku_") for sku in made["skus"])
    unsaid = {"supplier_sku": None, "fulfilment_mode": "standard"}
    assert made["skus"] == [body["skus"][0], {**body["skus"][1], **unsaid}]
    assert {n: made[n] for n in body if n != "skus"} == {n: body[n] for n in body if n != "skus"}


def test_a_suppliers_product_waits_for_approval(world: World) -> None:
    supplier_id = world.add_supplier()
    supplier = world.supplier(supplier_id)
    made = created(supplier.post("/v1/products", product_of(supplier_id)))
    assert made["status"] == "pending"
    refused = offer(world, made)
    assert refused.json["errors"][0]["field"] == "offers.0.sku_id"
    path = f"/v1/products/{made['id']}"
    assert world.operator.post(f"{path}/approve").json["status"] == "active"
    assert supplier.get(path).json["status"] == "active"
    assert offer(world, made).status == 201


def test_a_product_is_corrected_for_the_offers_to_come(world: World) -> None:
    made = created(world.operator.post("/v1/products", product_of(world.add_supplier())))
    first, second = made["skus"]
    campaign = created(offer(world, made))
    path = f"/v1/products/{made['id']}"
    changes = {"category": "Eggs", "skus": [{"id": first["id"], "cost": 210, "list_price": 320}]}
    said = {**made, "category": "Eggs", "skus": [{**first, "cost": 210, "list_price": 320}, second]}
    for _ in range(2):
        answer = world.operator.patch(path, changes)
        assert (answer.status, answer.json) == (200, said)
    assert world.operator.get(path).json == said
    assert costs(campaign) == {first["id"]: 180, second["id"]: 270}
    window = {
        "opens_at": clock.to_text(clock.now() + timedelta(days=1)),
        "closes_at": clock.to_text(clock.now() + timedelta(days=2)),
    }
    clone = created(world.operator.post(f"/v1/campaigns/{campaign['id']}/clone", window))
    assert costs(clone) == {first["id"]: 210, second["id"]: 270}
    less = world.operator.patch(path, {"description": None, "category": None}).json
    assert less == {**said, "description": None, "category": None}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({}, "body"),
        ({"title": None}, "title"),
        ({"supplier_id": "sup_other"}, "supplier_id"),
        ({"skus": []}, "skus"),
        ({"skus": [{"id": "sku_other", "cost": 1}]}, "skus"),
        ({"skus": [{"cost": 1}]}, "skus.0.id"),
        ({"skus": [{"id": "own", "cost": -1}]}, "skus.0.cost"),
        ({"skus": [{"id": "own", "cost": 1}, {"id": "own", "cost": 2}]}, "skus"),
    ],
)
def test_a_product_is_corrected_whole_or_not_at_all(
    world: World, changes: dict[str, Any], field: str
) -> None:
    made = created(world.operator.post("/v1/products", product_of(world.add_supplier())))
    own = made["skus"][0]["id"]
    skus = [
        {**sku, "id": own} if sku.get("id") == "own" else sku for sku in changes.get("skus", [])
    ]
    asked = changes | ({"skus": skus} if "skus" in changes else {})
    path = f"/v1/products/{made['id']}"
    answer = world.operator.patch(path, {**asked, **({"category": "Eggs"} if asked else {})})
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, field)
    assert world.operator.get(path).json == made


def test_a_suppliers_product_is_its_own_where_it_names_nobody(world: World) -> None:
    supplier_id = world.add_supplier()
    body = product_of(supplier_id)
    del body["supplier_id"]
    made = created(world.supplier(supplier_id).post("/v1/products", body))
    assert (made["supplier_id"], made["status"]) == (supplier_id, "pending")
    refused = world.operator.post("/v1/products", body)
    assert refused.status == 422
    assert refused.json["errors"] == [
        {"field": "supplier_id", "message": "is required of an operator"}
    ]


def test_a_rejected_product_says_why_and_is_never_offered(world: World) -> None:
    supplier_id = world.add_supplier()
    made = created(world.supplier(supplier_id).post("/v1/products", product_of(supplier_id)))
    path, reason = f"/v1/products/{made['id']}", "no origin named"
    rejected = world.operator.post(f"{path}/reject", {"reason": reason})
    assert (rejected.json["status"], rejected.json["rejection_reason"]) == ("rejected", reason)
    assert offer(world, made).status == 422


def pending(world: World) -> str:
    supplier_id = world.add_supplier()
    body = product_of(supplier_id)
    made = created(world.supplier(supplier_id).post("/v1/products", body))
    return f"/v1/products/{made['id']}"


NO: Json = {"reason": "no"}


@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [
        (("approve", None), ("approve", None), (200, None)),
        (("approve", None), ("reject", NO), (409, "already_active")),
        (("reject", NO), ("approve", None), (409, "already_rejected")),
        (("reject", NO), ("reject", NO), (200, None)),
        (("reject", NO), ("reject", {"reason": "other"}), (409, "already_rejected")),
    ],
)
def test_a_product_is_decided_once(world: World, first: Any, second: Any, answer: Any) -> None:
    path = pending(world)
    assert world.operator.post(f"{path}/{first[0]}", first[1]).status == 200
    decided = world.operator.get(path).json
    again = world.operator.post(f"{path}/{second[0]}", second[1])
    assert (again.status, again.code) == answer
    assert world.operator.get(path).json == decided


def test_a_product_that_is_not_there_cannot_be_decided(world: World) -> None:
    for path, body in (("approve", None), ("reject", NO)):
        assert world.operator.post(f"/v1/products/prd_0/{path}", body).code == "not_found"


def costs(campaign: Json) -> dict[str, int]:
    """What its offers cost, by SKU, as they are kept."""
    return {each.sku_id: each.unit_cost for each in catalogue.offers(campaign["id"])}


def offer(world: World, product: Json) -> Answer:
    now = clock.now()
    return world.operator.post(
        "/v1/campaigns",
        {
            "title": "Today",
            "opens_at": clock.to_text(now),
            "closes_at": clock.to_text(now + timedelta(days=1)),
            "currency": "EUR",
            "offers": [
                {
                    "sku_id": sku["id"],
                    "price": 280,
                    "commission": {"basis": "gross_profit", "rate_bps": 2500},
                    "limit_per_customer": 3,
                }
                for sku in product["skus"]
            ],
        },
    )


def test_a_campaign_is_read_as_it_was_made(world: World) -> None:
    leader_ids = [world.add_leader(), world.add_leader()]
    product = world.add_product(world.add_supplier(), 2)
    sku_ids = [sku["id"] for sku in product["skus"]]
    made = world.add_campaign(sku_ids, leader_ids, price=990, rate_bps=850, limit=2)
    assert made["id"].startswith("cmp_")
    assert (made["status"], made["for_every_leader"]) == ("open", False)
    read = world.operator.get(f"/v1/campaigns/{made['id']}").json
    for shape in (read, made):
        shape["offers"].sort(key=lambda each: each["title"])
        shape["leader_ids"].sort()
    assert read == {**made, "progress": None}
    assert made["leader_ids"] == sorted(leader_ids)
    assert [made["offers"][n]["sku_id"] for n in (0, 1)] == sku_ids
    assert made["offers"][0] == {
        "sku_id": sku_ids[0],
        "title": "Eggs, Box 0",
        "price": 990,
        "commission": {"basis": "sales", "rate_bps": 850},
        "limit_per_customer": 2,
        "quantity_cap": None,
        "floor_price": None,
        "price_schedule": [],
        "quantity_breaks": [],
    }


def test_a_campaign_without_leaders_is_for_all_of_them(world: World) -> None:
    product = world.add_product(world.add_supplier())
    made = world.add_campaign([product["skus"][0]["id"]])
    assert (made["for_every_leader"], made["leader_ids"]) == (True, [])
    for _ in range(2):
        leader_id = world.add_leader()
        assert [each["id"] for each in shown(world.customer(), leader_id)] == [made["id"]]


def test_a_campaign_opens_and_closes_by_the_clock_alone(world: World, time: Clock) -> None:
    product = world.add_product(world.add_supplier())
    now, leader_id = clock.now(), world.add_leader()
    body = {
        "title": "Tomorrow",
        "opens_at": clock.to_text(now + timedelta(hours=1)),
        "closes_at": clock.to_text(now + timedelta(hours=2)),
        "currency": "EUR",
        "offers": [
            {
                "sku_id": product["skus"][0]["id"],
                "price": 1,
                "commission": {"basis": "sales", "rate_bps": 0},
            }
        ],
    }
    made = created(world.operator.post("/v1/campaigns", body))
    path = f"/v1/campaigns/{made['id']}"
    seen = []
    for _ in range(3):
        seen.append(
            (world.operator.get(path).json["status"], len(shown(world.operator, leader_id)))
        )
        time.move_on(hours=1, seconds=1)
    assert seen == [("scheduled", 0), ("open", 1), ("closed", 0)]


def shown(caller: Api, leader_id: str) -> Json:
    answer = caller.get(f"/v1/leaders/{leader_id}/campaigns")
    assert answer.status == 200
    return answer.json["items"]


def test_a_community_sees_its_open_campaigns_and_what_is_left(world: World, time: Clock) -> None:
    sale = world.sale(stock=7, price=1000, limit=4)
    sooner = world.add_campaign(sale.sku_ids, price=900, open_for=timedelta(hours=1))
    world.sale()  # another community's
    world.add_campaign(sale.sku_ids, [sale.leader_id], open_for=timedelta(seconds=30))
    time.move_on(seconds=31)
    world.place(sale, quantity=3)
    items = shown(world.customer(), sale.leader_id)
    assert [each["id"] for each in items] == [sooner["id"], sale.campaign_id]
    assert items[1]["offers"] == [
        {
            "sku_id": sale.sku_ids[0],
            "title": "Eggs, Box 0",
            "price": 1000,
            "price_reason": [],
            "quantity_breaks": [],
            "later_today": [],
            "limit_per_customer": 4,
            "available": 4,
            "unavailable_reason": None,
            "terms": None,
        }
    ]
    point = {"line1": "1 Main St", "city": "Berlin", "postal_code": "10115", "country": "DE"}
    assert items[1]["pickup_point"] == {**point, "latitude": None, "longitude": None}
    assert items[0]["offers"][0]["price"] == 900


def test_anyone_signed_in_may_look_at_any_community(world: World) -> None:
    sale = world.sale()
    callers = [
        world.operator,
        world.customer("cus_new"),
        world.leader(world.add_leader()),
        world.supplier(world.add_supplier()),
    ]
    assert all(shown(caller, sale.leader_id)[0]["id"] == sale.campaign_id for caller in callers)
    assert world.customer().get("/v1/leaders/ldr_0/campaigns").code == "not_found"


def test_an_offer_without_stock_is_shown_as_sold_out(world: World) -> None:
    product, leader_id = world.add_product(world.add_supplier()), world.add_leader()
    world.add_campaign([product["skus"][0]["id"]], [leader_id])
    assert shown(world.customer(), leader_id)[0]["offers"][0]["available"] == 0


def test_a_supplier_reads_its_own_products(world: World) -> None:
    mine, others = world.add_supplier(), world.add_supplier()
    own, foreign = world.add_product(mine), world.add_product(others)
    supplier = world.supplier(mine)
    assert [each["id"] for each in supplier.get("/v1/products").json["items"]] == [own["id"]]
    assert supplier.get(f"/v1/products/{own['id']}").json == own
    assert supplier.get(f"/v1/products/{foreign['id']}").status == 404
    assert len(world.operator.get("/v1/products").json["items"]) == 2
