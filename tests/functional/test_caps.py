"""How much of an offer a campaign sells, and how many orders it takes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.rules import shards_of_cap
from chalicelib.kernel import clock
from chalicelib.ordering import caps
from chalicelib.ordering import store as ordering
from chalicelib.ordering.held_units import PLACES, Cap
from chalicelib.ordering.store import CapRow
from chalicelib.platform import store, transaction
from chalicelib.platform.transaction import Update
from tests.functional.conftest import Clock
from tests.support.gateway import Answer
from tests.support.invariants import findings
from tests.support.lambdas import invoke
from tests.support.world import Json, Sale, World, created


def ask(world: World, sale: Sale, quantity: int = 1, buyer: str = "cus_alice") -> Answer:
    return world.customer(buyer).post("/v1/orders", world.order_body(sale, quantity))


def on_sale(world: World, sale: Sale) -> Json:
    """The one campaign that the community can buy from now."""
    path = f"/v1/leaders/{sale.leader_id}/campaigns"
    (campaign,) = world.customer().get(path).json["items"]
    return campaign


def shards_of(sale: Sale) -> dict[str, int]:
    """Over how many shards each cap of the campaign is spread, by what it is of."""
    campaign = catalogue.get_campaign(sale.campaign_id)
    assert campaign
    found = caps.of_campaign(campaign, catalogue.offers(sale.campaign_id))
    return {of: len(cap.shares) for of, cap in found.items()}


def left(world: World, sale: Sale) -> int:
    found: int = on_sale(world, sale)["offers"][0]["available"]
    return found


def test_a_campaign_sells_no_more_than_its_cap_whatever_the_stock_holds(world: World) -> None:
    sale = world.sale(stock=100, quantity_cap=5)
    assert left(world, sale) == 5
    assert ask(world, sale, 3).status == 201
    refused = ask(world, sale, 3)
    assert (refused.status, refused.code) == (409, "out_of_stock")
    assert left(world, sale) == 2
    assert ask(world, sale, 2).status == 201
    assert left(world, sale) == 0
    stock = world.stock(sale.sku_ids[0])
    assert (stock["on_hand"], stock["reserved"]) == (100, 5)
    assert findings({sale.sku_ids[0]: 100}) == []


def test_the_stock_may_be_less_than_the_cap(world: World) -> None:
    sale = world.sale(stock=2, quantity_cap=5)
    assert left(world, sale) == 2
    assert ask(world, sale, 3).code == "out_of_stock"
    assert left(world, sale) == 2


def test_a_large_cap_is_sold_to_its_last_unit_wherever_it_lies(world: World) -> None:
    sale = world.sale(stock=1000, quantity_cap=500)
    assert shards_of(sale) == {sale.sku_ids[0]: 5}
    sold = [ask(world, sale, n).status for n in (130, 130, 130, 100)]
    assert sold == [201] * 4
    assert left(world, sale) == 10
    assert ask(world, sale, 11).code == "out_of_stock"
    assert ask(world, sale, 10).status == 201
    assert left(world, sale) == 0
    assert findings({sale.sku_ids[0]: 1000}) == []


@pytest.mark.parametrize("ending", ["cancelled", "expired", "refunded"])
def test_what_ends_is_given_back_once(world: World, time: Clock, ending: str) -> None:
    sale = world.sale(stock=10, quantity_cap=3, max_orders=1, open_for=timedelta(hours=5))
    order = ask(world, sale, 3).json
    assert ask(world, sale, 1, "cus_bob").status == 409
    if ending == "expired":
        time.move_on(minutes=16)
        invoke("order_expire")
        invoke("order_expire")
    else:
        if ending == "refunded":
            world.pay(order)
            world.work()
        for _ in range(2):
            world.operator.post(f"/v1/orders/{order['id']}/cancel", {})
    world.work()
    campaign = on_sale(world, sale)
    assert (campaign["orders_left"], campaign["offers"][0]["available"]) == (1, 3)
    time.move_on(seconds=3)  # by then nobody takes it for sold out any more
    assert ask(world, sale, 3, "cus_bob").status == 201
    assert findings() == []


def test_a_late_payment_takes_its_place_again_if_it_is_free(world: World, time: Clock) -> None:
    sale = world.sale(stock=10, quantity_cap=3, max_orders=1, open_for=timedelta(hours=5))
    order = ask(world, sale, 3).json
    time.move_on(minutes=16)
    invoke("order_expire")
    assert world.pay(order).status == 200
    world.work()
    assert world.order(order["id"])["status"] == "paid"
    campaign = on_sale(world, sale)
    assert (campaign["orders_left"], campaign["offers"][0]["available"]) == (0, 0)


def test_a_late_payment_goes_back_where_its_place_is_taken(world: World, time: Clock) -> None:
    sale = world.sale(stock=10, max_orders=1, open_for=timedelta(hours=5))
    late = ask(world, sale).json
    time.move_on(minutes=16)
    invoke("order_expire")
    assert ask(world, sale, 1, "cus_bob").status == 201
    assert world.pay(late).status == 200
    world.work()
    assert world.order(late["id"])["status"] == "refunded"
    assert on_sale(world, sale)["orders_left"] == 0


def test_a_full_campaign_takes_no_more_orders(world: World) -> None:
    sale = world.sale(stock=10, max_orders=2)
    assert [ask(world, sale, 1, f"cus_{n}").status for n in range(2)] == [201, 201]
    refused = ask(world, sale, 1, "cus_2")
    assert (refused.status, refused.code) == (409, "campaign_not_open")
    assert refused.json["detail"] == "The campaign has all the orders it can take."
    campaign = on_sale(world, sale)
    assert (campaign["status"], campaign["orders_left"]) == ("full", 0)
    (offer,) = campaign["offers"]
    assert (offer["available"], offer["unavailable_reason"]) == (0, "campaign_full")


def test_what_is_sold_out_says_so_in_a_campaign_that_goes_on(world: World) -> None:
    sale = world.sale(stock=1, max_orders=2)
    (offer,) = on_sale(world, sale)["offers"]
    assert (offer["available"], offer["unavailable_reason"]) == (1, None)
    assert ask(world, sale).status == 201
    campaign = on_sale(world, sale)
    (offer,) = campaign["offers"]
    assert (campaign["status"], campaign["orders_left"]) == ("open", 1)
    assert (offer["available"], offer["unavailable_reason"]) == (0, "sold_out")


def test_a_sold_out_cap_is_refused_for_a_moment_without_a_write(world: World, time: Clock) -> None:
    sale = world.sale(stock=10, quantity_cap=1)
    order = ask(world, sale).json
    assert ask(world, sale, 1, "cus_bob").status == 409
    world.operator.post(f"/v1/orders/{order['id']}/cancel", {})
    assert ask(world, sale, 1, "cus_bob").code == "out_of_stock"
    time.move_on(seconds=3)
    assert ask(world, sale, 1, "cus_bob").status == 201


def test_a_full_campaign_is_refused_for_a_moment_without_a_write(world: World, time: Clock) -> None:
    sale = world.sale(stock=10, max_orders=1)
    order = ask(world, sale).json
    assert ask(world, sale, 1, "cus_bob").code == "campaign_not_open"
    with mock.patch.object(transaction, "_write", side_effect=AssertionError("a write")):
        refused = ask(world, sale, 1, "cus_carl")
    assert (refused.status, refused.code) == (409, "campaign_not_open")
    assert refused.json["detail"] == "The campaign has all the orders it can take."
    world.operator.post(f"/v1/orders/{order['id']}/cancel", {})
    assert ask(world, sale, 1, "cus_bob").code == "campaign_not_open"
    time.move_on(seconds=3)
    assert ask(world, sale, 1, "cus_bob").status == 201
    assert findings() == []


@pytest.mark.parametrize("changes", [{"title": "Full"}, {"max_orders": 2}, {"max_orders": None}])
def test_a_campaign_that_is_changed_while_it_is_full_goes_on_as_it_is(
    world: World, time: Clock, changes: Json
) -> None:
    sale = world.sale(stock=10, max_orders=1)
    assert [ask(world, sale, 1, f"cus_{n}").status for n in range(2)] == [201, 409]
    assert world.operator.patch(f"/v1/campaigns/{sale.campaign_id}", changes).status == 200
    time.move_on(seconds=3)
    assert ask(world, sale, 1, "cus_2").status == (409 if "title" in changes else 201)
    assert findings() == []


def test_an_order_of_too_many_capped_offers_is_refused(world: World) -> None:
    sale = world.sale(skus=40, stock=10, quantity_cap=5)
    refused = ask(world, sale)
    assert (refused.status, refused.code) == (422, "order_too_large")
    assert [each["field"] for each in refused.json["errors"]] == ["lines"]


@pytest.mark.parametrize("cap", [0, -1, 1.5, "5"])
def test_a_cap_that_makes_no_sense_is_refused(world: World, cap: object) -> None:
    sku_id = world.add_product(world.add_supplier())["skus"][0]["id"]
    answer = world.try_campaign([sku_id], quantity_cap=cap)
    assert answer.status == 422
    assert [each["field"] for each in answer.json["errors"]] == ["offers.0.quantity_cap"]


def test_what_a_cap_is_raised_by_leaves_its_other_shares_as_they_were() -> None:
    before = Cap("cmp_1", PLACES, 730, shards=7).shares
    after = Cap("cmp_1", PLACES, 731, (1,), shards=7).shares
    further = Cap("cmp_1", PLACES, 9_731, (1, 9_000), shards=7).shares
    assert after == [*before, 1]
    assert further[: len(after)] == after
    assert sum(further) == 9_731


def test_shares_of_a_cap_add_up() -> None:
    for whole in (1, 49, 50, 199, 200, 4_999, 5_000, 123_456):
        shares = Cap("cmp_1", PLACES, whole, shards=50).shares
        assert sum(shares) == whole
        assert len(shares) == min(whole, 50)
        assert max(shares) - min(shares) <= 1


@pytest.mark.parametrize(
    ("units", "stock_shards", "shards"),
    [(5, 1, 1), (99, 1, 1), (1_000, 1, 10), (5_000, 1, 50), (10**9, 1, 50), (1_000, 50, 50)],
)
def test_a_cap_is_as_wide_as_its_stock_or_wider(units: int, stock_shards: int, shards: int) -> None:
    assert shards_of_cap(units, stock_shards) == shards


def hot_sale(world: World, **terms: Any) -> Sale:
    """One hot SKU of two, in a campaign made after it became hot."""
    model = world.sale(skus=2, stock=1000)
    patched = world.operator.patch(f"/v1/skus/{model.sku_ids[0]}", {"stock_shards": 20})
    assert patched.status == 200
    leader_id = world.add_leader()
    campaign = world.add_campaign(model.sku_ids, [leader_id], **terms)
    return replace(model, leader_id=leader_id, campaign_id=campaign["id"])


def test_caps_of_a_hot_sku_are_no_hot_keys(world: World) -> None:
    sale = hot_sale(world, quantity_cap=100, max_orders=60)
    hot, cool = sale.sku_ids
    assert shards_of(sale) == {hot: 20, cool: 1, PLACES: 20}
    for _ in range(12):
        assert ask(world, sale, 5).status == 201
    assert [each["available"] for each in on_sale(world, sale)["offers"]] == [40, 40]
    assert ask(world, sale, 41).code == "out_of_stock"
    assert ask(world, sale, 40).status == 201
    assert findings({hot: 1000, cool: 1000}) == []


def test_units_that_move_while_they_are_counted_are_not_missed(world: World) -> None:
    """Somebody brings units together, and is refused for another reason, between two reads."""
    sale = world.sale(stock=5000, quantity_cap=2000, limit=20)
    (sku_id,) = sale.sku_ids
    assert ask(world, sale, 15, "cus_greedy").status == 201
    cap = Cap(sale.campaign_id, sku_id, 2000, shards=20)
    before = ordering.left_of_cap(cap)
    rows = {n: CapRow.at(f"cap#{cap.campaign_id}#{sku_id}#{n}", "cap") for n in before}
    for row in rows.values():
        transaction.write(Update(row, [CapRow.left.set(1)]))
    read, refused = store._read_batch, list[str | None]()

    def overtaken(row: Any, keys: Any, only: Any) -> Any:
        if row is not CapRow or refused:
            return read(row, keys, only)
        refused.append(None)
        first, _ = read(row, keys[:8], only)
        refused[0] = ask(world, sale, 12, "cus_greedy").code
        rest, _ = read(row, keys[8:], only)
        return first + rest, []

    with mock.patch.object(store, "_read_batch", overtaken):
        assert ask(world, sale, 18, "cus_bob").status == 201
    assert refused == ["customer_limit_reached"]
    assert sum(ordering.left_of_cap(cap).values()) == 2
    for n, row in rows.items():  # as much again as was taken off above
        transaction.write(Update(row, [CapRow.left.add(before[n] - 1)]))


def test_a_cap_never_has_more_shards_than_units(world: World) -> None:
    sale = hot_sale(world, quantity_cap=3, max_orders=2)
    assert shards_of(sale) == {sale.sku_ids[0]: 3, sale.sku_ids[1]: 1, PLACES: 2}
    assert [ask(world, sale, 3).status, ask(world, sale).status] == [201, 409]


def test_a_cap_that_orders_count_in_stays_laid_out_as_it_is(world: World) -> None:
    sale = world.sale(stock=1000, quantity_cap=300, max_orders=300)
    assert ask(world, sale, 90).status == 201
    path = f"/v1/skus/{sale.sku_ids[0]}"
    assert world.operator.patch(path, {"stock_shards": 40}).status == 200
    offer = {
        "sku_id": sale.sku_ids[0],
        "price": 1000,
        "commission": {"basis": "sales", "rate_bps": 1000},
        "quantity_cap": 310,
    }
    changes = {"offers": [offer], "max_orders": 310}
    assert world.operator.patch(f"/v1/campaigns/{sale.campaign_id}", changes).status == 200
    assert shards_of(sale) == {sale.sku_ids[0]: 3 + 3, PLACES: 3 + 3}
    assert left(world, sale) == 220
    assert ask(world, sale, 220).status == 201
    assert findings({sale.sku_ids[0]: 1000}) == []


def test_a_scheduled_campaigns_caps_become_as_wide_as_its_stock_is_then(world: World) -> None:
    model = world.sale(stock=1000, quantity_cap=300, max_orders=300)
    opens = clock.now() + timedelta(days=1)
    window = {
        "opens_at": clock.to_text(opens),
        "closes_at": clock.to_text(opens + timedelta(days=1)),
    }
    path = f"/v1/campaigns/{model.campaign_id}/clone"
    sale = replace(model, campaign_id=created(world.operator.post(path, window))["id"])
    patched = world.operator.patch(f"/v1/skus/{model.sku_ids[0]}", {"stock_shards": 40})
    assert patched.status == 200
    edited = world.operator.patch(f"/v1/campaigns/{sale.campaign_id}", {"title": "Hot"})
    assert edited.status == 200
    assert shards_of(sale) == {sale.sku_ids[0]: 40, PLACES: 40}
