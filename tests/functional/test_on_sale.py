"""What a warm function knows of a campaign for a second, and that it hurts nobody."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from chalicelib.catalogue import on_sale
from chalicelib.catalogue.editing import SETTLED_BEFORE_OPENING
from chalicelib.kernel import clock
from chalicelib.ordering.store import OrderRow
from chalicelib.platform import store
from infra.template.compose import load
from tests.bench.watched import Call, watched
from tests.functional.workers.conftest import NOON, StillClock
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.lambdas import invoke
from tests.support.world import Json, Sale, World, created


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> StillClock:
    still = StillClock(NOON)
    monkeypatch.setattr(clock, "now", still.now)
    return still


@contextmanager
def elsewhere() -> Iterator[None]:
    """What changes inside is changed by another function: this one does not hear of it."""
    with mock.patch.object(on_sale, "forget"):
        yield


def ask(world: World, sale: Sale, quantity: int = 1, buyer: str = "cus_alice") -> Answer:
    return world.customer(buyer).post("/v1/orders", world.order_body(sale, quantity))


def edit(world: World, sale: Sale, **changes: Any) -> None:
    with elsewhere():
        answer = world.operator.patch(f"/v1/campaigns/{sale.campaign_id}", changes)
    assert answer.status == 200, answer.text


def offer(sale: Sale, **terms: Any) -> Json:
    commission = {"basis": "sales", "rate_bps": 1000}
    return {"sku_id": sale.sku_ids[0], "price": 1000, "commission": commission, **terms}


def read_of(calls: list[Call], sale: Sale) -> int:
    """How many items of the campaign were read."""
    return sum(
        sale.campaign_id in each["Get"]["Key"]["pk"]["S"]
        for call in calls
        if call.operation == "TransactGetItems"
        for each in call.parameters["TransactItems"]
    )


def test_a_campaign_is_read_once_a_second(world: World, time: StillClock) -> None:
    sale = world.sale()
    with watched() as first:
        assert ask(world, sale).status == 201
    with watched() as second:
        assert ask(world, sale, 1, "cus_bob").status == 201
    # Whose a SKU is, and so whose terms it is sold under, its first order tells a function.
    assert [call.operation for call in first] == [
        "TransactGetItems",
        "BatchGetItem",
        "TransactWriteItems",
    ]
    assert [call.operation for call in second] == ["GetItem", "TransactWriteItems"]
    assert (read_of(first, sale), read_of(second, sale)) == (4, 0)
    time.move_on(seconds=1)
    with watched() as later:
        assert ask(world, sale).status == 201
    assert [call.operation for call in later] == ["TransactGetItems", "TransactWriteItems"]
    assert read_of(later, sale) == 4


def test_suppliers_terms_count_a_second_later_at_most(world: World, time: StillClock) -> None:
    sale = world.sale()
    terms = f"/v1/suppliers/{sale.supplier_id}/settlement-terms"

    def costs() -> list[int]:
        orders = [ask(world, sale, 1, "cus_bob").json["id"] for _ in range(2)]
        return [OrderRow.get(each, "order").to_entity().lines[0].cost for each in orders]

    assert costs() == [700, 700]
    with mock.patch.object(on_sale, "forget_supplier"):
        share = {"basis": "revenue_share", "fee_bps": 1000}
        assert world.operator.put(terms, share).status == 200
    assert costs() == [700, 700]
    time.move_on(seconds=1)
    assert costs() == [900, 900]
    assert world.operator.put(terms, {**share, "fee_bps": 2000}).status == 200
    assert costs() == [800, 800]


def test_an_order_of_more_suppliers_than_are_read_at_once_is_placed(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty lines of as many suppliers, with all else, are more than one read takes."""
    monkeypatch.setattr(store, "GET_LIMIT", 9)
    supplied = [world.sale() for _ in range(3)]
    for each in supplied:
        agreed = {"basis": "revenue_share", "fee_bps": 1000}
        path = f"/v1/suppliers/{each.supplier_id}/settlement-terms"
        assert world.operator.put(path, agreed).status == 200
    sku_ids = [sku_id for each in supplied for sku_id in each.sku_ids]
    campaign = world.add_campaign(sku_ids, [supplied[0].leader_id])
    sale = Sale("", supplied[0].leader_id, campaign["id"], "", sku_ids)
    for _ in range(2):
        order = ask(world, sale).json
        assert [line.cost for line in OrderRow.get(order["id"], "order").lines] == [900] * 3
        time.move_on(seconds=1)


