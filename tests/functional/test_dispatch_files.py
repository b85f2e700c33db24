"""A supplier's dispatches as files: what it must ship, and its tracking numbers back."""

import csv
import io
from datetime import timedelta

import pytest
from openpyxl import Workbook, load_workbook

from chalicelib.dispatch import exporting, tracking
from chalicelib.kernel import clock
from chalicelib.platform import sheets
from tests.functional.conftest import Clock
from tests.support.gateway import Answer
from tests.support.world import Api, Json, Sale, World

EXPORT, IMPORT = "/v1/dispatches/export", "/v1/dispatches/import"
HEADER = "dispatch_id,carrier,tracking_number"


@pytest.fixture
def sale(world: World) -> Sale:
    return world.sale(skus=2)


@pytest.fixture
def supplier(world: World, sale: Sale) -> Api:
    return world.supplier(sale.supplier_id)


@pytest.fixture
def dispatches(world: World, sale: Sale) -> list[str]:
    """Three, with 1, 2 and 3 units of each of two SKUs."""
    orders = [world.paid_order(sale, world.customer(f"cus_{n}"), quantity=n) for n in (1, 2, 3)]
    return [order["dispatches"][0]["id"] for order in orders]


def table(answer: Answer) -> list[dict[str, str]]:
    assert answer.status == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def send(api: Api, *rows: str, header: str = HEADER) -> Json:
    text = "".join(f"{row}\n" for row in (header, *rows))
    answer = api.post(IMPORT, text.encode(), **{"Content-Type": "text/csv"})
    assert answer.status == 200, answer.text
    return answer.json


def status(world: World, dispatch_id: str) -> str:
    return str(world.operator.get(f"/v1/dispatches/{dispatch_id}").json["status"])


def test_what_waits_is_a_row_a_line(supplier: Api, dispatches: list[str]) -> None:
    rows = table(supplier.get(EXPORT))
    assert len(rows) == 6
    assert {row["dispatch_id"] for row in rows} == set(dispatches)
    assert {row["name"] for row in rows} == {"Alice Doe"}
    # A spreadsheet would compute it.
    assert {row["phone"] for row in rows} == {"'+49 30 1234567"}
    assert sum(int(row["quantity"]) for row in rows) == 12


def test_the_purchase_list_adds_up_each_sku(supplier: Api, dispatches: list[str]) -> None:
    rows = table(supplier.get(f"{EXPORT}?list=purchase"))
    assert [(row["supplier_sku"], row["quantity"], row["cost"]) for row in rows] == [
        ("BX-0", "6", "4200"),
        ("BX-1", "6", "4200"),
    ]


def test_of_what_waits_no_unit_is_bought_twice(supplier: Api, dispatches: list[str]) -> None:
    third = dispatches[2]
    send(supplier, f"{third},DHL,T-1,{skus(supplier, third)[0]},2", header=PARTS)
    waits = table(supplier.get(f"{EXPORT}?list=purchase"))
    assert [row["quantity"] for row in waits] == ["4", "6"]
    day = clock.now().date().isoformat()
    made = table(supplier.get(f"{EXPORT}?list=purchase&cycle={day}"))
    assert [row["quantity"] for row in made] == ["6", "6"]


def test_a_workbook_holds_both(supplier: Api, dispatches: list[str]) -> None:
    answer = supplier.get(f"{EXPORT}?format=xlsx", Accept="*/*")
    assert answer.headers["content-disposition"] == 'attachment; filename="lines.xlsx"'
    book = load_workbook(io.BytesIO(answer.content))
    assert [(page.title, page.max_row) for page in book] == [("Lines", 7), ("Purchase list", 3)]


def test_a_day_holds_what_was_made_on_it_whatever_came_of_it(
    world: World, sale: Sale, supplier: Api, dispatches: list[str], time: Clock
) -> None:
    day = clock.now().date()
    world.move(dispatches[0], "accept", "ship", "deliver")
    time.move_on(days=1)
    later = world.paid_order(sale, world.customer("cus_later"))["dispatches"][0]["id"]
    of_day = {row["dispatch_id"] for row in table(supplier.get(f"{EXPORT}?cycle={day}"))}
    next_day = table(supplier.get(f"{EXPORT}?cycle={day + timedelta(days=1)}"))
    assert of_day == set(dispatches)
    assert {row["dispatch_id"] for row in next_day} == {later}
    assert {row["dispatch_id"] for row in table(supplier.get(EXPORT))} == {*dispatches[1:], later}


