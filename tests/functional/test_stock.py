"""A SKU's units, from the shelf to the parcel."""

from typing import Any

from tests.support.world import Api, Sale, World


def figures(on_hand: int, reserved: int, available: int, committed: int) -> dict[str, int]:
    return {
        "on_hand": on_hand,
        "reserved": reserved,
        "available": available,
        "committed": committed,
    }


def stock(world: World, sale: Sale) -> dict[str, int]:
    found = world.stock(sale.sku_ids[0])
    assert found.pop("sku_id") == sale.sku_ids[0]
    return dict(found)


def put(caller: Api, sale: Sale, body: Any, **headers: str) -> Any:
    return caller.put(f"/v1/skus/{sale.sku_ids[0]}/stock", body, **headers)


def test_units_go_from_the_shelf_to_the_parcel(world: World) -> None:
    sale = world.sale(stock=10)
    assert stock(world, sale) == figures(10, 0, 10, 0)
    order = world.place(sale, quantity=3)
    assert stock(world, sale) == figures(10, 3, 7, 0)
    world.pay(order)
    assert stock(world, sale) == figures(7, 0, 7, 3)
    world.work()
    dispatch_id = world.order(order["id"])["dispatches"][0]["id"]
    world.move(dispatch_id, "accept")
    assert stock(world, sale) == figures(7, 0, 7, 3)
    world.move(dispatch_id, "ship")
    assert stock(world, sale) == figures(7, 0, 7, 0)
    world.move(dispatch_id, "deliver")
    assert stock(world, sale) == figures(7, 0, 7, 0)


def test_a_count_of_the_shelf_includes_what_is_paid_and_not_shipped(world: World) -> None:
    sale = world.sale(stock=10)
    world.paid_order(sale, quantity=3)
    world.place(sale, quantity=2)
    answer = put(world.operator, sale, {"physical": 12})
    # 12 on the shelf, 3 of them sold: 9 unsold, of which 2 are reserved.
    assert answer.json == {"sku_id": sale.sku_ids[0], **figures(9, 2, 7, 3)}


def test_less_than_what_is_reserved_is_refused(world: World) -> None:
    sale = world.sale(stock=10)
    world.place(sale, quantity=4)
    refused = put(world.operator, sale, {"on_hand": 3})
    assert (refused.status, refused.code) == (409, "below_reserved")
    assert put(world.operator, sale, {"on_hand": 4}).json["available"] == 0
    counted = put(world.operator, sale, {"physical": 3})
    assert (counted.status, counted.code) == (409, "below_reserved")


def test_a_count_below_what_was_sold_is_refused(world: World) -> None:
    sale = world.sale(stock=10)
    world.paid_order(sale, quantity=4)
    world.place(sale)
    refused = put(world.operator, sale, {"physical": 4})
    assert (refused.status, refused.code) == (409, "below_reserved")
    assert refused.json["detail"] == (
        "Unpaid orders hold 1 units and paid ones 4, so physical cannot be 4."
    )
    assert stock(world, sale) == figures(6, 1, 5, 4)


def test_a_sku_that_was_never_counted_has_nothing(world: World) -> None:
    sku_id = world.add_product(world.add_supplier())["skus"][0]["id"]
    assert world.stock(sku_id) == {"sku_id": sku_id, **figures(0, 0, 0, 0)}


def test_a_supplier_counts_its_own(world: World) -> None:
    sale = world.sale(stock=10)
    supplier = world.supplier(sale.supplier_id)
    assert put(supplier, sale, {"on_hand": 25}).json["on_hand"] == 25
    assert supplier.get(f"/v1/skus/{sale.sku_ids[0]}/stock").json["available"] == 25


def test_if_match_refuses_what_has_changed_since(world: World) -> None:
    sale = world.sale(stock=10)
    path = f"/v1/skus/{sale.sku_ids[0]}/stock"
    read = world.operator.get(path).headers["etag"]
    assert put(world.operator, sale, {"on_hand": 11}, **{"If-Match": read}).status == 200
    stale = put(world.operator, sale, {"on_hand": 12}, **{"If-Match": read})
    assert (stale.status, stale.code) == (412, "precondition_failed")
    assert stock(world, sale)["on_hand"] == 11


def test_placing_an_order_changes_the_etag(world: World) -> None:
    sale = world.sale(stock=10)
    path = f"/v1/skus/{sale.sku_ids[0]}/stock"
    read = world.operator.get(path).headers["etag"]
    world.place(sale)
    assert world.operator.get(path).headers["etag"] != read
    assert put(world.operator, sale, {"on_hand": 9}, **{"If-Match": read}).status == 412


def test_the_etag_of_the_answer_serves_the_next_change(world: World) -> None:
    sale = world.sale()
    first = put(world.operator, sale, {"on_hand": 5}, **{"If-Match": "*"})
    etag = first.headers["etag"]
    assert etag.startswith('"')
    assert etag.endswith('"')
    assert put(world.operator, sale, {"on_hand": 6}, **{"If-Match": etag}).status == 200
    several = put(world.operator, sale, {"on_hand": 7}, **{"If-Match": f'"no", {etag}'})
    assert several.status == 412