def test_a_plan_is_read_once_a_second_and_with_the_others(world: World, time: StillClock) -> None:
    plan = {"name": "Shops", "currency": "EUR"}
    plan_id = created(world.operator.post("/v1/commission-plans", plan))["id"]
    rule = {"match": {}, "basis": "sales", "rate_bps": 1000}
    version = {"effective_from": "2026-03-10", "rules": [rule]}
    created(world.operator.post(f"/v1/commission-plans/{plan_id}/versions", version))
    world.operator.put(f"/v1/commission-plans/{plan_id}/default", {"is_default": True})
    sale = world.sale(commission=None)
    calls = []
    for wait in (0, 0, 1):
        time.move_on(seconds=wait)
        with watched() as found:
            assert ask(world, sale).status == 201
        calls.append([call.operation for call in found])
    first, second, later = calls
    # Only a function that has never met the leader asks for its plan by itself, and one that has
    # never met the SKU for what its supplier is paid by.
    assert first == ["TransactGetItems", "GetItem", "BatchGetItem", "TransactWriteItems"]
    assert second == ["GetItem", "TransactWriteItems"]
    assert later == ["TransactGetItems", "TransactWriteItems"]


def test_another_community_reads_only_what_is_its_own(world: World) -> None:
    sale = world.sale()
    campaign = world.add_campaign(sale.sku_ids)
    ours, theirs = (
        Sale(sale.supplier_id, leader_id, campaign["id"], sale.product_id, sale.sku_ids)
        for leader_id in (sale.leader_id, world.add_leader())
    )
    assert ask(world, ours).status == 201
    with watched() as calls:
        assert ask(world, theirs).status == 201
    assert len(calls) == 2
    assert read_of(calls, theirs) == 2


def test_another_offer_is_read_when_it_is_asked_for(world: World) -> None:
    sale = world.sale(skus=2)
    one, other = (
        Sale(sale.supplier_id, sale.leader_id, sale.campaign_id, sale.product_id, [sku_id])
        for sku_id in sale.sku_ids
    )
    for each in (one, other, sale, one):
        assert ask(world, each).status == 201


def test_offers_are_kept_only_with_the_campaign_that_they_are_of(
    world: World, time: StillClock
) -> None:
    """Another function opens the campaign at other prices; one of two offers was kept."""
    sale = world.sale(skus=2)
    one, other = (
        Sale(sale.supplier_id, sale.leader_id, sale.campaign_id, sale.product_id, [sku_id])
        for sku_id in sale.sku_ids
    )
    window = {"opens_at": NOON + timedelta(hours=1), "closes_at": NOON + timedelta(hours=9)}
    path = f"/v1/campaigns/{sale.campaign_id}/clone"
    body = {name: clock.to_text(at) for name, at in window.items()}
    cloned = world.operator.post(path, body).json["id"]
    one.campaign_id = other.campaign_id = sale.campaign_id = cloned
    assert ask(world, one).code == "campaign_not_open"
    dearer = [offer(each, price=1500) for each in (one, other)]
    edit(world, sale, opens_at=clock.to_text(NOON - timedelta(minutes=1)), offers=dearer)
    assert ask(world, one).code == "campaign_not_open"
    assert ask(world, other).json["total"] == 1500
    assert ask(world, one).json["total"] == 1500


def test_what_does_not_exist_is_looked_for_again(world: World) -> None:
    sale = world.sale()
    nothing = Sale("", sale.leader_id, sale.campaign_id, "", ["sku_none"])
    assert ask(world, nothing).status == 422
    assert on_sale._sales == {}
    nobody = Sale("", "ldr_none", sale.campaign_id, "", sale.sku_ids)
    assert ask(world, nobody).status == 422
    assert [leader_id for _, leader_id in on_sale._communities] == [sale.leader_id]


def test_no_more_is_kept_than_there_is_room_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_sale, "MOST_KEPT", 2)
    for _ in range(3):
        assert ask(world, world.sale()).status == 201
    kept = (on_sale._sales, on_sale._communities, on_sale._agreed, on_sale._supplier_of)
    assert [len(each) for each in kept] == [1, 1, 1, 1]


