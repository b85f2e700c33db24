"""A hot SKU whose stock lies in many shards, and is sold as if it lay in one."""

from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from chalicelib.catalogue import store as catalogue
from chalicelib.kernel import clock
from chalicelib.ordering import ending
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.platform import transaction
from chalicelib.stock import sharding
from chalicelib.stock import store as stock
from chalicelib.stock.rules import Move, Part
from tests.functional.conftest import Clock
from tests.support.invariants import findings
from tests.support.lambdas import invoke
from tests.support.world import Api, Sale, World


def shard(world: World, sale: Sale, shards: int) -> Any:
    answer = world.operator.patch(f"/v1/skus/{sale.sku_ids[0]}", {"stock_shards": shards})
    assert answer.status == 200, answer.text
    return answer.json


def hot_sale(world: World, *, shards: int = 4, **terms: Any) -> Sale:
    sale = world.sale(**terms)
    shard(world, sale, shards)
    return sale


def levels(sale: Sale) -> list[int]:
    """Units for sale, by shard."""
    return [level.available for level in stock.get_stock(sale.sku_ids[0]).levels]


def order(world: World, sale: Sale, quantity: int, customer: str = "cus_alice") -> Any:
    return world.customer(customer).post("/v1/orders", world.order_body(sale, quantity))


def figures(world: World, sale: Sale) -> tuple[int, int, int]:
    found = world.stock(sale.sku_ids[0])
    return found["available"], found["reserved"], found["committed"]


def hints(sale: Sale) -> list[int]:
    return [offer.stock_shards for offer in catalogue.offers(sale.campaign_id)]


def put(world: World, sale: Sale, on_hand: int, **headers: str) -> Any:
    return world.operator.put(f"/v1/skus/{sale.sku_ids[0]}/stock", {"on_hand": on_hand}, **headers)


def test_units_are_spread_evenly_over_more_shards_and_over_fewer(world: World) -> None:
    sale = world.sale(stock=10)
    assert shard(world, sale, 4)["stock_shards"] == 4
    assert levels(sale) == [3, 3, 2, 2]
    shard(world, sale, 2)
    assert levels(sale) == [5, 5, 0, 0]
    assert figures(world, sale) == (10, 0, 0)
    assert world.operator.get(f"/v1/skus/{sale.sku_ids[0]}").json["stock_shards"] == 2


def test_a_sku_is_answered_whole(world: World) -> None:
    sale = world.sale()
    found = world.supplier(sale.supplier_id).get(f"/v1/skus/{sale.sku_ids[0]}").json
    assert found == {
        "id": sale.sku_ids[0],
        "product_id": sale.product_id,
        "supplier_id": sale.supplier_id,
        "title": "Box 0",
        "supplier_sku": "BX-0",
        "currency": "EUR",
        "list_price": 1200,
        "cost": 700,
        "fulfilment_mode": "standard",
        "stock_shards": 1,
        "alternate_of": None,
        "priority": None,
    }


def test_a_sku_is_its_suppliers_own(world: World) -> None:
    sale = world.sale()
    other = world.supplier(world.add_supplier())
    path = f"/v1/skus/{sale.sku_ids[0]}"
    for answer in (
        other.get(path),
        other.patch(path, {"stock_shards": 2}),
        other.get(f"{path}/stock/adjustments"),
        other.post(f"{path}/stock/adjustments", {"delta": 1, "reason": "found"}),
        world.operator.get("/v1/skus/sku_none"),
        world.operator.patch("/v1/skus/sku_none", {"stock_shards": 2}),
    ):
        assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize("shards", [0, -1, 65, 1.5, "4", None])
def test_shards_are_one_to_sixty_four(world: World, shards: Any) -> None:
    sale = world.sale()
    refused = world.operator.patch(f"/v1/skus/{sale.sku_ids[0]}", {"stock_shards": shards})
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "stock_shards")
    assert len(levels(sale)) == 1


def test_offers_of_now_and_to_come_know_of_the_shards(world: World) -> None:
    sale = hot_sale(world, shards=7)
    later = world.add_campaign(sale.sku_ids, [sale.leader_id])
    hints = [
        catalogue.offers(campaign)[0].stock_shards for campaign in (sale.campaign_id, later["id"])
    ]
    assert hints == [7, 7]


def test_an_offer_that_the_index_did_not_know_yet_is_told_of_the_shards(
    world: World, time: Clock
) -> None:
    sale = world.sale(stock=10)
    with mock.patch.object(catalogue, "_campaigns_offering", return_value=[]):
        shard(world, sale, 5)
    assert hints(sale) == [1]
    time.move_on(minutes=1)
    invoke("stock_tend")
    assert hints(sale) == [1]
    time.move_on(minutes=5)
    invoke("stock_tend")
    assert hints(sale) == [5]
    time.move_on(hours=1)
    assert stock.to_tend(clock.now(), 10) == []


