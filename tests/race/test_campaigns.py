"""Campaigns that are changed or cancelled while they sell, by several at the same moment."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from unittest import mock

import pytest

from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.rules import LeaderPrice, Offer
from chalicelib.dispatch import going_on
from chalicelib.kernel import clock
from tests.support.at_once import at_once, outcomes
from tests.support.clouds import IN_MEMORY
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.unguarded import unguarded
from tests.support.world import Api, Json, Sale, World, created

OPERATORS, BUYERS = 4, 12


def patiently(call: Callable[[], Answer]) -> Answer:
    """As a client does: where the campaign or order is busy, the same request once more."""
    answer = call()
    return call() if answer.status == 503 else answer


def raising_to(sale: Sale, cap: int) -> Json:
    commission = {"basis": "sales", "rate_bps": 1000}
    offer = {"sku_id": sale.sku_ids[0], "price": 1000, "commission": commission}
    return {"offers": [{**offer, "quantity_cap": cap}], "max_orders": cap}


def edit(world: World, sale: Sale, changes: Json) -> Answer:
    path = f"/v1/campaigns/{sale.campaign_id}"
    return patiently(lambda: world.operator.patch(path, changes))


def buy(sale: Sale, world: World, buyer: Api) -> Answer:
    body = world.order_body(sale)
    return patiently(lambda: buyer.post("/v1/orders", body))


def raise_while_it_sells(world: World) -> None:
    """The same raise from 3 to 9, sent four times, while twelve customers want one each."""
    sale = world.sale(stock=100, quantity_cap=3, max_orders=3)
    changes = raising_to(sale, 9)
    buyers = [world.customer(f"cus_{n}") for n in range(BUYERS)]
    answers = at_once(
        [partial(edit, world, sale, changes)] * OPERATORS
        + [partial(buy, sale, world, buyer) for buyer in buyers]
    )
    assert {answer.status for answer in answers[:OPERATORS]} == {200}
    sold = outcomes(answers[OPERATORS:])["201"]
    assert 3 <= sold <= 9
    assert findings({sale.sku_ids[0]: 100}) == []
    later = clock.now() + timedelta(seconds=3)  # by then nobody takes it for sold out any more
    with mock.patch.object(clock, "now", return_value=later):
        more = [buy(sale, world, world.customer(f"cus_late_{n}")) for n in range(BUYERS)]
    assert sold + outcomes(more)["201"] == 9
    assert findings({sale.sku_ids[0]: 100}) == []


def raise_to_many(world: World) -> None:
    """Raises to different numbers at once: each counts from the one before, and none is lost."""
    sale = world.sale(stock=100, quantity_cap=3, max_orders=3)
    caps = range(4, 4 + OPERATORS)
    answers = at_once([partial(edit, world, sale, raising_to(sale, cap)) for cap in caps])
    taken = sum(answer.status == 200 for answer in answers)
    campaign = catalogue.get_campaign(sale.campaign_id)
    (offer,) = catalogue.offers(sale.campaign_id)
    assert campaign
    assert campaign.version == 1 + taken
    assert (offer.quantity_cap, campaign.max_orders) == (max(caps), max(caps))
    assert sum(offer.cap_raises) == sum(campaign.max_orders_raises) == max(caps) - 3
    assert len(offer.cap_raises) == taken


@IN_MEMORY
def test_a_cap_that_is_raised_while_it_sells_is_sold_to_its_last_unit(world: World) -> None:
    raise_while_it_sells(world)


@IN_MEMORY
def test_raises_at_once_come_to_the_highest(world: World) -> None:
    raise_to_many(world)


@IN_MEMORY
@pytest.mark.parametrize("race", [raise_while_it_sells, raise_to_many])
def test_control_the_rig_catches_raises_that_nobody_orders(
    world: World, race: Callable[[World], None]
) -> None:
    with unguarded(), pytest.raises(AssertionError):
        race(world)


def cancel_while_all_go_on(world: World) -> list[str]:
    """A campaign is cancelled while its orders are shipped, delivered and refunded."""
    sale = world.sale(stock=100, limit=50)
    orders = [world.paid_order(sale, world.customer(f"cus_{n}"), 2) for n in range(4)]
    dispatches = [order["dispatches"][0]["id"] for order in orders]
    for dispatch_id in dispatches:
        world.move(dispatch_id, "accept")
    for dispatch_id in dispatches[2:]:
        world.move(dispatch_id, "ship")
    assert world.operator.post(f"/v1/campaigns/{sale.campaign_id}/cancel").status == 200
    unit = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
    shipping = {"carrier": "DHL", "tracking_number": "T1"}
    calls: list[Callable[[], object]] = [partial(going_on.undo, order["id"]) for order in orders]
    for order in orders:
        path = f"/v1/orders/{order['id']}/refunds"
        calls.append(partial(patiently, partial(world.operator.post, path, unit)))
    for dispatch_id in dispatches[:2]:
        path = f"/v1/dispatches/{dispatch_id}/ship"
        calls.append(partial(patiently, partial(world.operator.post, path, shipping)))
    for dispatch_id in dispatches[2:]:
        path = f"/v1/dispatches/{dispatch_id}/deliver"
        calls.append(partial(patiently, partial(world.operator.post, path, {})))
    calls += [partial(going_on.undo, order["id"]) for order in orders]
    at_once(calls)
    world.work()
    found = findings({sale.sku_ids[0]: 100})
    statuses = {world.order(order["id"])["status"] for order in orders}
    return found + [f"an order is {status}" for status in statuses - {"refunded"}]


@IN_MEMORY
def test_every_order_of_a_cancelled_campaign_is_refunded_once(world: World) -> None:
    assert cancel_while_all_go_on(world) == []
    assert world.trial_balance() == {}


@IN_MEMORY
def test_control_the_rig_catches_orders_undone_by_what_was_read_before(world: World) -> None:
    with unguarded():
        found = cancel_while_all_go_on(world)
    assert any(finding.startswith("account EUR ") for finding in found)


def asked_under_old_prices(world: World) -> set[int]:
    """What communities are asked after their leaders set 11.00 while 10.00 became 15.00."""
    sale = world.sale()
    leaders = [world.add_leader() for _ in range(OPERATORS)]
    now = clock.now()
    opens, closes = (clock.to_text(now + timedelta(hours=n)) for n in (1, 2))
    path = f"/v1/campaigns/{sale.campaign_id}"
    body = {"opens_at": opens, "closes_at": closes}
    campaign_id = created(world.operator.post(f"{path}/clone", body))["id"]
    assert world.operator.post(f"{path}/cancel").status == 200
    assert world.operator.patch(f"/v1/campaigns/{campaign_id}", {"leader_ids": None}).status == 200
    commission = {"basis": "sales", "rate_bps": 1000}
    dearer = {"sku_id": sale.sku_ids[0], "price": 1500, "commission": commission}
    own = {"campaign_id": campaign_id, "sku_id": sale.sku_ids[0], "price": 1100}
    calls = [partial(world.operator.put, f"/v1/leaders/{each}/prices", own) for each in leaders]
    change = partial(world.operator.patch, f"/v1/campaigns/{campaign_id}", {"offers": [dearer]})
    assert outcomes(at_once([*calls, change])) == {"200": 1 + OPERATORS}
    with mock.patch.object(clock, "now", return_value=now + timedelta(minutes=90)):
        shown = [world.customer().get(f"/v1/leaders/{each}/campaigns").json for each in leaders]
    return {each["items"][0]["offers"][0]["price"] for each in shown}


@IN_MEMORY
def test_no_leader_sells_at_a_price_that_was_set_under_others(world: World) -> None:
    assert asked_under_old_prices(world) == {1500}


@IN_MEMORY
def test_control_the_rig_catches_prices_that_outlive_their_offer(world: World) -> None:
    def whatever_was_set(offer: Offer, asked: LeaderPrice | None) -> int | None:
        return asked.price if asked else None

    with mock.patch.object(Offer, "price_asked", whatever_was_set):
        assert asked_under_old_prices(world) == {1100}
