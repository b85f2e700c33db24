"""After-sales: who asks, who answers, who decides, and what that does to the money."""

import zlib
from dataclasses import dataclass
from functools import cached_property

import boto3
import pytest

from tests.functional.conftest import Clock
from tests.functional.test_refunds import balance, refund, settle
from tests.support.gateway import Answer
from tests.support.lambdas import invoke
from tests.support.snapshot import snapshot
from tests.support.world import Api, Json, Sale, World, created

REASON = "Two of the boxes were wet."
PHOTOS = ["https://photos.example/1.jpg"]


def ask(world: World, order: Json, *units: tuple[str, int], caller: Api | None = None) -> Answer:
    lines = [{"sku_id": sku_id, "quantity": quantity} for sku_id, quantity in units]
    body = {"lines": lines, "reason": REASON, "photos": PHOTOS}
    return (caller or world.customer()).post(f"/v1/orders/{order['id']}/after-sales", body)


def asked(world: World, order: Json, *units: tuple[str, int]) -> Json:
    return created(ask(world, order, *units))


def respond(caller: Api, request: Json, note: str = "I saw it.", accept: bool = True) -> Answer:
    body = {"accept": accept, "note": note}
    return caller.send("POST", f"/v1/after-sales/{request['id']}/respond", body, {})


def decide(world: World, request: Json, refund: bool, note: str = "Seen the photos.") -> Answer:
    body = {"refund": refund, "note": note}
    return world.operator.send("POST", f"/v1/after-sales/{request['id']}/decide", body, {})


def read(caller: Api, request: Json) -> Json:
    return caller.get(f"/v1/after-sales/{request['id']}").json


def actions(request: Json) -> list[tuple[str, str, str | None]]:
    return [(step["by"], step["action"], step["note"]) for step in request["steps"]]


@dataclass
class Delivered:
    """Eggs of one supplier and milk of another, two of each at 10.00, in one delivered order."""

    world: World
    eggs: str
    milk: str
    farm_id: str
    dairy_id: str
    leader_id: str
    order: Json

    @cached_property
    def farm(self) -> Api:
        return self.world.supplier(self.farm_id)

    @cached_property
    def dairy(self) -> Api:
        return self.world.supplier(self.dairy_id)

    @property
    def leader(self) -> Api:
        return self.world.leader(self.leader_id)


@pytest.fixture
def delivered(world: World) -> Delivered:
    farm, dairy = world.sale(), world.sale()
    eggs, milk = farm.sku_ids[0], dairy.sku_ids[0]
    campaign = world.add_campaign([eggs, milk], [farm.leader_id])
    both = Sale("", farm.leader_id, campaign["id"], "", [eggs, milk])
    order = world.delivered_order(both, quantity=2)
    return Delivered(world, eggs, milk, farm.supplier_id, dairy.supplier_id, farm.leader_id, order)


def test_a_customer_asks_for_the_money_of_units(delivered: Delivered) -> None:
    world = delivered.world
    request = asked(world, delivered.order, (delivered.eggs, 1))
    assert request["id"].startswith("aft_")
    assert (request["order_id"], request["leader_id"]) == (
        delivered.order["id"],
        delivered.leader_id,
    )
    assert (request["status"], request["refund_id"], request["version"]) == ("requested", None, 1)
    (line,) = request["lines"]
    assert (line["sku_id"], line["supplier_id"], line["title"], line["quantity"]) == (
        delivered.eggs,
        delivered.farm_id,
        "Eggs, Box 0",
        1,
    )
    assert (request["reason"], request["photos"]) == (REASON, PHOTOS)
    assert actions(request) == [("customer", "requested", None)]
    assert read(world.customer(), request) == request
    assert world.order(delivered.order["id"]) == delivered.order