def test_an_offer_made_while_the_shards_change_is_told_of_them(world: World, time: Clock) -> None:
    sale = world.sale(stock=10)
    laid_out = catalogue.lay_out

    def overtaken(*arguments: Any) -> None:
        shard(world, sale, 5)
        laid_out(*arguments)

    with mock.patch.object(catalogue, "lay_out", overtaken):
        campaign = world.add_campaign(sale.sku_ids)
    made = replace(sale, campaign_id=campaign["id"])
    assert hints(made) == [1]
    time.move_on(minutes=6)
    invoke("stock_tend")
    assert hints(made) == [5]


def test_every_unit_is_sold_wherever_it_lies_and_none_twice(world: World) -> None:
    sale = hot_sale(world, stock=9, shards=5)
    answers = [order(world, sale, 1, f"cus_{n}").status for n in range(11)]
    assert answers == [201] * 9 + [409] * 2
    assert figures(world, sale) == (0, 9, 0)


def test_units_of_a_drained_shard_are_sold_too(world: World, time: Clock) -> None:
    sale = hot_sale(world, stock=8, shards=4)
    held = [order(world, sale, 2, f"cus_{n}").json for n in range(4)]
    shard(world, sale, 1)
    time.move_on(minutes=16)
    ending.sweep(clock.now())
    assert sum(levels(sale)[1:]) > 0
    assert [order(world, sale, 1, f"cus_{n}").status for n in range(9)] == [201] * 8 + [409]
    assert len(held) == 4


def test_the_sweep_brings_what_came_back_to_a_drained_shard_to_where_it_is_sold(
    world: World, time: Clock
) -> None:
    sale = hot_sale(world, stock=8, shards=4)
    for n in range(4):
        assert order(world, sale, 2, f"cus_{n}").status == 201
    shard(world, sale, 1)
    invoke("stock_tend")
    assert stock.to_tend(clock.now(), 10) == sale.sku_ids
    time.move_on(minutes=16)
    ending.sweep(clock.now())
    invoke("stock_tend")
    assert levels(sale) == [8, 0, 0, 0]
    assert stock.to_tend(clock.now(), 10) == []


def test_a_line_takes_from_several_shards_and_all_its_moves_go_back_to_them(world: World) -> None:
    sale = hot_sale(world, stock=8, shards=4)
    placed = order(world, sale, 7).json
    assert figures(world, sale) == (1, 7, 0)
    assert findings({sale.sku_ids[0]: 8}) == []
    assert world.pay(placed).status == 200
    world.work()
    assert figures(world, sale) == (1, 0, 7)
    lines = [{"sku_id": sale.sku_ids[0], "quantity": 3}]
    refund = world.operator.post(
        f"/v1/orders/{placed['id']}/refunds", {"lines": lines, "reason": "broken"}
    )
    assert refund.status == 201
    assert figures(world, sale) == (1, 0, 4)
    assert findings({sale.sku_ids[0]: 8}) == []
    (dispatch,) = world.order(placed["id"])["dispatches"]
    world.move(dispatch["id"], "accept", "ship")
    assert figures(world, sale) == (1, 0, 0)


def test_a_cancelled_order_gives_its_units_back_to_their_shards(world: World) -> None:
    sale = hot_sale(world, stock=8, shards=4)
    before = levels(sale)
    paid = world.paid_order(sale, quantity=7)
    lines = [{"sku_id": sale.sku_ids[0], "quantity": 2}]
    body = {"lines": lines, "reason": "broken"}
    assert world.operator.post(f"/v1/orders/{paid['id']}/refunds", body).status == 201
    assert world.operator.post(f"/v1/orders/{paid['id']}/cancel", {}).status == 200
    assert sum(before) - sum(levels(sale)) == 2
    assert figures(world, sale) == (6, 0, 0)


def test_money_that_comes_late_takes_units_from_wherever_they_are_by_then(
    world: World, time: Clock
) -> None:
    sale = hot_sale(world, stock=8, shards=4)
    late = order(world, sale, 2).json
    time.move_on(minutes=16)
    ending.sweep(clock.now())
    (part,) = stored_parts(late)
    write_away(sale, part)
    assert world.pay(late).status == 200
    assert world.order(late["id"])["status"] == "paid"
    assert stored_parts(late) != [part]
    assert figures(world, sale) == (6, 0, 2)


def stored(placed: Any) -> Order:
    found = ordering.get_order(placed["id"])
    assert found
    return found


def stored_parts(placed: Any) -> list[Part]:
    return list(stored(placed).lines[0].parts)


