"""From a campaign to statements: two suppliers, two leaders, cash and card, one rejection.

what is bought      units  price    net   cost  commission                  left
order 1, eggs           3   1999   5997   3702  12.5 % of 5997 =   750     1545
order 1, honey          2    850   1700   1200  33.33 % of 500 =   167      333
order 2, eggs (cash)    1   1999   1999   1234  12.5 % of 1999 =   250      515
order 3, eggs           1   1999   1999   1234                     250      515
order 3, honey          1    850      rejected, and refunded
order 4, honey          4    850   3400   2400  33.33 % of 1000 =  333      667
"""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import pytest
from pytest_httpserver import HTTPServer

from chalicelib.kernel import clock
from tests.support.deployed import DeployedWorld
from tests.support.listener import Listener
from tests.support.world import Json, Sale, created

EGGS, HONEY = 1999, 850


@dataclass(frozen=True)
class Market:
    """Eggs of one supplier and honey of another, on sale in two communities."""

    farm: Listener
    apiary: Listener
    platform: Listener
    suppliers: list[str]
    leaders: list[str]
    eggs: str
    honey: str
    campaign_id: str

    def sale(self, leader: int, *sku_ids: str) -> Sale:
        return Sale("", self.leaders[leader], self.campaign_id, "", list(sku_ids))


@pytest.fixture
def market(world: DeployedWorld, server: HTTPServer) -> Market:
    suppliers, leaders = (
        [world.add_supplier() for _ in range(2)],
        [world.add_leader() for _ in range(2)],
    )
    farm, apiary = (Listener(server, world.supplier(each)) for each in suppliers)
    platform = Listener(server, world.operator)
    eggs = world.add_product(suppliers[0], cost=1234)["skus"][0]["id"]
    honey = world.add_product(suppliers[1], cost=600)["skus"][0]["id"]
    world.set_stock(eggs, 5)
    world.set_stock(honey, 7)
    offers = [
        {"sku_id": eggs, "price": EGGS, "commission": {"basis": "sales", "rate_bps": 1250}},
        {
            "sku_id": honey,
            "price": HONEY,
            "commission": {"basis": "gross_profit", "rate_bps": 3333},
        },
    ]
    now = clock.now()
    body = {
        "title": "This week",
        "opens_at": clock.to_text(now - timedelta(minutes=1)),
        "closes_at": clock.to_text(now + timedelta(days=1)),
        "currency": "EUR",
        "offers": offers,
        "leader_ids": leaders,
    }
    campaign_id = created(world.operator.post("/v1/campaigns", body))["id"]
    return Market(farm, apiary, platform, suppliers, leaders, eggs, honey, campaign_id)


def lines(**units: int) -> Json:
    return [{"sku_id": sku_id, "quantity": quantity} for sku_id, quantity in units.items()]


def buy(world: DeployedWorld, market: Market) -> list[Json]:
    """The four orders, each paid as it should be."""
    both = market.sale(0, market.eggs, market.honey)
    first = world.place(
        both, world.customer("cus_alice"), lines=lines(**{market.eggs: 3, market.honey: 2})
    )
    second = world.place(
        market.sale(0, market.eggs), world.customer("cus_bob"), payment_method="leader_collect"
    )
    third = world.place(both, world.customer("cus_carol"))
    fourth = world.place(market.sale(1, market.honey), world.customer("cus_dave"), quantity=4)
    assert [each["total"] for each in (first, second, third, fourth)] == [7697, 1999, 2849, 3400]
    for card in (first, third, fourth):
        assert world.pay(card).status == 200
    cash = {"amount": 1999, "reference": "receipt-17"}
    created(world.leader(market.leaders[0]).post(f"/v1/orders/{second['id']}/payments", cash))
    world.work()
    return [first, second, third, fourth]


def fulfil(market: Market, rejected: str) -> None:
    """Each supplier does what its webhooks ask, but for the honey of one order."""
    for listener in (market.farm, market.apiary):
        for dispatch in listener.of_type("dispatch.created"):
            path = f"/v1/dispatches/{dispatch['dispatch_id']}"
            if listener is market.apiary and dispatch["order_id"] == rejected:
                assert listener.caller.post(f"{path}/reject", {"reason": "sold out"}).status == 200
                continue
            parcel = {"carrier": "DHL", "tracking_number": dispatch["dispatch_id"][-8:]}
            for verb, body in (("accept", {}), ("ship", parcel), ("deliver", {})):
                assert listener.caller.post(f"{path}/{verb}", body).status == 200


def settle(world: DeployedWorld) -> Json:
    today = clock.now().date().isoformat()
    started = world.operator.post("/v1/settlement-runs", {"business_date": today})
    assert (started.status, started.json["status"]) == (202, "running")
    world.work()
    return world.operator.get(f"/v1/settlement-runs/{started.json['id']}").json


