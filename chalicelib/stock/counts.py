"""A supplier's CSV file of counted stock, read line by line.

What makes the file as a whole doubtful refuses all of it: another encoding, a missing column, a
formula, a SKU that stands in it twice. What is wrong with one line alone is told of that line.
"""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chalicelib.kernel.errors import FieldError, Invalid
from chalicelib.platform.sheets import RowError

MAX_ROWS = 1_000
MAX_UNITS = 10**9
NAMES = ("sku_id", "supplier_sku")
ON_HAND = "on_hand"
# A spreadsheet would compute such a cell. A number may have a sign, and a name may begin with `-`.
FORMULA = ("=", "+", "-", "@", "\t")
NUMBER = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True)
class Count:
    """A line's units of the SKU that it names."""

    line: int
    name: str
    on_hand: int


@dataclass(frozen=True)
class Counts:
    """`named_by` is the column that names the SKUs, `rows` how many lines the file has."""

    named_by: str
    rows: int
    counts: tuple[Count, ...]
    errors: tuple[RowError, ...]


Cells = tuple[int, list[str]]


def read(raw: bytes) -> Counts:
    """Raises Invalid where the file as a whole cannot be taken."""
    header, rows = _rows(_text(raw))
    named_by = _named_by(header)
    _check_whole(header, rows)
    found = [_count(line, cells, header, named_by) for line, cells in rows]
    counts = tuple(each for each in found if isinstance(each, Count))
    _check_twice(counts, named_by)
    errors = tuple(each for each in found if isinstance(each, RowError))
    return Counts(named_by, len(rows), counts, errors)


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Invalid.field("body", f"is not text in UTF-8 at line {line}") from None


def _rows(text: str) -> tuple[list[str], list[Cells]]:
    """The header, and each line that is not blank with its number."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        found = [(reader.line_num, [cell.strip(" ") for cell in cells]) for cells in reader]
    except csv.Error as error:
        raise Invalid.field("body", f"is not CSV at line {reader.line_num}: {error}") from None
    rows = [(line, cells) for line, cells in found if any(cells)]
    if not rows:
        raise Invalid.field("body", "has no header; its first line names the columns")
    return rows[0][1], rows[1:]


def _named_by(header: Sequence[str]) -> str:
    named = [name for name in NAMES if name in header]
    wrong = [
        *([] if named else [FieldError("sku_id", "or supplier_sku must be a column")]),
        *([FieldError("supplier_sku", "must not stand beside sku_id")] if len(named) == 2 else []),
        *([] if ON_HAND in header else [FieldError(ON_HAND, "must be a column")]),
        *(
            FieldError("header", f"has a column that is not known, number {n}")
            for n, name in enumerate(header, 1)
            if name not in (*NAMES, ON_HAND) or header.index(name) < n - 1
        ),
    ]
    if wrong:
        raise Invalid(f"{wrong[0].field} {wrong[0].message}.", errors=tuple(wrong))
    return named[0]


def _check_whole(header: Sequence[str], rows: Sequence[Cells]) -> None:
    if len(rows) > MAX_ROWS:
        raise Invalid.field("body", f"has {len(rows)} rows; at most {MAX_ROWS} are taken")
    formulas = tuple(
        FieldError(f"lines.{line}.{field}", "is a formula")
        for line, cells in rows
        for field, cell in zip(header, cells, strict=False)
        if _is_formula(cell, field)
    )
    if formulas:
        raise Invalid("Some cells are formulas; send what they come to.", errors=formulas)


def _is_formula(cell: str, field: str) -> bool:
    if field == ON_HAND:
        return cell.startswith(FORMULA) and not NUMBER.fullmatch(cell)
    return cell.startswith(FORMULA) and not cell.startswith("-")


def _count(
    line: int, cells: Sequence[str], header: Sequence[str], named_by: str
) -> Count | RowError:
    if len(cells) != len(header):
        return RowError(line, "line", f"must have {len(header)} cells")
    row = dict(zip(header, cells, strict=True))
    name, units = row[named_by], row[ON_HAND]
    if not name:
        return RowError(line, named_by, "is required")
    if wrong := _wrong_number(units):
        return RowError(line, ON_HAND, wrong)
    return Count(line, name, int(units))


def _wrong_number(units: str) -> str | None:
    if not NUMBER.fullmatch(units):
        return "must be a whole number"
    if units.startswith("-"):
        return "must be at least 0"
    if units.startswith("+"):
        return "must be a whole number without a sign"
    if len(units) > len(str(MAX_UNITS)) or int(units) > MAX_UNITS:
        return f"must be at most {MAX_UNITS}"
    return None


def _check_twice(counts: Sequence[Count], named_by: str) -> None:
    times = Counter(count.name for count in counts)
    again = tuple(_twice(counts, times, named_by))
    if again:
        raise Invalid("Some SKUs stand in the file twice.", errors=again)


def _twice(counts: Sequence[Count], times: Counter[str], named_by: str) -> Iterator[FieldError]:
    for count in counts:
        if times[count.name] > 1:
            yield FieldError(f"lines.{count.line}.{named_by}", "stands in the file more than once")