def write_away(sale: Sale, part: Part) -> None:
    """Empty the shard that the order had taken from."""
    away = (part[0] + 1) % 4
    transaction.write(*stock.move(sale.sku_ids[0], Move(part[0], away, levels(sale)[part[0]])))


def test_units_that_lie_too_thin_are_brought_together_first(world: World) -> None:
    sale = hot_sale(world, stock=24, shards=24)
    assert order(world, sale, 20).status == 201
    assert figures(world, sale) == (4, 20, 0)
    assert order(world, sale, 5).status == 409
    assert order(world, sale, 4).status == 201


def test_fifty_hot_lines_fit_into_one_transaction(world: World) -> None:
    sale = world.sale(skus=50, stock=3)
    for sku_id in sale.sku_ids:
        answer = world.operator.patch(f"/v1/skus/{sku_id}", {"stock_shards": 3})
        assert answer.status == 200
    placed = order(world, sale, 3)
    assert placed.status == 201
    assert sum(len(line.parts) for line in stored(placed.json).lines) <= 77
    assert all(world.stock(sku_id)["available"] == 0 for sku_id in sale.sku_ids[:3])


def test_an_order_with_a_hot_line_and_a_normal_one_is_all_or_nothing(world: World) -> None:
    sale = world.sale(skus=2, stock=5)
    shard(world, sale, 3)
    world.set_stock(sale.sku_ids[1], 1)
    refused = order(world, sale, 2)
    assert (refused.status, refused.code) == (409, "out_of_stock")
    assert figures(world, sale) == (5, 0, 0)
    assert order(world, sale, 1).status == 201


@pytest.mark.parametrize("hint", [1, 64])
def test_a_wrong_hint_costs_only_time(world: World, hint: int) -> None:
    sale = hot_sale(world, stock=6, shards=3)
    with mock.patch.object(catalogue, "_campaigns_offering", return_value=[sale.campaign_id]):
        catalogue.hint_shards(sale.sku_ids[0], hint, clock.now())
    assert [order(world, sale, 1, f"cus_{n}").status for n in range(7)] == [201] * 6 + [409]


def test_a_sold_out_sku_is_refused_without_a_write_for_a_moment(world: World, time: Clock) -> None:
    sale = hot_sale(world, stock=2, shards=2)
    placed = order(world, sale, 2).json
    assert order(world, sale, 1).code == "out_of_stock"
    with mock.patch.object(transaction, "_write", side_effect=AssertionError("a write")):
        assert order(world, sale, 1).code == "out_of_stock"
    assert world.customer().post(f"/v1/orders/{placed['id']}/cancel", {}).status == 200
    time.move_on(seconds=3)
    assert order(world, sale, 1).status == 201


def test_who_wants_more_than_is_left_does_not_hide_what_is_left(world: World) -> None:
    sale = hot_sale(world, stock=2, shards=2)
    assert order(world, sale, 3).code == "out_of_stock"
    assert order(world, sale, 2).status == 201


def test_a_put_reaches_its_target_over_the_shards(world: World) -> None:
    sale = hot_sale(world, stock=8, shards=4)
    assert order(world, sale, 3).status == 201
    answer = put(world, sale, 20)
    assert (answer.status, answer.json["on_hand"], answer.json["available"]) == (200, 20, 17)
    assert put(world, sale, 3).json["available"] == 0
    refused = put(world, sale, 2)
    assert (refused.status, refused.code) == (409, "below_reserved")
    assert figures(world, sale) == (0, 3, 0)


def test_a_put_that_orders_overtake_is_refused_and_undone(world: World) -> None:
    sale = hot_sale(world, stock=8, shards=4)
    finish, sold = sharding.finish, list[int]()

    def sell_then_finish(sku_id: str) -> Any:
        if stock.get_stock(sku_id).pending and not sold:
            sold.append(order(world, sale, 6).status)
        return finish(sku_id)

    with mock.patch.object(sharding, "finish", sell_then_finish):
        refused = put(world, sale, 3)
    assert (refused.status, refused.code) == (409, "below_reserved")
    assert sold == [201]
    assert figures(world, sale) == (2, 6, 0)


def test_a_put_that_died_is_finished_by_the_sweep(world: World) -> None:
    sale = hot_sale(world, stock=8, shards=4)
    transaction.write(stock.aim_at(stock.get_stock(sale.sku_ids[0]), 12, clock.now()))
    assert world.stock(sale.sku_ids[0])["on_hand"] == 20
    assert sum(levels(sale)) == 8
    invoke("stock_tend")
    assert levels(sale) == [5, 5, 5, 5]
    assert stock.to_tend(clock.now(), 10) == []