def test_every_step_is_kept_from_the_asking_to_the_refund(delivered: Delivered) -> None:
    world = delivered.world
    request = asked(world, delivered.order, (delivered.eggs, 1))
    assert respond(delivered.leader, request, "The box was wet.").json["status"] == "responded"
    assert respond(delivered.farm, request, "It left us dry.", accept=False).status == 200
    decided = decide(world, request, refund=True, note="Refunded.")
    assert (decided.status, decided.json["status"]) == (200, "refunded")
    found = read(world.customer(), request)
    assert found == decided.json
    assert actions(found) == [
        ("customer", "requested", None),
        ("leader", "responded", "The box was wet."),
        ("supplier", "responded", "It left us dry."),
        ("operator", "refunded", "Refunded."),
    ]
    assert [step["accept"] for step in found["steps"]] == [None, True, False, None]
    assert found["version"] == 4
    instants = [step["at"] for step in found["steps"]]
    assert instants == sorted(instants)
    assert instants[0] == request["created_at"]


def test_a_decision_refunds_the_units_as_any_refund_does(delivered: Delivered) -> None:
    world = delivered.world
    sale = Sale(delivered.farm_id, delivered.leader_id, "", "", [])
    request = asked(world, delivered.order, (delivered.eggs, 1), (delivered.milk, 2))
    decided = decide(world, request, refund=True).json
    made = world.operator.get(f"/v1/refunds/{decided['refund_id']}").json
    assert (made["order_id"], made["amount"]) == (delivered.order["id"], 3000)
    assert made["reason"] == f"after-sales {request['id']}"
    world.work()
    assert world.trial_balance() == {
        "cash:local": 1000,
        f"supplier:{delivered.farm_id}:payable": -700,
        f"leader:{delivered.leader_id}:pending": -100,
        "platform:revenue": -200,
    }
    after = world.order(delivered.order["id"])
    assert [line["refunded_quantity"] for line in after["lines"]] == [1, 2]
    assert (after["status"], after["refunds"]) == ("delivered", [made["id"]])
    assert balance(world, sale) == (0, 100, 0)


def test_a_decision_after_the_run_claws_the_commission_back(
    delivered: Delivered, time: Clock
) -> None:
    world = delivered.world
    request = asked(world, delivered.order, (delivered.eggs, 2))
    settle(world, time, days=9)
    sale = Sale(delivered.farm_id, delivered.leader_id, "", "", [])
    assert balance(world, sale) == (0, 0, 400)
    assert decide(world, request, refund=True).status == 200
    assert balance(world, sale) == (0, 0, 200)


def test_a_declined_request_moves_no_money_and_frees_its_units(delivered: Delivered) -> None:
    world = delivered.world
    before = world.trial_balance()
    request = asked(world, delivered.order, (delivered.eggs, 2))
    declined = decide(world, request, refund=False, note="The photo shows another box.").json
    assert (declined["status"], declined["refund_id"]) == ("declined", None)
    assert actions(declined)[-1] == ("operator", "declined", "The photo shows another box.")
    assert world.trial_balance() == before
    assert world.order(delivered.order["id"]) == delivered.order
    assert ask(world, delivered.order, (delivered.eggs, 2)).status == 201


def test_a_refund_of_everything_asked_for_ends_the_order(delivered: Delivered) -> None:
    world = delivered.world
    request = asked(world, delivered.order, (delivered.eggs, 2), (delivered.milk, 2))
    assert decide(world, request, refund=True).status == 200
    world.work()
    assert world.order(delivered.order["id"])["status"] == "refunded"
    assert world.trial_balance() == {}


def test_only_what_has_shipped_is_asked_for(delivered: Delivered) -> None:
    world = delivered.world
    sku_ids = [delivered.eggs, delivered.milk]
    sale = Sale("", delivered.leader_id, delivered.order["campaign_id"], "", sku_ids)
    order = world.paid_order(sale)
    eggs, milk = (
        next(each["id"] for each in order["dispatches"] if each["supplier_id"] == supplier_id)
        for supplier_id in (delivered.farm_id, delivered.dairy_id)
    )
    world.move(eggs, "accept", "ship")
    before = snapshot(world.environment)
    answer = ask(world, order, (delivered.eggs, 1), (delivered.milk, 1))
    assert (answer.status, answer.code) == (422, "not_shipped")
    (error,) = answer.json["errors"]
    assert error["field"] == "lines.1.sku_id"
    assert error["message"].startswith("has not been shipped yet")
    assert snapshot(world.environment) == before
    asked(world, order, (delivered.eggs, 1))
    world.move(milk, "accept", "ship")
    asked(world, order, (delivered.milk, 1))


