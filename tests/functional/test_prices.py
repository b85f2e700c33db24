"""What offers cost: by the hour, by quantity, by the leader; frozen when the order is placed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.kernel import clock
from tests.functional.conftest import Clock
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.world import Api, Json, Sale, World

EVENING = [
    {"at": "17:30", "percent": 80},
    {"at": "18:00", "percent": 70},
    {"at": "20:00", "percent": 30},
]
SIX_FOR_FIVE = [{"units": 6, "amount": 5000}]


def offered(world: World, sale: Sale) -> Json:
    """The one offer that the community can buy now."""
    path = f"/v1/leaders/{sale.leader_id}/campaigns"
    (campaign,) = world.customer().get(path).json["items"]
    (offer,) = campaign["offers"]
    return offer


def set_price(world: World, sale: Sale, price: int | None) -> Answer:
    body = {"campaign_id": sale.campaign_id, "sku_id": sale.sku_ids[0], "price": price}
    return world.leader(sale.leader_id).put(f"/v1/leaders/{sale.leader_id}/prices", body)


def fields_of(answer: Answer) -> list[str]:
    return [error["field"] for error in answer.json["errors"]]


def line_of(order: Json) -> Json:
    (line,) = order["lines"]
    return {name: line[name] for name in ("unit_price", "price_reason", "amount", "net")}


def at(time: Clock, hour: int, minute: int = 0) -> None:
    """Let it be that hour of tomorrow."""
    tomorrow = clock.now().date() + timedelta(days=1)
    then = datetime(tomorrow.year, tomorrow.month, tomorrow.day, hour, minute, tzinfo=UTC)
    time.move_on(seconds=(then - clock.now()).total_seconds())


def test_the_price_falls_in_the_evening_and_is_whole_again_in_the_morning(
    world: World, time: Clock
) -> None:
    sale = world.sale(open_for=timedelta(days=4), price_schedule=EVENING)
    seen = []
    for hour, minute in ((17, 29), (17, 30), (19, 59), (20, 0)):
        at(time, hour, minute)
        offer = offered(world, sale)
        seen.append((offer["price"], offer["price_reason"]))
        time.move_on(days=-1)
    assert seen == [
        (1000, []),
        (800, ["price_schedule"]),
        (700, ["price_schedule"]),
        (300, ["price_schedule"]),
    ]
    at(time, 0, 1)
    assert offered(world, sale)["price"] == 1000


def test_the_prices_still_to_come_today_are_shown(world: World, time: Clock) -> None:
    sale = world.sale(open_for=timedelta(days=4), price_schedule=EVENING)
    set_price(world, sale, 1100)
    seen = []
    for hour, minute in ((17, 29), (17, 30), (20, 0)):
        at(time, hour, minute)
        seen.append([(each["at"], each["price"]) for each in offered(world, sale)["later_today"]])
        time.move_on(days=-1)
    assert seen == [
        [("17:30", 880), ("18:00", 770), ("20:00", 330)],
        [("18:00", 770), ("20:00", 330)],
        [],
    ]


def test_no_price_is_shown_that_comes_after_the_close(world: World, time: Clock) -> None:
    at(time, 17)
    sale = world.sale(open_for=timedelta(minutes=59), price_schedule=EVENING)
    assert offered(world, sale)["later_today"] == [{"at": "17:30", "price": 800}]


def test_a_leader_and_operators_see_the_terms(world: World) -> None:
    sale = world.sale(floor_price=950, price_schedule=EVENING)
    set_price(world, sale, 1200)
    path = f"/v1/leaders/{sale.leader_id}/campaigns"

    def terms(caller: Api) -> Json:
        ((offer,),) = (each["offers"] for each in caller.get(path).json["items"])
        return offer["terms"]

    told = {
        "price": 1000,
        "leader_price": 1200,
        "floor_price": 950,
        "price_schedule": EVENING,
        "commission": {"basis": "sales", "rate_bps": 1000},
    }
    assert terms(world.leader(sale.leader_id)) == told
    assert terms(world.operator) == told
    others = [world.customer(), world.leader(world.add_leader()), world.supplier(sale.supplier_id)]
    assert [terms(each) for each in others] == [None] * 3


def test_an_order_keeps_the_price_of_its_hour(world: World, time: Clock) -> None:
    sale = world.sale(open_for=timedelta(days=4), price_schedule=EVENING)
    at(time, 18)
    order = world.place(sale, quantity=2)
    frozen = {"unit_price": 700, "price_reason": ["price_schedule"], "amount": 1400, "net": 1400}
    assert line_of(order) == frozen
    time.move_on(minutes=14)
    assert world.pay(order).status == 200
    time.move_on(hours=3)
    assert line_of(world.order(order["id"])) == frozen
    assert world.place(sale)["total"] == 300


def test_six_are_had_for_the_price_of_five(world: World) -> None:
    sale = world.sale(quantity_breaks=SIX_FOR_FIVE)
    assert offered(world, sale)["quantity_breaks"] == SIX_FOR_FIVE
    amounts = [line_of(world.place(sale, quantity=n))["amount"] for n in (1, 5, 6, 7, 12, 13)]
    assert amounts == [1000, 5000, 5000, 6000, 10_000, 11_000]
    assert line_of(world.place(sale, quantity=6)) == {
        "unit_price": 1000,
        "price_reason": ["quantity_breaks"],
        "amount": 5000,
        "net": 5000,
    }


def test_a_leader_earns_what_it_asks_above_the_offers_price(world: World) -> None:
    sale = world.sale()
    assert set_price(world, sale, 1200).json == {
        "leader_id": sale.leader_id,
        "campaign_id": sale.campaign_id,
        "sku_id": sale.sku_ids[0],
        "price": 1200,
    }
    assert offered(world, sale)["price"] == 1200
    order = world.delivered_order(sale, quantity=2)
    assert line_of(order) == {
        "unit_price": 1200,
        "price_reason": ["leader_price"],
        "amount": 2400,
        "net": 2400,
    }
    # 10 % of 20.00, and 2.00 for each of two units; the supplier and the platform have as before.
    assert world.trial_balance() == {
        "cash:local": 2400,
        f"supplier:{sale.supplier_id}:payable": -1400,
        f"leader:{sale.leader_id}:pending": -600,
        "platform:revenue": -400,
    }
    assert findings({sale.sku_ids[0]: 100}) == []


def test_a_spread_is_a_line_of_its_own_in_the_statement(world: World, time: Clock) -> None:
    sale = world.sale()
    set_price(world, sale, 1200)
    order = world.delivered_order(sale, quantity=2)
    lines = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
    body = {"lines": lines, "reason": "broken"}
    assert world.operator.post(f"/v1/orders/{order['id']}/refunds", body).status == 201
    world.work()
    time.move_on(days=9)
    day = clock.day_before(clock.now().date()).isoformat()
    world.operator.post("/v1/settlement-runs", {"business_date": day})
    world.work()
    statement = world.operator.get(f"/v1/leaders/{sale.leader_id}/statements/run_{day}").json
    told = [(each["kind"], each["basis_amount"], each["amount"]) for each in statement["lines"]]
    assert told == [("commission", 1000, 100), ("spread", 200, 200)]
    assert statement["total"] == 300
    assert findings({sale.sku_ids[0]: 100}) == []


def test_a_spread_that_was_settled_is_clawed_back(world: World, time: Clock) -> None:
    sale = world.sale()
    set_price(world, sale, 1200)
    order = world.delivered_order(sale)
    time.move_on(days=9)
    day = clock.day_before(clock.now().date()).isoformat()
    world.operator.post("/v1/settlement-runs", {"business_date": day})
    world.work()
    lines = [{"sku_id": sale.sku_ids[0], "quantity": 1}]
    body = {"lines": lines, "reason": "broken"}
    assert world.operator.post(f"/v1/orders/{order['id']}/refunds", body).status == 201
    world.work()
    balance = world.operator.get(f"/v1/leaders/{sale.leader_id}/balance").json
    assert (balance["pending"], balance["available"]) == (0, 0)
    time.move_on(days=1)
    world.operator.post(
        "/v1/settlement-runs",
        {"business_date": clock.day_before(clock.now().date()).isoformat()},
    )
    world.work()
    newest = world.operator.get(f"/v1/leaders/{sale.leader_id}/statements").json["items"][0]
    path = f"/v1/leaders/{sale.leader_id}/statements/{newest['run_id']}"
    told = [(each["kind"], each["amount"]) for each in world.operator.get(path).json["lines"]]
    assert told == [("clawback", -100), ("clawback", -200)]
    assert findings({sale.sku_ids[0]: 100}) == []


def test_a_schedule_takes_its_part_of_the_leaders_price_too(world: World, time: Clock) -> None:
    sale = world.sale(
        open_for=timedelta(days=4), price_schedule=EVENING, quantity_breaks=SIX_FOR_FIVE
    )
    set_price(world, sale, 1100)
    at(time, 18)
    # 70 % of 50.00, and 0.70 above the offer's price for each of six units.
    assert line_of(world.place(sale, quantity=6)) == {
        "unit_price": 770,
        "price_reason": ["price_schedule", "quantity_breaks", "leader_price"],
        "amount": 3920,
        "net": 3920,
    }


def test_a_leader_may_go_down_to_the_floor_and_bears_it(world: World) -> None:
    sale = world.sale(floor_price=950)
    assert set_price(world, sale, 949).code == "below_floor"
    assert set_price(world, sale, 950).status == 200
    world.delivered_order(sale)
    balance = world.trial_balance()
    assert balance[f"leader:{sale.leader_id}:pending"] == -50
    assert balance["platform:revenue"] == -200


def test_a_price_is_one_leaders_and_one_campaigns(world: World) -> None:
    sale, other = world.sale(), world.sale()
    set_price(world, sale, 1200)
    assert offered(world, other)["price"] == 1000
    theirs = {"campaign_id": other.campaign_id, "sku_id": other.sku_ids[0], "price": 1200}
    mine = f"/v1/leaders/{sale.leader_id}/prices"
    refused = world.leader(sale.leader_id).put(mine, theirs)
    assert (refused.status, refused.code) == (409, "campaign_not_open")
    path = f"/v1/leaders/{other.leader_id}/prices"
    assert world.leader(sale.leader_id).put(path, theirs).status == 404
    assert world.customer().put(path, theirs).status == 403


def test_prices_of_several_skus_stand_beside_each_other(world: World) -> None:
    sale = world.sale(skus=2)
    path = f"/v1/leaders/{sale.leader_id}/prices"
    for sku_id, price in zip(sale.sku_ids, (1100, 1300), strict=True):
        body = {"campaign_id": sale.campaign_id, "sku_id": sku_id, "price": price}
        assert world.leader(sale.leader_id).put(path, body).status == 200
    assert [line["amount"] for line in world.place(sale)["lines"]] == [1100, 1300]


def test_a_leader_asks_at_most_ten_times_the_offers_price(world: World) -> None:
    sale = world.sale()
    assert set_price(world, sale, 10_000).status == 200
    refused = set_price(world, sale, 10_001)
    assert (refused.status, refused.code) == (422, "above_ceiling")
    assert offered(world, sale)["price"] == 10_000


def test_a_leader_takes_its_price_back(world: World) -> None:
    sale = world.sale(skus=2)
    path = f"/v1/leaders/{sale.leader_id}/prices"
    for sku_id in sale.sku_ids:
        body = {"campaign_id": sale.campaign_id, "sku_id": sku_id, "price": 1200}
        assert world.leader(sale.leader_id).put(path, body).status == 200
    for _ in range(2):
        answer = set_price(world, sale, None)
        assert (answer.status, answer.json["price"]) == (200, None)
        assert [line["amount"] for line in world.place(sale)["lines"]] == [1000, 1200]


def test_breaks_may_cost_the_same_and_stand_in_any_order(world: World) -> None:
    breaks = [{"units": 12, "amount": 5000}, {"units": 6, "amount": 5000}]
    assert offered(world, world.sale(quantity_breaks=breaks))["quantity_breaks"] == breaks


def test_no_price_is_set_once_the_campaign_is_over(world: World, time: Clock) -> None:
    sale = world.sale()
    time.move_on(days=3)
    assert set_price(world, sale, 1200).code == "campaign_not_open"


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"price_schedule": [{"at": "17:30", "percent": 80}, {"at": "17:30", "percent": 70}]}, 1),
        ({"price_schedule": [{"at": "18:00", "percent": 80}, {"at": "17:30", "percent": 70}]}, 1),
        ({"price_schedule": [{"at": "17:30", "percent": 70}, {"at": "18:00", "percent": 80}]}, 1),
        ({"price_schedule": [{"at": "17:30", "percent": 0}]}, ".0.percent"),
        ({"price_schedule": [{"at": "17:30", "percent": 101}]}, ".0.percent"),
        ({"price_schedule": [{"at": "24:00", "percent": 80}]}, ".0.at"),
        ({"price_schedule": [{"at": "7:30", "percent": 80}]}, ".0.at"),
        ({"quantity_breaks": [{"units": 6, "amount": 6001}]}, 1),
        ({"quantity_breaks": [{"units": 6, "amount": 1}, {"units": 6, "amount": 2}]}, 1),
        ({"quantity_breaks": [{"units": 1, "amount": 900}]}, ".0.units"),
        ({"quantity_breaks": [{"units": 6, "amount": 0}]}, ".0.amount"),
        ({"quantity_breaks": [{"units": 6, "amount": 5000.5}]}, ".0.amount"),
        ({"quantity_breaks": [{"units": 6, "amount": 5000}, {"units": 12, "amount": 4000}]}, 1),
        ({"quantity_breaks": [{"units": 12, "amount": 4999}, {"units": 6, "amount": 5000}]}, 1),
        ({"quantity_breaks": [{"units": 6, "amount": 999}]}, 1),
        ({"floor_price": 0}, ""),
        ({"floor_price": 1001}, ""),
    ],
)
def test_terms_that_make_no_sense_are_refused(
    world: World, terms: dict[str, Any], field: str | int
) -> None:
    (name,) = terms
    sku_id = world.add_product(world.add_supplier())["skus"][0]["id"]
    answer = world.try_campaign([sku_id], **terms)
    assert answer.status == 422
    assert fields_of(answer) == [f"offers.0.{name}{field if isinstance(field, str) else ''}"]
    assert world.operator.get("/v1/campaigns").json["items"] == []


def test_a_step_that_leaves_nothing_to_pay_is_refused(world: World) -> None:
    sku_id = world.add_product(world.add_supplier())["skus"][0]["id"]
    schedule = [{"at": "17:30", "percent": 30}]
    answer = world.try_campaign([sku_id], price=1, price_schedule=schedule)
    assert (answer.status, fields_of(answer)) == (422, ["offers.0"])