def test_an_etag_stands_for_all_shards(world: World) -> None:
    sale = hot_sale(world, stock=8, shards=4)
    path = f"/v1/skus/{sale.sku_ids[0]}/stock"
    read = world.operator.get(path).headers["etag"]
    assert order(world, sale, 1).status == 201
    stale = put(world, sale, 12, **{"If-Match": read})
    assert (stale.status, stale.code) == (412, "precondition_failed")
    again = world.operator.get(path).headers["etag"]
    assert put(world, sale, 12, **{"If-Match": again}).json["available"] == 11
    assert put(world, sale, 12, **{"If-Match": again}).status == 412


ADJUSTMENTS = "/v1/skus/{}/stock/adjustments"


def adjust(caller: Api, sale: Sale, delta: Any, **more: Any) -> Any:
    body = {"delta": delta, "reason": "One tray fell"}
    return caller.post(ADJUSTMENTS.format(sale.sku_ids[0]), body, **more)


@pytest.mark.parametrize("shards", [1, 4])
def test_an_adjustment_never_goes_beyond_what_a_put_may_set(world: World, shards: int) -> None:
    sale = hot_sale(world, stock=10**9 - 5, shards=shards)
    assert order(world, sale, 3).status == 201
    refused = adjust(world.operator, sale, 6)
    assert (refused.status, refused.code) == (409, "too_many_units")
    assert figures(world, sale) == (10**9 - 8, 3, 0)
    assert adjust(world.operator, sale, 5).status == 201
    assert figures(world, sale) == (10**9 - 3, 3, 0)


def test_two_adjustments_at_once_do_not_go_beyond_it_together(world: World) -> None:
    sale = world.sale(stock=10**9 - 5)
    finish, others = sharding.finish, list[int]()

    def overtaken(sku_id: str) -> Any:
        found = finish(sku_id)
        if not others:
            others.append(0)
            others[0] = adjust(world.operator, sale, 4).status
        return found

    with mock.patch.object(sharding, "finish", overtaken):
        refused = adjust(world.operator, sale, 4)
    assert (others, refused.code) == ([201], "too_many_units")
    assert world.stock(sale.sku_ids[0])["on_hand"] == 10**9 - 1


@pytest.mark.parametrize("shards", [1, 4])
def test_units_are_added_and_taken_away_with_the_reason_on_record(
    world: World, shards: int
) -> None:
    sale = hot_sale(world, stock=8, shards=shards)
    supplier = world.supplier(sale.supplier_id)
    added, taken = adjust(world.operator, sale, 5), adjust(supplier, sale, -6)
    assert (added.status, taken.status) == (201, 201)
    assert figures(world, sale) == (7, 0, 0)
    listed = supplier.get(ADJUSTMENTS.format(sale.sku_ids[0])).json["items"]
    assert listed == [taken.json, added.json]
    assert [(each["delta"], each["made_by"]) for each in listed] == [
        (-6, "supplier"),
        (5, "operator"),
    ]


@pytest.mark.parametrize("shards", [1, 4])
def test_an_adjustment_never_goes_below_what_is_held(world: World, shards: int) -> None:
    sale = hot_sale(world, stock=8, shards=shards)
    assert order(world, sale, 3).status == 201
    refused = adjust(world.operator, sale, -6)
    assert (refused.status, refused.code) == (409, "below_reserved")
    assert world.operator.get(ADJUSTMENTS.format(sale.sku_ids[0])).json["items"] == []
    assert adjust(world.operator, sale, -5).status == 201
    assert figures(world, sale) == (0, 3, 0)


@pytest.mark.parametrize("shards", [1, 4])
@pytest.mark.parametrize("delta", [5, -5])
def test_one_key_adjusts_once(world: World, shards: int, delta: int) -> None:
    sale = hot_sale(world, stock=8, shards=shards)
    first, again = (adjust(world.operator, sale, delta, key="k") for _ in range(2))
    assert again.json == first.json
    assert again.headers["idempotent-replayed"] == "true"
    assert figures(world, sale) == (8 + delta, 0, 0)


@pytest.mark.parametrize("delta", [0, 1.5, "3", 10**9 + 1, -(10**9) - 1, None])
def test_an_adjustment_is_a_whole_number_of_units(world: World, delta: Any) -> None:
    sale = world.sale(stock=8)
    refused = adjust(world.operator, sale, delta)
    assert (refused.status, refused.json["errors"][0]["field"]) == (422, "delta")
    assert figures(world, sale) == (8, 0, 0)


def test_adjustments_are_listed_page_by_page(world: World) -> None:
    sale = world.sale(stock=8)
    made = [adjust(world.operator, sale, n).json["id"] for n in range(1, 6)]
    path = ADJUSTMENTS.format(sale.sku_ids[0])
    first = world.operator.get(f"{path}?limit=3").json
    second = world.operator.get(f"{path}?limit=3&cursor={first['next_cursor']}").json
    assert [each["id"] for each in first["items"] + second["items"]] == made[::-1]
    assert second["next_cursor"] is None
