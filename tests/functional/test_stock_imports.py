"""A supplier's CSV file sets the stock of many SKUs; what is wrong with one line stops no other."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from chalicelib.platform import transaction
from chalicelib.platform.transaction import Write
from tests.functional.conftest import Clock
from tests.support.snapshot import snapshot
from tests.support.world import Api, Sale, World


def send(caller: Api, sale: Sale, text: str | bytes, **headers: str) -> Any:
    raw = text if isinstance(text, bytes) else text.encode()
    sent = {"Content-Type": "text/csv", **headers}
    return caller.send("POST", f"/v1/suppliers/{sale.supplier_id}/stock-imports", raw, sent)


def on_hand(world: World, sale: Sale) -> list[int]:
    return [world.stock(sku_id)["on_hand"] for sku_id in sale.sku_ids]


@pytest.mark.parametrize("named_by", ["sku_id", "supplier_sku"])
def test_each_line_sets_the_stock_of_a_sku(world: World, named_by: str) -> None:
    sale = world.sale(skus=3, stock=5)
    names = sale.sku_ids if named_by == "sku_id" else ["BX-0", "BX-1", "BX-2"]
    rows = "".join(f"{name},{n}\n" for name, n in zip(names, (7, 0, 9), strict=True))
    answer = send(world.supplier(sale.supplier_id), sale, f"{named_by},on_hand\n{rows}")
    assert (answer.status, answer.json) == (200, {"rows": 3, "taken": 3, "errors": []})
    assert on_hand(world, sale) == [7, 0, 9]


def test_a_line_that_cannot_be_taken_is_told_and_the_others_are_taken(world: World) -> None:
    sale, other = world.sale(skus=3, stock=5), world.sale()
    world.place(sale, quantity=4)
    held, many, fine = sale.sku_ids
    rows = f"{held},3\n{many},-5\n{fine},9\n{other.sku_ids[0]},1\nsku_none,2\n"
    answer = send(world.operator, sale, f"sku_id,on_hand\n{rows}").json
    assert (answer["rows"], answer["taken"]) == (5, 1)
    assert [(each["line"], each["field"]) for each in answer["errors"]] == [
        (2, "on_hand"),
        (3, "on_hand"),
        (5, "sku_id"),
        (6, "sku_id"),
    ]
    messages = [each["message"] for each in answer["errors"]]
    assert "hold 4 units" in messages[0]
    assert messages[1:] == ["must be at least 0", *["is not a SKU of this supplier"] * 2]
    assert on_hand(world, sale) == [5, 5, 9]
    assert on_hand(world, other) == [100]


@pytest.mark.parametrize(
    "text",
    [
        "supplier_sku\nBX-0\n",
        "supplier_sku,on_hand\nBX-0,7\nBX-1,=1+1\n",
        "supplier_sku,on_hand\nBX-0,7\nBX-0,8\n",
        "supplier_sku,on_hand\nBX-0,7\n".encode("utf-16"),
        "supplier_sku,on_hand\nBX-0,7\n" + "BX-9,1\n" * 1000,
        '{"supplier_sku": "BX-0", "on_hand": 7}',
        "",
    ],
    ids=["no column", "formula", "twice", "UTF-16", "too many rows", "JSON", "empty"],
)
def test_a_file_that_cannot_be_taken_changes_nothing(world: World, text: str | bytes) -> None:
    sale = world.sale(skus=2, stock=5)
    before = snapshot(world.environment)
    answer = send(world.operator, sale, text)
    assert (answer.status, answer.code) == (422, "invalid_request")
    assert answer.json["errors"]
    assert snapshot(world.environment) == before


def test_a_million_rows_are_too_many_bytes(world: World) -> None:
    sale = world.sale()
    answer = send(world.operator, sale, "supplier_sku,on_hand\n" + "BX-0,1\n" * 10**6)
    assert (answer.status, answer.code) == (413, "body_too_large")


def test_a_file_imported_twice_comes_to_the_same(world: World, time: Clock) -> None:
    sale = world.sale(skus=2, stock=5)
    text = "supplier_sku,on_hand\nBX-0,7\nBX-1,8\n"
    first = send(world.operator, sale, text, **{"Idempotency-Key": "file-1"})
    world.paid_order(sale, quantity=2)
    again = send(world.operator, sale, text, **{"Idempotency-Key": "file-1"})
    assert again.json == first.json
    assert again.headers["idempotent-replayed"] == "true"
    assert on_hand(world, sale) == [5, 6]
    other = send(world.operator, sale, text + "\n", **{"Idempotency-Key": "file-1"})
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert send(world.operator, sale, text).json["taken"] == 2
    assert on_hand(world, sale) == [7, 8]


def test_a_hot_sku_and_a_new_one_are_set_like_any_other(world: World) -> None:
    sale = world.sale(skus=3, stock=5)
    new = world.add_product(sale.supplier_id)["skus"][0]["id"]
    answer = world.operator.patch(f"/v1/skus/{sale.sku_ids[0]}", {"stock_shards": 4})
    assert answer.status == 200
    rows = "".join(f"{sku_id},{n}\n" for n, sku_id in enumerate([*sale.sku_ids, new], 20))
    assert send(world.operator, sale, f"sku_id,on_hand\n{rows}").json["taken"] == 4
    assert on_hand(world, sale) == [20, 21, 22]
    assert world.stock(new)["on_hand"] == 23


def test_lines_that_cannot_be_taken_together_leave_the_others_in_one_transaction(
    world: World,
) -> None:
    """One is refused, one is sharded, and four are set at once."""
    sale = world.sale(skus=6, stock=5)
    held, hot, *others = sale.sku_ids
    world.place(replace(sale, sku_ids=[held]), quantity=4)
    assert world.operator.patch(f"/v1/skus/{hot}", {"stock_shards": 2}).status == 200
    rows = "".join(f"{sku_id},3\n" for sku_id in sale.sku_ids)
    written, write = list[set[str]](), transaction._write

    def watched(writes: Sequence[Write]) -> None:
        written.append({each.row.pk for each in writes})
        write(writes)

    with mock.patch.object(transaction, "_write", watched):
        answer = send(world.operator, sale, f"sku_id,on_hand\n{rows}").json
    assert (answer["taken"], [each["line"] for each in answer["errors"]]) == (5, [2])
    assert [each for each in written if each & set(others)] == [set(others)]
    assert on_hand(world, sale) == [5, 3, 3, 3, 3, 3]


def test_a_name_that_two_skus_have_is_no_name(world: World) -> None:
    sale = world.sale(stock=5)
    world.add_product(sale.supplier_id)
    answer = send(world.operator, sale, "supplier_sku,on_hand\nBX-0,7\n").json
    assert [each["message"] for each in answer["errors"]] == [
        "is the supplier_sku of two SKUs or more: name them by sku_id"
    ]
    assert on_hand(world, sale) == [5]
    assert send(world.operator, sale, f"sku_id,on_hand\n{sale.sku_ids[0]},7\n").json["taken"] == 1
    assert on_hand(world, sale) == [7]


def test_a_supplier_imports_its_own(world: World) -> None:
    sale, other = world.sale(), world.supplier(world.add_supplier())
    refused = send(other, sale, "supplier_sku,on_hand\nBX-0,7\n")
    assert (refused.status, refused.code) == (404, "not_found")
    nobodys = replace(sale, supplier_id="sup_none")
    nobody = send(world.operator, nobodys, "supplier_sku,on_hand\nBX-0,7\n")
    assert (nobody.status, nobody.code) == (404, "not_found")


def test_a_file_is_judged_before_whose_it_is(world: World) -> None:
    sale, other = world.sale(), world.supplier(world.add_supplier())
    assert send(other, sale, "nonsense").status == 422
