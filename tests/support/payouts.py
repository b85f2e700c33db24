"""Payout batches as operators make them, and parties who have something coming."""

from typing import Any

import pytest

from chalicelib.platform.settings import settings
from tests.support.communities import communities, deliver
from tests.support.gateway import Answer
from tests.support.lambdas import invoke
from tests.support.world import Api, Sale, World, created

IBAN, OTHER_IBAN = "DE89370400440532013000", "FR1420041010050500013M02606"
STRIPE_ACCOUNT = "acct_1032D82eZvKYlo2C"
# From which account the platform pays by file, in settings.
PAYER = {
    "PAYER_NAME": "Tuan Märkte GmbH",
    "PAYER_IBAN": "NL91ABNA0417164300",
    "PAYER_BIC": "ABNANL2A",
}
COMMISSION, COST = 100, 700  # of a unit


def earned(world: World, time: Any, *units: int) -> list[Sale]:
    """Leaders who have the commission of so many units available, and their supplier's cost."""
    sales = communities(world, len(units))
    earn(world, time, sales, *units)
    return sales


def earn(world: World, time: Any, sales: list[Sale], *units: int) -> list[Any]:
    """More units are delivered, and settled. Returns the orders."""
    orders = deliver(world, sales, units)
    time.move_on(days=9)
    invoke("settlement_start")
    world.work()
    return orders


def other_operator(world: World) -> Api:
    return world.caller("operator", "op_other")


def try_batch(world: World, **changes: Any) -> Answer:
    usual = {"currency": "EUR", "kind": "leaders", "method": "manual"}
    return world.operator.post("/v1/payout-batches", {**usual, **changes})


def make(world: World, **changes: Any) -> Any:
    """A batch as it is once it is prepared."""
    answer = try_batch(world, **changes)
    assert answer.status == 202, answer.text
    world.work()
    return read(world, answer.json)


def pay_from_an_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PAYER.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()


def read(world: World, batch: Any) -> Any:
    return world.operator.get(f"/v1/payout-batches/{batch['id']}").json


def approve(world: World, batch: Any) -> Answer:
    return other_operator(world).post(f"/v1/payout-batches/{batch['id']}/approve")


def send(world: World, batch: Any) -> Answer:
    return world.operator.post(f"/v1/payout-batches/{batch['id']}/send")


def cancel(world: World, batch: Any) -> Answer:
    return world.operator.post(f"/v1/payout-batches/{batch['id']}/cancel")


def sent(world: World, **changes: Any) -> Any:
    """A batch that is prepared, approved by another and sent."""
    batch = make(world, **changes)
    for step in (approve, send):
        answer = step(world, batch)
        assert answer.status == 200, answer.text
    world.work()
    return read(world, batch)


def payouts_of(world: World, batch: Any) -> list[Any]:
    return list(
        world.operator.get(f"/v1/payout-batches/{batch['id']}/payouts?limit=100").json["items"]
    )


def payout_to(world: World, batch: Any, party_id: str) -> Any:
    (found,) = [each for each in payouts_of(world, batch) if each["payee"]["id"] == party_id]
    return found


def tell(world: World, payout: Any, status: str, reference: str = "BANK-1") -> Answer:
    body = {"status": status, "reference": reference}
    return world.operator.post(f"/v1/payouts/{payout['id']}/result", body)


def lift(world: World, role: str, party_id: str) -> Answer:
    """Send it something again to where a payout came back from."""
    return world.operator.post(f"/v1/{role}s/{party_id}/payout-hold/lift")


def set_iban(world: World, role: str, party_id: str, iban: str = IBAN, **changes: Any) -> Answer:
    body = {"holder": "Lena Wolf", "iban": iban, **changes}
    return world.operator.put(f"/v1/{role}s/{party_id}/payout-account", body)


def collect(world: World, sale: Sale, units: int) -> None:
    """A leader takes in 10.00 for each of so many units of an order."""
    order = world.place(sale, quantity=units, payment_method="leader_collect")
    body = {"amount": order["total"], "reference": f"cash of {order['id']}"}
    answer = world.operator.post(f"/v1/orders/{order['id']}/payments", body)
    assert answer.status == 201, answer.text


def gave_back(world: World, sale: Sale, units: int) -> None:
    """A leader hands over what it has collected, and pays customers back of its own."""
    order = world.place(sale, quantity=units, payment_method="leader_collect")
    body = {"amount": order["total"], "reference": f"cash of {order['id']}"}
    assert world.operator.post(f"/v1/orders/{order['id']}/payments", body).status == 201
    path = f"/v1/leaders/{sale.leader_id}/remittances"
    assert world.operator.post(path, body).status == 201
    lines = [{"sku_id": sale.sku_ids[0], "quantity": units}]
    refund = {"lines": lines, "reason": "not wanted"}
    made = world.operator.post(f"/v1/orders/{order['id']}/refunds", refund)
    assert made.status == 201, made.text
    world.work()
    confirmed = world.leader(sale.leader_id).post(f"/v1/refunds/{made.json['id']}/confirm", {})
    assert confirmed.status == 200, confirmed.text


def paid_and_refunded(world: World) -> Sale:
    """A supplier that was paid 7.00, all of which was refunded then."""
    sale = world.sale()
    order = world.delivered_order(sale)
    batch = sent(world, kind="suppliers")
    (payout,) = world.operator.get(f"/v1/payout-batches/{batch['id']}/payouts").json["items"]
    assert tell(world, payout, "paid", "B1").status == 200
    body = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
    created(world.operator.post(f"/v1/orders/{order['id']}/refunds", body))
    return sale
