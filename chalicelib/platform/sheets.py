"""Tables in files, as people keep them: CSV in UTF-8, and XLSX workbooks.

What is read is cells of text; what is written cannot become a formula where it is opened.
"""

import csv
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from chalicelib.kernel.errors import Invalid

Format = Literal["csv", "xlsx"]
Cell = str | int | None
MEDIA_TYPES: Mapping[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# However many rows are blank, reading a workbook ends.
BLANK_ROWS = 10_000
# A workbook is a zip: small ones can hold gigabytes.
MAX_UNPACKED = 16 * 1024 * 1024
ZIP = b"PK\x03\x04"
# A spreadsheet keeps no more digits of a number.
MOST_DIGITS = 15
# A spreadsheet computes a cell of CSV that begins so, unless an apostrophe stands before it.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Sheet:
    """A table with a name, its columns and its rows."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    # Columns whose cells stay text in a workbook whatever is typed into them.
    as_text: Collection[str] = ()


@dataclass(frozen=True)
class RowError:
    """What is wrong with one line of a file; the header is line 1."""

    line: int
    field: str
    message: str


@dataclass(frozen=True)
class Line:
    """A row of a file by column; the header is line 1."""

    number: int
    cells: Mapping[str, str]


def read(raw: bytes, columns: Sequence[str], required: Iterable[str], max_rows: int) -> list[Line]:
    """The rows of a CSV file or a workbook's first sheet, without the blank ones.

    Raises Invalid where the file as a whole cannot be taken: it is neither, a required column is
    missing, one is not known or stands twice, or it has too many rows.
    """
    numbered = _of_workbook(raw, max_rows) if raw.startswith(ZIP) else _of_csv(raw)
    rows = ((n, cells) for n, cells in numbered if any(cells))
    header = next(rows, (0, []))[1]
    _check_header(header, columns, required)
    found: list[Line] = []
    for number, cells in rows:
        if len(found) == max_rows:
            raise Invalid.field("body", f"has more than {max_rows} rows; send several files")
        found.append(_line(number, header, cells))
    return found


def written(sheets: Sequence[Sheet], form: Format) -> bytes:
    """The sheets as a workbook, or the first of them as CSV."""
    return _workbook(sheets) if form == "xlsx" else _csv(sheets[0])


def _of_csv(raw: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Invalid.field("body", f"is not text in UTF-8 at line {line}") from None
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        for cells in reader:
            yield reader.line_num, [_plain(cell) for cell in cells]
    except csv.Error as error:
        raise Invalid.field("body", f"is not CSV at line {reader.line_num}: {error}") from None


def _delimiter(text: str) -> str:
    """Where a comma divides the digits of numbers, spreadsheets save a semicolon between cells."""
    header = text.lstrip("\r\n;").partition("\n")[0]
    return ";" if ";" in header and "," not in header else ","


def _of_workbook(raw: bytes, max_rows: int) -> Iterator[tuple[int, list[str]]]:
    from zipfile import BadZipFile

    from defusedxml.common import DefusedXmlException
    from openpyxl import load_workbook

    _check_unpacked(raw)
    try:
        # A formula is read as its text: what it once came to may be of another day.
        book = load_workbook(io.BytesIO(raw), read_only=True)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        rows = sheet.iter_rows(values_only=True, max_row=max_rows + BLANK_ROWS)
        for number, values in enumerate(rows, 1):
            yield number, [_text(value) for value in values]
    except Invalid:
        raise
    except (
        BadZipFile,
        DefusedXmlException,
        AttributeError,
        KeyError,
        IndexError,
        OSError,
        SyntaxError,
        TypeError,
        ValueError,
    ):
        raise Invalid.field(
            "body", "is not a workbook that can be read; save it as .xlsx"
        ) from None


def _check_unpacked(raw: bytes) -> None:
    from zipfile import BadZipFile, ZipFile

    try:
        unpacked = sum(each.file_size for each in ZipFile(io.BytesIO(raw)).infolist())
    except BadZipFile:
        raise Invalid.field("body", "is not a workbook that can be read") from None
    if unpacked > MAX_UNPACKED:
        raise Invalid.field("body", f"unpacks to {unpacked} bytes; at most {MAX_UNPACKED} are read")


def _text(value: object) -> str:
    """A number that a person typed is a whole one there, whatever the workbook keeps it as; of one
    with more digits than that keeps nobody knows the last, and it is read as it is shown."""
    if value is None:
        return ""
    if isinstance(value, int | float) and abs(value) >= 10**MOST_DIGITS:
        return f"{value:E}"
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _plain(cell: str) -> str:
    """A cell without the apostrophe that `written` puts before what looks like a formula."""
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def _check_header(header: Sequence[str], columns: Sequence[str], required: Iterable[str]) -> None:
    from chalicelib.kernel.errors import FieldError

    if not header:
        raise Invalid.field("body", "is empty; its first line names the columns")
    wrong = [FieldError(name, "must be a column") for name in required if name not in header]
    for n, name in enumerate(header, 1):
        if name not in columns:
            wrong.append(FieldError("header", _not_known(n, name, columns)))
        elif header.index(name) < n - 1:
            wrong.append(FieldError(name, f"is a column twice, the second time as number {n}"))
    if wrong:
        raise Invalid(f"{wrong[0].field} {wrong[0].message}.", errors=tuple(wrong))


def _not_known(number: int, name: str, columns: Sequence[str]) -> str:
    """Without what the file has there: the first line of one without a header is people's data."""
    meant = name.lower()
    if meant in columns:
        return f"has a column {number} that must be written {meant}, in small letters"
    return f"has a column {number} that is not one of {', '.join(columns)}"


def _line(number: int, header: Sequence[str], cells: Sequence[str]) -> Line:
    """Cells that are missing at a row's end are empty, as spreadsheets save them."""
    padded = [*cells, *[""] * (len(header) - len(cells))]
    if any(padded[len(header) :]):
        raise Invalid.field("body", f"has more cells than columns at line {number}")
    return Line(number, dict(zip(header, padded, strict=False)))


def _csv(sheet: Sheet) -> bytes:
    text = io.StringIO(newline="")
    # Spreadsheets read UTF-8 as such only behind a byte order mark.
    text.write("\ufeff")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(sheet.columns)
    writer.writerows([_harmless(cell) for cell in row] for row in sheet.rows)
    return text.getvalue().encode()


def _harmless(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def _workbook(sheets: Sequence[Sheet]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell

    book = Workbook(write_only=True)
    for sheet in sheets:
        page = book.create_sheet(sheet.name)
        page.append(list(sheet.columns))
        for row in sheet.rows:
            cells = [WriteOnlyCell(page, _printable(cell)) for cell in row]
            for name, cell in zip(sheet.columns, cells, strict=True):
                # Text that begins like a formula stays text.
                cell.data_type = "s" if cell.data_type == "f" else cell.data_type
                cell.number_format = "@" if name in sheet.as_text else cell.number_format
            page.append(cells)
    raw = io.BytesIO()
    book.save(raw)
    return raw.getvalue()


def _printable(cell: Cell) -> Cell:
    """XML has no control characters."""
    if not isinstance(cell, str):
        return cell
    return "".join(c for c in cell if c in "\t\n" or c >= " ")