def test_orders_go_all_the_way_to_statements(world: DeployedWorld, market: Market) -> None:
    orders = buy(world, market)
    assert market.farm.refused == market.apiary.refused == market.platform.refused == []
    told = {each["order_id"]: each for each in market.farm.of_type("dispatch.created")}
    assert told.keys() == {orders[n]["id"] for n in (0, 1, 2)}
    assert told[orders[0]["id"]]["lines"] == [
        {
            "sku_id": market.eggs,
            "supplier_sku": "BX-0",
            "title": "Eggs, Box 0",
            "quantity": 3,
            "unit_cost": 1234,
        }
    ]
    fulfil(market, rejected=orders[2]["id"])
    world.work()
    ended = [world.order(order["id"]) for order in orders]
    assert [order["status"] for order in ended] == ["delivered"] * 4
    assert [order["refunded_amount"] for order in ended] == [0, 0, HONEY, 0]
    stock = {sku_id: world.stock(sku_id) for sku_id in (market.eggs, market.honey)}
    assert [each["committed"] + each["on_hand"] for each in stock.values()] == [0, 0]

    run = settle(world)
    assert (run["status"], run["leaders_total"], run["leaders_settled"]) == ("completed", 2, 2)
    assert run["totals"] == [{"currency": "EUR", "amount": 1417 + 333}]
    statements = [
        world.leader(each).get(f"/v1/leaders/{each}/statements/{run['id']}").json
        for each in market.leaders
    ]
    assert [sorted(line["amount"] for line in each["lines"]) for each in statements] == [
        [167, 250, 250, 750],
        [333],
    ]
    assert [
        (each["opening_balance"], each["total"], each["closing_balance"]) for each in statements
    ] == [(0, 1417, 1417), (0, 333, 333)]
    assert world.trial_balance() == {
        "cash:local": 7697 + 2849 - HONEY + 3400,
        f"leader:{market.leaders[0]}:collected": 1999,
        f"leader:{market.leaders[0]}:available": -1417,
        f"leader:{market.leaders[1]}:available": -333,
        f"supplier:{market.suppliers[0]}:payable": -(3702 + 1234 + 1234),
        f"supplier:{market.suppliers[1]}:payable": -(1200 + 2400),
        "platform:revenue": -(1545 + 333 + 515 + 515 + 667),
    }
    heard = Counter(each.type for each in market.platform.heard)
    assert heard == {"order.paid": 4, "order.refunded": 1, "settlement.completed": 1}


def test_a_rejected_dispatch_is_refunded_and_nothing_of_it_is_sold_again(
    world: DeployedWorld, market: Market
) -> None:
    order = world.paid_order(market.sale(1, market.honey), quantity=2)
    (dispatch,) = market.apiary.of_type("dispatch.created")
    path = f"/v1/dispatches/{dispatch['dispatch_id']}/reject"
    assert market.apiary.caller.post(path, {"reason": "sold out"}).status == 200
    world.work()
    after = world.order(order["id"])
    assert (after["status"], after["refunded_amount"]) == ("refunded", 2 * HONEY)
    assert after["payment"]["status"] == "refunded"
    stock = world.stock(market.honey)
    assert (stock["on_hand"], stock["reserved"], stock["committed"]) == (5, 0, 0)
    assert world.trial_balance() == {}
    (told,) = market.platform.of_type("order.refunded")
    refund = world.operator.get(f"/v1/refunds/{told['refund_id']}").json
    assert (refund["status"], refund["amount"]) == ("succeeded", 2 * HONEY)


def test_an_answer_lost_on_its_way_is_given_again(world: DeployedWorld, market: Market) -> None:
    alice, body = world.customer(), world.order_body(market.sale(0, market.eggs))
    first, again = (alice.post("/v1/orders", body, key="one-order") for _ in range(2))
    assert (first.status, again.status) == (201, 201)
    assert first.text == again.text
    assert again.headers["idempotent-replayed"] == "true"
    assert world.stock(market.eggs)["reserved"] == 1


def test_a_revoked_api_key_is_refused_at_once(world: DeployedWorld, market: Market) -> None:
    path = f"/v1/suppliers/{market.suppliers[0]}/api-keys"
    old = market.farm.caller
    new = world.supplier(market.suppliers[0])
    assert [key.get("/v1/dispatches").status for key in (old, new)] == [200, 200]
    first = min(world.operator.get(path).json["items"], key=lambda key: str(key["created_at"]))
    assert world.operator.delete(f"{path}/{first['id']}").status == 204
    assert [key.get("/v1/dispatches").status for key in (old, new)] == [401, 200]