def test_a_request_names_as_many_lines_as_an_order_has(world: World) -> None:
    sale = world.sale(skus=50)
    order = world.delivered_order(sale)
    request = asked(world, order, *((sku_id, 1) for sku_id in sale.sku_ids))
    assert decide(world, request, refund=True).status == 200
    assert world.order(order["id"])["status"] == "refunded"


def test_what_was_not_ordered_is_not_asked_for(delivered: Delivered) -> None:
    answer = ask(delivered.world, delivered.order, (delivered.eggs, 1), ("sku_other", 1))
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert answer.json["errors"] == [{"field": "lines.1.sku_id", "message": "is not in this order"}]


def test_units_are_asked_for_once_at_a_time(delivered: Delivered) -> None:
    world, order = delivered.world, delivered.order
    asked(world, order, (delivered.eggs, 1))
    answer = ask(world, order, (delivered.milk, 1), (delivered.eggs, 2))
    assert (answer.status, answer.code) == (422, "more_than_is_left")
    (error,) = answer.json["errors"]
    assert error == {
        "field": "lines.1.quantity",
        "message": "is more than the 1 units left to refund",
    }
    asked(world, order, (delivered.milk, 1), (delivered.eggs, 1))
    assert ask(world, order, (delivered.eggs, 1)).code == "more_than_is_left"


def test_what_was_refunded_is_not_asked_for_again(delivered: Delivered) -> None:
    world, order = delivered.world, delivered.order
    request = asked(world, order, (delivered.eggs, 1))
    decide(world, request, refund=True)
    refund(world, order, (delivered.milk, 1))
    answer = ask(world, order, (delivered.eggs, 2), (delivered.milk, 2))
    assert [each["field"] for each in answer.json["errors"]] == [
        "lines.0.quantity",
        "lines.1.quantity",
    ]
    asked(world, order, (delivered.eggs, 1), (delivered.milk, 1))


def test_units_refunded_meanwhile_are_not_refunded_with_the_decision(delivered: Delivered) -> None:
    world, order = delivered.world, delivered.order
    request = asked(world, order, (delivered.eggs, 2))
    refund(world, order, (delivered.eggs, 1))
    before = snapshot(world.environment)
    answer = decide(world, request, refund=True)
    assert (answer.status, answer.code) == (409, "units_already_refunded")
    assert snapshot(world.environment) == before
    assert decide(world, request, refund=False).json["status"] == "declined"
    assert world.order(order["id"])["refunded_amount"] == 1000


def test_an_order_refunded_whole_meanwhile_has_nothing_to_decide_but_no(
    delivered: Delivered,
) -> None:
    world, order = delivered.world, delivered.order
    request = asked(world, order, (delivered.eggs, 1))
    path = f"/v1/orders/{order['id']}/refunds"
    created(world.operator.post(path, {"amount": 4000, "reason": "gone"}))
    assert decide(world, request, refund=True).code == "units_already_refunded"
    assert decide(world, request, refund=False).status == 200


@pytest.mark.parametrize("refund", [True, False])
def test_a_decision_told_again_is_no_second_one(delivered: Delivered, refund: bool) -> None:
    world = delivered.world
    request = asked(world, delivered.order, (delivered.eggs, 1))
    first = decide(world, request, refund)
    before = snapshot(world.environment)
    again = decide(world, request, refund)
    assert (again.status, again.text) == (200, first.text)
    for answer in (decide(world, request, not refund), decide(world, request, refund, "other")):
        assert (answer.status, answer.code) == (409, "already_decided")
    assert snapshot(world.environment) == before


def test_a_response_told_again_is_no_second_one(delivered: Delivered) -> None:
    request = asked(delivered.world, delivered.order, (delivered.eggs, 1))
    first = respond(delivered.leader, request)
    again = respond(delivered.leader, request)
    assert (again.status, again.text) == (200, first.text)
    for answer in (
        respond(delivered.leader, request, accept=False),
        respond(delivered.leader, request, note="other words"),
    ):
        assert (answer.status, answer.code) == (409, "already_responded")
    assert read(delivered.world.operator, request)["version"] == 2