def test_an_order_of_the_second_in_which_its_campaign_is_cancelled_is_undone(
    world: World, time: StillClock
) -> None:
    sale = world.sale()
    before = ask(world, sale).json
    with elsewhere():
        assert world.operator.post(f"/v1/campaigns/{sale.campaign_id}/cancel").status == 200
    world.work()  # its orders are asked for before the next one is there
    late = ask(world, sale, 2, "cus_bob")
    assert late.status == 201
    assert world.pay(late.json).status == 200
    time.move_on(seconds=1)
    assert ask(world, sale).code == "campaign_not_open"
    time.move_on(minutes=3)
    invoke("campaign_close")
    world.work()
    ended = [world.order(each["id"])["status"] for each in (before, late.json)]
    assert ended == ["cancelled", "refunded"]
    assert world.trial_balance() == {}
    assert world.stock(sale.sku_ids[0])["available"] == 100


@pytest.mark.parametrize("cap", [7, None])
def test_caps_are_wider_a_second_later(world: World, time: StillClock, cap: int | None) -> None:
    sale = world.sale(quantity_cap=3, max_orders=2)
    assert ask(world, sale, 2).status == 201
    edit(world, sale, offers=[offer(sale, quantity_cap=cap)], max_orders=cap)
    assert ask(world, sale, 1, "cus_bob").status == 201
    assert ask(world, sale, 1, "cus_carl").status == 409
    time.move_on(seconds=3)
    assert ask(world, sale, 4, "cus_dora").status == 201
    assert ask(world, sale, 1, "cus_emil").status == (201 if cap is None else 409)
    assert findings({sale.sku_ids[0]: 100}) == []


def test_a_limit_is_wider_a_second_later(world: World, time: StillClock) -> None:
    sale = world.sale(limit=1)
    assert ask(world, sale).status == 201
    edit(world, sale, offers=[offer(sale, limit_per_customer=3)])
    assert ask(world, sale).code == "customer_limit_reached"
    time.move_on(seconds=1)
    assert ask(world, sale, 2).status == 201
    assert ask(world, sale).code == "customer_limit_reached"


def test_a_leaders_price_counts_a_second_later_at_most(world: World, time: StillClock) -> None:
    sale = world.sale()
    assert ask(world, sale).json["total"] == 1000
    asked = {"campaign_id": sale.campaign_id, "sku_id": sale.sku_ids[0], "price": 1100}
    with elsewhere():
        path = f"/v1/leaders/{sale.leader_id}/prices"
        assert world.leader(sale.leader_id).put(path, asked).status == 200
    assert ask(world, sale).json["total"] == 1000
    time.move_on(seconds=1)
    assert ask(world, sale).json["total"] == 1100


def test_a_campaign_closes_on_time_whatever_is_known_of_it(world: World, time: StillClock) -> None:
    sale = world.sale(open_for=timedelta(milliseconds=500))
    assert ask(world, sale).status == 201
    time.move_on(milliseconds=500)
    assert ask(world, sale).code == "campaign_not_open"


def test_a_function_knows_at_once_what_it_has_changed_itself(world: World) -> None:
    sale = world.sale(limit=1)
    assert ask(world, sale).status == 201
    changes = {"offers": [offer(sale, limit_per_customer=2)]}
    assert world.operator.patch(f"/v1/campaigns/{sale.campaign_id}", changes).status == 200
    assert ask(world, sale).status == 201


def test_an_order_that_was_placed_before_is_answered_again(world: World) -> None:
    sale = world.sale()
    caller, body = world.customer(), world.order_body(sale)
    first = caller.post("/v1/orders", body, key="once")
    again = caller.post("/v1/orders", body, key="once")
    assert (again.status, again.json) == (201, first.json)
    other = caller.post("/v1/orders", world.order_body(sale, 2), key="once")
    assert (other.status, other.code) == (422, "idempotency_key_reused")


def test_a_scheduled_campaign_is_settled_before_anybody_can_know_an_older_one() -> None:
    """What orders were judged by lies at most that far back when they are written."""
    longest = timedelta(seconds=load("functions")["APIHandler"]["timeout"])
    assert on_sale.KEPT_FOR + longest < SETTLED_BEFORE_OPENING
