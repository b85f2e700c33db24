"""Statements as CSV: each cell read, and all that is wrong told at once."""

from collections.abc import Callable, Mapping
from typing import TypeVar
from zoneinfo import ZoneInfo

from chalicelib.kernel.errors import FieldError, Invalid
from chalicelib.platform import sheets
from chalicelib.reconciliation import cells
from chalicelib.reconciliation.lines import Line, LineKind, Statement

T = TypeVar("T")
COLUMNS = (
    *("date", "amount", "currency", "reference", "text"),
    *("counterparty", "bank_ref", "type"),
)
REQUIRED = ("date", "amount", "currency")
KINDS: Mapping[str, LineKind] = {
    "": "payment",
    "payment": "payment",
    "fee": "fee",
    "return": "return",
    "transfer": "transfer",
}
# How many errors are told, and how many of them in the sentence for people.
MOST_ERRORS, IN_A_SENTENCE = 50, 3


def read(raw: bytes, zone: ZoneInfo, max_lines: int) -> Statement:
    """Raises Invalid with what is wrong in every field of every row, up to a limit."""
    rows = sheets.read(raw, COLUMNS, REQUIRED, max_lines)
    last = cells.latest_day(zone)
    errors: list[FieldError] = []
    lines = [_line(n, row, last, errors) for n, row in enumerate(rows, 1)]
    if errors:
        raise _refused(errors)
    return cells.statement_of("csv", "", lines)


def _line(n: int, row: sheets.Line, last: str, errors: list[FieldError]) -> Line:
    sent, where = row.cells, f"at line {row.number}"

    def cell(column: str, read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except Invalid as error:
            field = f"lines.{row.number}.{column}"
            errors.extend(FieldError(field, each.message) for each in error.errors)
            return otherwise

    currency = cell("currency", lambda: cells.to_currency(sent["currency"], where), "")
    return Line(
        n,
        cell("amount", lambda: _amount(sent["amount"], currency, where), 0),
        currency,
        cell("date", lambda: _day(sent["date"], last, where), ""),
        cell("type", lambda: _kind(sent.get("type", ""), where), "payment"),
        cells.to_id(sent.get("bank_ref")),
        cells.to_id(sent.get("reference")),
        cells.plain(sent.get("text")),
        counterparty=cells.shortened(sent.get("counterparty")),
    )


def _amount(text: str, currency: str, where: str) -> int:
    """Of a currency that is none, nobody knows how fine it is."""
    return cells.to_amount(text, currency, where) if currency else 0


def _day(text: str, last: str, where: str) -> str:
    day = cells.to_day(text, where)
    if day > last:
        raise cells.refused(f"has a date {where} that is yet to come: {day}")
    return day


def _kind(text: str, where: str) -> LineKind:
    if text.lower() not in KINDS:
        raise cells.refused(f"has a type {where} that is not one of payment, fee, return, transfer")
    return KINDS[text.lower()]


def _refused(errors: list[FieldError]) -> Invalid:
    said = "; ".join(each.message for each in errors[:IN_A_SENTENCE])
    more = len(errors) - IN_A_SENTENCE
    behind = f"; and {more} more" if more > 0 else ""
    return Invalid(f"body: {said}{behind}", errors=tuple(errors[:MOST_ERRORS]))