def test_nobody_responds_to_what_is_decided(delivered: Delivered) -> None:
    request = asked(delivered.world, delivered.order, (delivered.eggs, 1))
    respond(delivered.leader, request)
    decide(delivered.world, request, refund=False)
    late = respond(delivered.farm, request)
    assert (late.status, late.code) == (409, "already_decided")
    assert respond(delivered.leader, request).status == 200


def test_a_supplier_sees_its_own_lines_and_no_others_words(delivered: Delivered) -> None:
    world = delivered.world
    request = asked(world, delivered.order, (delivered.eggs, 1), (delivered.milk, 1))
    respond(delivered.leader, request, "wet")
    respond(delivered.farm, request, "not ours")
    key, body = "once", {"accept": True, "note": "ours"}
    path = f"/v1/after-sales/{request['id']}/respond"
    answered = delivered.dairy.post(path, body, key=key)
    assert [line["sku_id"] for line in answered.json["lines"]] == [delivered.milk]
    assert [note for *_, note in actions(answered.json)] == [None, "wet", "ours"]
    assert read(delivered.dairy, request) == answered.json
    decide(world, request, refund=False)
    again = delivered.dairy.post(path, body, key=key)
    assert (again.text, again.headers["idempotent-replayed"]) == (answered.text, "true")
    everything = read(world.operator, request)
    assert [note for *_, note in actions(everything)] == [
        None,
        "wet",
        "not ours",
        "ours",
        "Seen the photos.",
    ]
    assert [step["party_id"] for step in everything["steps"]] == [
        None,
        delivered.leader_id,
        delivered.farm_id,
        delivered.dairy_id,
        None,
    ]


def test_each_party_lists_what_concerns_it(delivered: Delivered) -> None:
    world = delivered.world
    eggs = asked(world, delivered.order, (delivered.eggs, 1))
    both = asked(world, delivered.order, (delivered.milk, 1), (delivered.eggs, 1))
    shown = {
        name: [each["id"] for each in caller.get("/v1/after-sales").json["items"]]
        for name, caller in {
            "customer": world.customer(),
            "leader": delivered.leader,
            "farm": delivered.farm,
            "dairy": delivered.dairy,
            "operator": world.operator,
            "another customer": world.customer("cus_bob"),
            "another leader": world.leader(world.add_leader()),
            "another supplier": world.supplier(world.add_supplier()),
        }.items()
    }
    all_of_them = [both["id"], eggs["id"]]
    assert shown == {
        "customer": all_of_them,
        "leader": all_of_them,
        "farm": all_of_them,
        "dairy": [both["id"]],
        "operator": all_of_them,
        "another customer": [],
        "another leader": [],
        "another supplier": [],
    }
    (listed,) = delivered.dairy.get("/v1/after-sales").json["items"]
    assert [line["sku_id"] for line in listed["lines"]] == [delivered.milk]
    first = world.operator.get("/v1/after-sales?limit=1").json
    cursor = first["next_cursor"]
    second = world.operator.get(f"/v1/after-sales?limit=1&cursor={cursor}").json
    assert [each["id"] for each in (*first["items"], *second["items"])] == all_of_them


