"""A supplier's CSV file of counts, line by line."""

import pytest

from chalicelib.kernel.errors import Invalid
from chalicelib.platform.sheets import RowError
from chalicelib.stock import counts
from chalicelib.stock.counts import MAX_ROWS, Count


def refused(raw: bytes | str) -> list[tuple[str, str]]:
    """Each field that is wrong with the file as a whole."""
    with pytest.raises(Invalid) as error:
        counts.read(raw if isinstance(raw, bytes) else raw.encode())
    return [(each.field, each.message) for each in error.value.errors]


def test_each_line_counts_one_sku() -> None:
    found = counts.read(b"sku_id,on_hand\nsku_1,5\nsku_2,0\n")
    assert (found.named_by, found.rows, found.errors) == ("sku_id", 2, ())
    assert found.counts == (Count(2, "sku_1", 5), Count(3, "sku_2", 0))


@pytest.mark.parametrize(
    "raw",
    [
        "\ufeffon_hand,supplier_sku\r\n5,EGG-10\r\n".encode(),
        b'supplier_sku,on_hand\n"EGG-10", 5\n',
        b"supplier_sku,on_hand\n\n\nEGG-10,5\n,\n",
    ],
    ids=["as a spreadsheet saves it", "quoted", "blank lines"],
)
def test_files_of_different_origin_say_the_same(raw: bytes) -> None:
    found = counts.read(raw)
    assert [(count.name, count.on_hand) for count in found.counts] == [("EGG-10", 5)]
    assert (found.named_by, found.rows, found.errors) == ("supplier_sku", 1, ())


def test_a_line_is_numbered_as_an_editor_does_it() -> None:
    found = counts.read(b'supplier_sku,on_hand\n\n"two\nlines",5\nEGG,x\n')
    assert [error.line for error in found.errors] == [5]


@pytest.mark.parametrize(
    ("row", "field", "message"),
    [
        ("sku_1,many", "on_hand", "must be a whole number"),
        ("sku_1,1.5", "on_hand", "must be a whole number"),
        ("sku_1,-5", "on_hand", "must be at least 0"),
        ("sku_1,+5", "on_hand", "must be a whole number without a sign"),
        ("sku_1,\u0665", "on_hand", "must be a whole number"),
        ("sku_1,", "on_hand", "must be a whole number"),
        ("sku_1,1000000001", "on_hand", "must be at most 1000000000"),
        ("sku_1," + "9" * 5000, "on_hand", "must be at most 1000000000"),
        (",5", "sku_id", "is required"),
        ("sku_1", "line", "must have 2 cells"),
        ("sku_1,5,6", "line", "must have 2 cells"),
    ],
)
def test_what_is_wrong_with_one_line_is_told_of_it_and_the_others_are_taken(
    row: str, field: str, message: str
) -> None:
    found = counts.read(f"sku_id,on_hand\nsku_0,1\n{row}\nsku_2,2\n".encode())
    assert found.errors == (RowError(3, field, message),)
    assert [count.name for count in found.counts] == ["sku_0", "sku_2"]
    assert found.rows == 3


@pytest.mark.parametrize("cell", ["=1+1", "+A1", "-A1", "-5-5", "@SUM(A1)"])
def test_a_formula_for_a_number_refuses_the_file(cell: str) -> None:
    assert refused(f"sku_id,on_hand\nsku_1,{cell}\n") == [("lines.2.on_hand", "is a formula")]


@pytest.mark.parametrize("cell", ["=1+1", "+A1", "+5", "@SUM(A1)"])
def test_a_formula_for_a_name_refuses_the_file(cell: str) -> None:
    assert refused(f"sku_id,on_hand\n{cell},1\n") == [("lines.2.sku_id", "is a formula")]


def test_a_name_may_begin_with_a_dash() -> None:
    found = counts.read(b"supplier_sku,on_hand\n-EGG-10,5\n")
    assert found.counts == (Count(2, "-EGG-10", 5),)


def test_a_cell_that_begins_with_a_tab_refuses_the_file() -> None:
    assert refused('sku_id,on_hand\n"\tsku_1",1\n') == [("lines.2.sku_id", "is a formula")]


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("sku_id", "on_hand"),
        ("on_hand", "sku_id"),
        ("sku_id;on_hand", "sku_id"),
        ("sku_id,supplier_sku,on_hand", "supplier_sku"),
        ("sku_id,on_hand,price", "header"),
        ("sku_id,on_hand,on_hand", "header"),
        ("SKU_ID,on_hand", "sku_id"),
    ],
)
def test_a_header_that_does_not_name_the_columns_refuses_the_file(header: str, field: str) -> None:
    assert field in [name for name, _ in refused(f"{header}\nsku_1,1\n")]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"sku_id,on_hand\nsku_1,5\ncaf\xe9,1\n", "is not text in UTF-8 at line 3"),
        ("sku_id,on_hand\nsku_1,5\n".encode("utf-16"), "is not text in UTF-8 at line 1"),
        (b'sku_id,on_hand\n"sku_1,5\n', "is not CSV at line 2: unexpected end of data"),
        (b"", "has no header; its first line names the columns"),
        (b"\n \n,,\n", "has no header; its first line names the columns"),
    ],
)
def test_what_is_no_csv_in_utf_8_is_refused(raw: bytes, message: str) -> None:
    assert refused(raw) == [("body", message)]


def test_a_thousand_rows_are_taken_and_one_more_is_not() -> None:
    rows = [f"sku_{n},1" for n in range(MAX_ROWS + 1)]
    assert counts.read("\n".join(["sku_id,on_hand", *rows[:-1]]).encode()).rows == MAX_ROWS
    ((field, message),) = refused("\n".join(["sku_id,on_hand", *rows]))
    assert (field, message) == ("body", "has 1001 rows; at most 1000 are taken")


def test_a_sku_that_stands_in_the_file_twice_refuses_it() -> None:
    message = "stands in the file more than once"
    assert refused("sku_id,on_hand\nsku_1,5\nsku_2,1\nsku_1,6\n") == [
        ("lines.2.sku_id", message),
        ("lines.4.sku_id", message),
    ]
