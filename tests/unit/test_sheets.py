"""Tables in files: what is written reads the same again, and what is no table is refused."""

import io
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from chalicelib.kernel.errors import Invalid
from chalicelib.platform import sheets
from chalicelib.platform.sheets import MAX_UNPACKED, Cell, Format, Sheet

COLUMNS = ("name", "units")
BOMB = """<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "0123456789">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><workbook>&b;</workbook>"""


def sheet(*rows: tuple[Cell, Cell]) -> Sheet:
    return Sheet("Things", COLUMNS, rows)


def read(raw: bytes, max_rows: int = 10) -> list[tuple[str, str]]:
    found = sheets.read(raw, COLUMNS, COLUMNS[:1], max_rows)
    return [(line.cells["name"], line.cells.get("units", "")) for line in found]


def refused(raw: bytes, max_rows: int = 10) -> str:
    with pytest.raises(Invalid) as error:
        read(raw, max_rows)
    assert error.value.errors
    return error.value.detail


def workbook(*rows: tuple[object, ...]) -> bytes:
    book, raw = Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)  # type: ignore[union-attr, arg-type]
    book.save(raw)
    return raw.getvalue()


def zipped(**files: str | bytes) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name.replace("__", "/"), content)
    return raw.getvalue()


# What a cell may hold: any printable text that does not begin or end with a space, and that is no
# apostrophe before something like a formula, which is how such a thing is written.
texts = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=20).filter(
    lambda text: not text.startswith("'")
)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@given(rows=st.lists(st.tuples(texts.filter(bool), st.integers(0, 10**9)), max_size=8))
def test_what_was_written_is_read_again(form: Format, rows: list[tuple[str, int]]) -> None:
    raw = sheets.written([sheet(*rows)], form)
    assert read(raw) == [(name, str(units)) for name, units in rows]


@pytest.mark.parametrize("text", ["=1+1", "+49 30 12", "-5", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_nothing_written_is_a_formula_where_it_is_opened(text: str) -> None:
    raw = sheets.written([sheet((text, 1))], "csv").decode("utf-8-sig")
    assert raw.splitlines()[1].lstrip('"').startswith("'")
    book = load_workbook(io.BytesIO(sheets.written([sheet((text, 1))], "xlsx")))
    cell = book.worksheets[0]["A2"]
    assert (cell.value, cell.data_type) == (text, "s")


def test_a_workbook_holds_every_sheet_and_csv_the_first() -> None:
    both = [sheet(("eggs", 1)), Sheet("Other", ("x",), [["y"]])]
    assert load_workbook(io.BytesIO(sheets.written(both, "xlsx"))).sheetnames == ["Things", "Other"]
    assert sheets.written(both, "csv") == b"\xef\xbb\xbfname,units\r\neggs,1\r\n"


def test_numbers_that_a_person_typed_are_whole() -> None:
    raw = workbook(("name", "units"), (12345, 7.0), ("x", None))
    assert read(raw) == [("12345", "7"), ("x", "")]


@pytest.mark.parametrize("number", [1.2345678901234567e18, 10**15, -(10**20)])
def test_a_number_that_a_workbook_has_cut_short_is_not_read_as_whole(number: float) -> None:
    ((name, _),) = read(workbook(("name",), (number,)))
    assert "E+" in name


def test_the_most_digits_that_a_workbook_keeps_are_read() -> None:
    assert read(workbook(("name",), (float(10**15 - 1),))) == [("9" * 15, "")]


def test_what_is_typed_into_a_column_of_text_stays_text() -> None:
    sheet = Sheet("Things", COLUMNS, [(None, 1), ("007", 2)], as_text=("name",))
    page = load_workbook(io.BytesIO(sheets.written([sheet], "xlsx"))).worksheets[0]
    assert [page[cell].number_format for cell in ("A2", "A3", "B2")] == ["@", "@", "General"]


def test_a_formula_is_read_as_its_text() -> None:
    assert read(workbook(("name",), ("=1+1",))) == [("=1+1", "")]


def test_blank_rows_are_no_rows_and_lines_are_counted_as_an_editor_does() -> None:
    for raw in (b"name,units\n\n,\neggs,1\n", workbook(COLUMNS, (), ("", ""), ("eggs", 1))):
        (line,) = sheets.read(raw, COLUMNS, COLUMNS, 1)
        assert line.number == 4


def test_semicolons_divide_cells_as_well() -> None:
    raw = '\ufeffname;units\r\n"eggs; brown";1\r\nmilk, fresh;2\r\n'.encode()
    assert read(raw) == [("eggs; brown", "1"), ("milk, fresh", "2")]
    assert read(b";\nname;units\neggs;1\n") == [("eggs", "1")]
    assert read(b"name,units\na;b,1\n") == [("a;b", "1")]


@pytest.mark.parametrize("make", [lambda rows: workbook(*rows), lambda rows: csv_of(rows)])
def test_more_rows_than_may_be_are_refused(make: Callable[[list[tuple[str, str]]], bytes]) -> None:
    rows = [("name", "units"), *[("x", "1")] * 5]
    assert len(read(make(rows), max_rows=5)) == 5
    assert "more than 4 rows" in refused(make(rows), max_rows=4)


def csv_of(rows: list[tuple[str, str]]) -> bytes:
    return "".join(f"{','.join(row)}\n" for row in rows).encode()


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"units\n1\n", "name must be a column"),
        (b"name,price\n", "a column 2 that is not one of name, units"),
        (b"name,Units\n", "a column 2 that must be written units, in small letters"),
        (b"Ada,12\n", "name must be a column"),
        (b"name,name\n", "name is a column twice, the second time as number 2"),
        (b"name,units\neggs,1,2\n", "more cells than columns at line 2"),
        ("name\nMüsli\n".encode("latin-1"), "not text in UTF-8 at line 2"),
        ("name\nx\n".encode("utf-16"), "not text in UTF-8"),
        (b'name\n"open', "is not CSV at line"),
        (b"PK\x03\x04 no zip", "is not a workbook"),
        (zipped(hello="world"), "is not a workbook"),
        (zipped(x=b"0" * (MAX_UNPACKED + 1)), "at most"),
        (zipped(**{"[Content_Types].xml": BOMB, "xl__workbook.xml": BOMB}), "is not a workbook"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused_as_a_whole(raw: bytes, why: str) -> None:
    assert why in refused(raw)


@given(raw=st.binary(max_size=300).map(lambda rest: b"PK\x03\x04" + rest))
def test_no_bytes_break_it(raw: bytes) -> None:
    with pytest.raises(Invalid):
        read(raw)