def listed(caller: Api, query: str) -> list[str]:
    """All ids of a list, page by page."""
    found: list[str] = []
    cursor = ""
    while True:
        page = caller.get(f"/v1/after-sales?{query}{cursor}").json
        found += [each["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def test_a_list_may_be_of_one_status(delivered: Delivered, monkeypatch: pytest.MonkeyPatch) -> None:
    world = delivered.world
    made = [asked(world, delivered.order, (sku, 1)) for sku in (delivered.eggs, delivered.milk)]
    for request in made:
        decide(world, request, refund=False)
    made += [asked(world, delivered.order, (delivered.eggs, 1)) for _ in range(2)]
    respond(delivered.leader, made[2])
    declined, responded, asked_for = [made[1]["id"], made[0]["id"]], made[2]["id"], made[3]["id"]
    for caller in (world.operator, world.customer(), delivered.leader):
        assert listed(caller, "status=declined") == declined
        assert listed(caller, "status=responded") == [responded]
        assert listed(caller, "status=requested") == [asked_for]
        assert listed(caller, "status=refunded") == []
    assert listed(delivered.dairy, "status=declined") == [made[1]["id"]]
    assert listed(world.customer("cus_bob"), "status=declined") == []
    monkeypatch.setattr("chalicelib.platform.pages.READ_AT_ONCE", 1)
    monkeypatch.setattr("chalicelib.platform.pages.READS_A_PAGE", 2)
    assert listed(world.operator, "status=declined&limit=1") == declined
    answer = world.operator.get("/v1/after-sales?status=lost")
    assert answer.status == 422
    assert [each["field"] for each in answer.json["errors"]] == ["status"]


def test_to_anyone_else_there_is_no_such_request(delivered: Delivered) -> None:
    world = delivered.world
    request = asked(world, delivered.order, (delivered.eggs, 1))
    leader, supplier = world.leader(world.add_leader()), delivered.dairy
    before = snapshot(world.environment)
    for caller in (world.customer("cus_bob"), leader, supplier):
        assert caller.get(f"/v1/after-sales/{request['id']}").code == "not_found"
    for caller in (leader, supplier):
        assert respond(caller, request).code == "not_found"
    bob = world.customer("cus_bob")
    answer = ask(world, delivered.order, (delivered.eggs, 1), caller=bob)
    assert (answer.status, answer.code) == (404, "not_found")
    assert decide(world, {"id": "aft_0"}, refund=True).code == "not_found"
    assert snapshot(world.environment) == before


def test_asked_for_again_with_its_key_there_is_one_request(delivered: Delivered) -> None:
    world = delivered.world
    path = f"/v1/orders/{delivered.order['id']}/after-sales"
    body = {"lines": [{"sku_id": delivered.eggs, "quantity": 1}], "reason": REASON}
    first = world.customer().post(path, body, key="once")
    respond(delivered.leader, first.json)
    again = world.customer().post(path, body, key="once")
    assert (again.status, again.text) == (201, first.text)
    assert again.headers["idempotent-replayed"] == "true"
    assert len(world.operator.get("/v1/after-sales").json["items"]) == 1


def test_the_records_of_keys_hold_nothing_of_what_people_wrote(delivered: Delivered) -> None:
    world = delivered.world
    request = asked(world, delivered.order, (delivered.eggs, 1))
    path = f"/v1/after-sales/{request['id']}"
    delivered.leader.post(f"{path}/respond", {"accept": True, "note": "Mrs Doe told me."})
    world.operator.post(f"{path}/decide", {"refund": True, "note": "Seen by Max."})
    table = world.environment["IDEMPOTENCY_TABLE"]
    items = boto3.client("dynamodb").scan(TableName=table)["Items"]
    recorded = [zlib.decompress(bytes(item["body"]["B"])).decode() for item in items]
    about = [body for body in recorded if request["id"] in body]
    assert len(about) == 3
    for written in (REASON, *PHOTOS, "Mrs Doe told me.", "Seen by Max."):
        assert all(written not in body for body in about)


@pytest.mark.parametrize("state", ["pending_payment", "paid", "accepted"])
def test_before_shipping_there_are_no_after_sales(world: World, state: str) -> None:
    sale = world.sale()
    order = world.place(sale) if state == "pending_payment" else world.paid_order(sale)
    if state == "accepted":
        world.move(order["dispatches"][0]["id"], "accept")
    answer = ask(world, order, (sale.sku_ids[0], 1))
    assert (answer.status, answer.code) == (409, "after_sales_not_open")


def test_a_parcel_on_its_way_can_be_asked_about(world: World) -> None:
    sale = world.sale()
    order = world.paid_order(sale, quantity=2)
    world.move(order["dispatches"][0]["id"], "accept", "ship")
    request = asked(world, order, (sale.sku_ids[0], 1))
    assert decide(world, request, refund=True).status == 200
    world.work()
    assert world.trial_balance() == {"cash:local": 1000, "customer_prepayments": -1000}


def test_the_return_window_is_over_to_the_second_though_no_sweep_has_come(
    world: World, time: Clock
) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, quantity=2)
    time.move_on(days=7, seconds=-30)
    asked(world, order, (sale.sku_ids[0], 1))
    time.move_on(seconds=30)
    assert world.order(order["id"])["status"] == "delivered"
    for _ in range(2):
        answer = ask(world, order, (sale.sku_ids[0], 1))
        assert (answer.status, answer.code) == (409, "after_sales_not_open")
        invoke("order_expire")
    assert world.order(order["id"])["status"] == "completed"


def test_a_request_of_a_completed_order_is_still_decided(world: World, time: Clock) -> None:
    sale = world.sale()
    order = world.delivered_order(sale, quantity=2)
    request = asked(world, order, (sale.sku_ids[0], 1))
    time.move_on(days=8)
    invoke("order_expire")
    assert world.order(order["id"])["status"] == "completed"
    assert decide(world, request, refund=True).json["status"] == "refunded"
    after = world.order(order["id"])
    assert (after["status"], after["refunded_amount"]) == ("completed", 1000)


def test_an_order_that_is_refunded_has_no_after_sales(world: World) -> None:
    sale = world.sale()
    order = world.delivered_order(sale)
    refund(world, order, (sale.sku_ids[0], 1))
    answer = ask(world, order, (sale.sku_ids[0], 1))
    assert (answer.status, answer.code) == (409, "after_sales_not_open")
    assert "refunded" in answer.json["detail"]


LINE = {"sku_id": "sku_1", "quantity": 1}
BAD: dict[str, tuple[Json, str]] = {
    "no lines": ({"lines": []}, "lines"),
    "a SKU twice": ({"lines": [LINE, LINE]}, "lines"),
    "too many lines": ({"lines": [{**LINE, "sku_id": f"sku_{n}"} for n in range(51)]}, "lines"),
    "no units": ({"lines": [{**LINE, "quantity": 0}]}, "lines.0.quantity"),
    "no reason": ({"reason": " "}, "reason"),
    "too many photos": ({"photos": PHOTOS * 11}, "photos"),
    "a photo without https": ({"photos": ["http://photos.example/1.jpg"]}, "photos.0"),
    "a photo that is a script": ({"photos": ["javascript:alert(1)"]}, "photos.0"),
    "a photo with credentials": ({"photos": ["https://me:secret@photos.example/"]}, "photos.0"),
    "a photo with spaces": ({"photos": ["https://photos.example/a b"]}, "photos.0"),
    "a photo as markup": ({"photos": ['https://photos.example/"><b>']}, "photos.0"),
    "a photo of two lines": ({"photos": ["https://photos.example/\nb"]}, "photos.0"),
    "a photo without an end": ({"photos": [f"https://photos.example/{'a' * 500}"]}, "photos.0"),
    "a photo that is none": ({"photos": [None]}, "photos.0"),
    "another field": ({"restock": True}, "restock"),
}


@pytest.mark.parametrize(("changes", "field"), BAD.values(), ids=BAD)
def test_a_request_that_says_nonsense_is_refused(world: World, changes: Json, field: str) -> None:
    body = {"lines": [LINE], "reason": REASON, **changes}
    answer = world.customer().post("/v1/orders/ord_1/after-sales", body)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [each["field"] for each in answer.json["errors"]] == [field]


@pytest.mark.parametrize("photo", ["https://p.example", "https://p.example:8443/a?b=%20#c"])
def test_any_https_address_is_a_photo(delivered: Delivered, photo: str) -> None:
    path = f"/v1/orders/{delivered.order['id']}/after-sales"
    body = {"lines": [{"sku_id": delivered.eggs, "quantity": 1}], "reason": "x", "photos": [photo]}
    assert created(delivered.world.customer().post(path, body))["photos"] == [photo]


@pytest.mark.parametrize(
    ("call", "body", "field"),
    [
        ("respond", {"accept": True}, "note"),
        ("respond", {"accept": "yes", "note": "x"}, "accept"),
        ("respond", {"accept": True, "note": "x", "refund": True}, "refund"),
        ("decide", {"refund": True}, "note"),
        ("decide", {"refund": 1, "note": "x"}, "refund"),
        ("decide", {"refund": True, "note": ""}, "note"),
    ],
)
def test_an_answer_that_says_nonsense_is_refused(
    world: World, call: str, body: Json, field: str
) -> None:
    caller = world.operator if call == "decide" else world.leader("ldr_1")
    answer = caller.post(f"/v1/after-sales/aft_1/{call}", body)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert [each["field"] for each in answer.json["errors"]] == [field]