def test_lines_are_parted_so_that_each_part_can_be_sent_back(
    supplier: Api, dispatches: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MOST_ROWS", 3)
    monkeypatch.setattr(tracking, "MOST_ROWS", 3)
    found: list[dict[str, str]] = []
    for n in (1, 2, 3):
        answer = supplier.get(f"{EXPORT}?part={n}")
        name = f"lines-{n}-of-3.csv"
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        header, *rows = answer.content.decode("utf-8-sig").splitlines()
        assert send(supplier, *rows, header=header)["skipped"] == 2
        found += table(answer)
    assert len(found) == 6
    assert {row["dispatch_id"] for row in found} == set(dispatches)
    beyond = supplier.get(f"{EXPORT}?part=4")
    assert (beyond.status, beyond.json["errors"][0]["field"]) == (422, "part")
    (eggs, _) = table(supplier.get(f"{EXPORT}?list=purchase"))
    assert eggs["quantity"] == "6"


def test_a_part_is_no_larger_than_a_body_may_be(
    supplier: Api, dispatches: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = len(supplier.get(EXPORT).content)
    monkeypatch.setattr(exporting, "MOST_BYTES", whole // 2)
    assert len(supplier.get(EXPORT).content) < whole
    assert len(table(supplier.get(f"{EXPORT}?part=2"))) > 0


def test_an_operator_says_whose(world: World, sale: Sale, dispatches: list[str]) -> None:
    assert len(table(world.operator.get(f"{EXPORT}?supplier_id={sale.supplier_id}"))) == 6
    for query in ("", "?supplier_id=sup_none"):
        refused = world.operator.get(f"{EXPORT}{query}")
        assert (refused.status, refused.json["errors"][0]["field"]) == (422, "supplier_id")


def test_another_supplier_sees_and_ships_nothing(world: World, dispatches: list[str]) -> None:
    other = world.supplier(world.add_supplier())
    assert table(other.get(EXPORT)) == []
    answer = send(other, f"{dispatches[0]},DHL,T-1")
    assert answer["errors"] == [
        {"line": 2, "field": "dispatch_id", "message": "There is no such dispatch."}
    ]
    assert status(world, dispatches[0]) == "created"


def test_a_file_ships_what_it_names_and_again_changes_nothing(
    world: World, supplier: Api, dispatches: list[str]
) -> None:
    world.move(dispatches[0], "accept")
    rows = [f"{dispatches[0]},DHL,T-1", f"{dispatches[1]},DHL,T-2"]
    assert send(supplier, *rows) == {
        "rows": 2,
        "shipped": 2,
        "unchanged": 0,
        "skipped": 0,
        "errors": [],
    }
    before = [supplier.get(f"/v1/dispatches/{each}").json for each in dispatches]
    again = send(supplier, *rows)
    assert (again["shipped"], again["unchanged"], again["errors"]) == (0, 2, [])
    assert [supplier.get(f"/v1/dispatches/{each}").json for each in dispatches] == before
    assert [each["status"] for each in before] == ["shipped", "shipped", "created"]


def test_an_export_that_was_filled_in_can_be_sent_back(
    world: World, supplier: Api, dispatches: list[str]
) -> None:
    text = supplier.get(EXPORT).content.decode("utf-8-sig")
    header, *rows = text.splitlines()
    filled = [
        f"{row.removesuffix(',,')},DHL,T-{dispatches[0][-4:]}" if dispatches[0] in row else row
        for row in rows
    ]
    answer = send(supplier, *filled, header=header)
    assert (answer["rows"], answer["shipped"], answer["skipped"]) == (6, 1, 4)
    assert status(world, dispatches[0]) == "shipped"


def skus(supplier: Api, dispatch_id: str) -> list[str]:
    return [each["sku_id"] for each in supplier.get(f"/v1/dispatches/{dispatch_id}").json["lines"]]


PARTS = f"{HEADER},sku_id,quantity"


def test_rows_of_lines_become_the_parcels_that_they_name(
    world: World, supplier: Api, dispatches: list[str]
) -> None:
    third = dispatches[2]
    eggs, milk = skus(supplier, third)
    rows = [f"{third},DHL,T-1,{eggs},2", f"{third},DHL,T-1,{milk},1", f"{third},UPS,U-1,{eggs},1"]
    answer = send(supplier, *rows, header=PARTS)
    assert (answer["shipped"], answer["errors"]) == (2, [])
    shown = supplier.get(f"/v1/dispatches/{third}").json
    assert [(each["carrier"], each["lines"]) for each in shown["parcels"]] == [
        ("DHL", [{"sku_id": eggs, "quantity": 2}, {"sku_id": milk, "quantity": 1}]),
        ("UPS", [{"sku_id": eggs, "quantity": 1}]),
    ]
    again = send(supplier, *rows, header=PARTS)
    assert (again["shipped"], again["unchanged"], again["errors"]) == (0, 2, [])
    assert supplier.get(f"/v1/dispatches/{third}").json == shown


def test_an_export_of_what_is_shipped_in_part_says_what_went_with_what(
    world: World, supplier: Api, dispatches: list[str]
) -> None:
    third = dispatches[2]
    eggs, milk = skus(supplier, third)
    send(supplier, f"{third},DHL,T-1,{eggs},2", header=PARTS)
    day = clock.now().date().isoformat()
    exported = supplier.get(f"{EXPORT}?cycle={day}")
    rows = [row for row in table(exported) if row["dispatch_id"] == third]
    assert sorted((row["sku_id"], row["quantity"], row["tracking_number"]) for row in rows) == (
        sorted([(eggs, "2", "T-1"), (eggs, "1", ""), (milk, "3", "")])
    )
    header, *lines = exported.content.decode("utf-8-sig").splitlines()
    answer = send(supplier, *lines, header=header)
    assert (answer["shipped"], answer["unchanged"], answer["errors"]) == (0, 1, [])


def corrected(world: World, dispatch_id: str, number: str) -> None:
    path = f"/v1/dispatches/{dispatch_id}"
    (parcel,) = world.operator.get(path).json["parcels"]
    body = {"tracking_number": number}
    assert world.operator.patch(f"{path}/parcels/{parcel['id']}", body).status == 200


def test_a_file_says_the_same_after_the_delivery(
    world: World, supplier: Api, dispatches: list[str]
) -> None:
    row = f"{dispatches[0]},DHL,T-1"
    send(supplier, row)
    world.move(dispatches[0], "deliver")
    again = send(supplier, row)
    assert (again["unchanged"], again["errors"]) == (1, [])


def test_an_export_after_a_correction_changes_nothing(
    world: World, supplier: Api, dispatches: list[str]
) -> None:
    send(supplier, f"{dispatches[0]},DHL,T-1")
    corrected(world, dispatches[0], "T-9")
    shown = supplier.get(f"/v1/dispatches/{dispatches[0]}").json
    day = clock.now().date().isoformat()
    exported = supplier.get(f"{EXPORT}?cycle={day}").content.decode("utf-8-sig")
    header, *rows = exported.splitlines()
    answer = send(supplier, *rows, header=header)
    assert (answer["shipped"], answer["unchanged"], answer["errors"]) == (0, 1, [])
    assert supplier.get(f"/v1/dispatches/{dispatches[0]}").json == shown


def test_a_file_of_before_a_correction_ships_nothing(
    world: World, supplier: Api, dispatches: list[str]
) -> None:
    third = dispatches[2]
    row = f"{third},DHL,T-1,{skus(supplier, third)[0]},1"
    send(supplier, row, header=PARTS)
    corrected(world, third, "T-9")
    answer = send(supplier, row, header=PARTS)
    (error,) = answer["errors"]
    assert (answer["shipped"], answer["unchanged"], error["line"]) == (0, 0, 2)
    assert "corrected to T-9" in error["message"]
    assert len(supplier.get(f"/v1/dispatches/{third}").json["parcels"]) == 1


def test_a_row_without_lines_that_names_a_parcel_says_nothing_new(
    world: World, supplier: Api, dispatches: list[str]
) -> None:
    third = dispatches[2]
    send(supplier, f"{third},DHL,T-1,{skus(supplier, third)[0]},1", header=PARTS)
    answer = send(supplier, f"{third},DHL,T-1")
    assert (answer["shipped"], answer["unchanged"], answer["errors"]) == (0, 1, [])


@pytest.mark.parametrize(
    ("quantity", "field", "words"),
    [
        ("4", "quantity", "is more than the 3 units left to ship"),
        ("0", "quantity", "whole number"),
        ("1.5", "quantity", "whole number"),
        ("", "quantity", "whole number"),
    ],
)
def test_a_parcel_of_too_much_or_of_no_number_is_refused_under_its_line(
    world: World, supplier: Api, dispatches: list[str], quantity: str, field: str, words: str
) -> None:
    third = dispatches[2]
    eggs, milk = skus(supplier, third)
    rows = [f"{third},DHL,T-1,{eggs},1", f"{third},UPS,U-1,{milk},{quantity}"]
    answer = send(supplier, *rows, header=PARTS)
    (error,) = answer["errors"]
    assert (answer["shipped"], error["line"], error["field"]) == (1, 3, field)
    assert words in error["message"]


def test_rows_of_one_dispatch_name_lines_all_or_none(
    world: World, supplier: Api, dispatches: list[str]
) -> None:
    first, second, third = dispatches
    eggs = skus(supplier, first)[0]
    answer = send(
        supplier,
        f"{first},DHL,T-1,{eggs},1",
        f"{first},DHL,T-1,,",
        f"{second},DHL,T-2,,",
        f"{second},DHL,T-2,{eggs},1",
        f"{third},DHL,T-3,{eggs},1",
        f"{third},DHL,T-3,{eggs},1",
        header=PARTS,
    )
    assert [(each["line"], each["field"]) for each in answer["errors"]] == [
        (3, "sku_id"),
        (5, "sku_id"),
        (7, "sku_id"),
    ]
    assert [status(world, each) for each in dispatches] == ["created"] * 3


def test_a_workbook_is_taken_as_well(world: World, supplier: Api, dispatches: list[str]) -> None:
    book, raw = Workbook(), io.BytesIO()
    for row in (HEADER.split(","), [dispatches[0], "DHL", 12345]):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(raw)
    answer = supplier.post(IMPORT, raw.getvalue(), **{"Content-Type": "application/octet-stream"})
    assert (answer.status, answer.json["shipped"]) == (200, 1)
    shown = supplier.get(f"/v1/dispatches/{dispatches[0]}").json
    assert shown["tracking_number"] == "12345"


@pytest.mark.parametrize("number", ["1.23457E+18", "1,23457E+18", "9e+15"])
def test_a_number_that_a_spreadsheet_has_cut_short_ships_nothing(
    world: World, supplier: Api, dispatches: list[str], number: str
) -> None:
    (error,) = send(supplier, f'{dispatches[0]},DHL,"{number}"')["errors"]
    assert (error["field"], "cut to 15 digits" in error["message"]) == ("tracking_number", True)
    assert status(world, dispatches[0]) == "created"


def test_a_number_of_a_workbook_that_is_cut_short_ships_nothing(
    world: World, supplier: Api, dispatches: list[str]
) -> None:
    book, raw = Workbook(), io.BytesIO()
    for row in (HEADER.split(","), [dispatches[0], "UPS", 1.2345678901234567e18]):
        book.active.append(row)  # type: ignore[union-attr]
    book.save(raw)
    answer = supplier.post(IMPORT, raw.getvalue(), **{"Content-Type": "application/octet-stream"})
    assert [each["field"] for each in answer.json["errors"]] == ["tracking_number"]
    assert status(world, dispatches[0]) == "created"


@pytest.mark.parametrize("number", ["T" * 101, "T\u202e1", "T\x07"])
def test_a_row_is_judged_as_a_call_is(
    world: World, supplier: Api, dispatches: list[str], number: str
) -> None:
    (error,) = send(supplier, f"{dispatches[0]},DHL,{number}")["errors"]
    body = {"carrier": "DHL", "tracking_number": number}
    refused = supplier.post(f"/v1/dispatches/{dispatches[0]}/ship", body).json["errors"]
    assert [(error["field"], error["message"])] == [
        (each["field"], each["message"]) for each in refused
    ]
    assert status(world, dispatches[0]) == "created"


def test_a_row_that_is_wrong_holds_back_no_other(
    world: World, supplier: Api, dispatches: list[str]
) -> None:
    first, second, third = dispatches
    answer = send(
        supplier,
        f"{first},DHL,T-1",
        f"{second},DHL,",
        f"{third},DHL,=1+1",
        "dsp_none,DHL,T-4",
        f"{second},UPS,T\x07",
    )
    assert answer["shipped"] == 1
    assert [(each["line"], each["field"]) for each in answer["errors"]] == [
        (3, "tracking_number"),
        (4, "tracking_number"),
        (5, "dispatch_id"),
        (6, "tracking_number"),
    ]
    assert [status(world, each) for each in dispatches] == ["shipped", "created", "created"]


def test_rows_that_contradict_each_other_ship_nothing(
    world: World, supplier: Api, dispatches: list[str]
) -> None:
    answer = send(supplier, f"{dispatches[0]},DHL,T-1", f"{dispatches[0]},DHL,T-2")
    assert answer["errors"] == [
        {"line": 3, "field": "tracking_number", "message": "is another than on line 2"}
    ]
    assert status(world, dispatches[0]) == "created"


def test_what_was_shipped_otherwise_is_not_changed(
    world: World, supplier: Api, dispatches: list[str]
) -> None:
    send(supplier, f"{dispatches[0]},DHL,T-1")
    answer = send(supplier, f"{dispatches[0]},DHL,T-2")
    assert (answer["shipped"], answer["unchanged"]) == (0, 0)
    assert "shipped before" in answer["errors"][0]["message"]


def test_a_file_with_too_many_rows_ships_nothing(
    world: World, supplier: Api, dispatches: list[str]
) -> None:
    text = f"{HEADER}\n{dispatches[0]},DHL,T-1\n" + "dsp_x,DHL,T\n" * 500
    answer = supplier.post(IMPORT, text.encode(), **{"Content-Type": "text/csv"})
    assert (answer.status, answer.json["errors"][0]["field"]) == (422, "body")
    assert status(world, dispatches[0]) == "created"
    huge = supplier.post(IMPORT, b"dsp_x,DHL,T\n" * 100_000, **{"Content-Type": "text/csv"})
    assert huge.status == 413


def test_without_an_accept_header_a_workbook_is_refused(supplier: Api) -> None:
    """The gateway would send it in base64."""
    for headers in ({}, {"Accept": " "}):
        answer = supplier.get(f"{EXPORT}?format=xlsx", **headers)
        assert (answer.status, answer.code) == (400, "no_accept")
    for wanted in ("*/*", "text/html", sheets.MEDIA_TYPES["xlsx"]):
        answer = supplier.get(f"{EXPORT}?format=xlsx", Accept=wanted)
        assert answer.status == 200
        assert load_workbook(io.BytesIO(answer.content)).sheetnames


def test_a_row_of_a_sku_that_is_not_in_the_dispatch_says_so(
    supplier: Api, dispatches: list[str]
) -> None:
    answer = send(supplier, f"{dispatches[0]},DHL,T-1,sku_other,1", header=PARTS)
    assert answer["errors"] == [
        {"line": 2, "field": "sku_id", "message": "is not a line of this dispatch"}
    ]


@pytest.mark.parametrize("query", ["format=pdf", "cycle=yesterday", "list=all", "part=0"])
def test_what_cannot_be_exported_is_said(supplier: Api, query: str) -> None:
    answer = supplier.get(f"{EXPORT}?{query}")
    assert answer.status == 422
    assert answer.json["errors"][0]["field"] == query.partition("=")[0]


@pytest.mark.parametrize("day", ["yesterday", "2026-11-31", "2026-02-30", "20261130", "1"])
def test_a_cycle_that_is_no_day_is_refused_in_our_own_words(supplier: Api, day: str) -> None:
    answer = supplier.get(f"{EXPORT}?cycle={day}")
    assert answer.status == 422
    assert answer.json["errors"] == [
        {"field": "cycle", "message": "is not a date such as 2026-03-01"}
    ]
