"""What stands in statement files: amounts, currencies, dates and texts, each read or refused with
what is wrong in it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from chalicelib.kernel import clock
from chalicelib.kernel.currencies import in_minor, is_currency
from chalicelib.kernel.errors import Invalid
from chalicelib.reconciliation.lines import Format, Line, Statement, as_key

MAX_TEXT, MAX_REFERENCE = 500, 128
DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T.*)?")
# What banks write where there is no id, as keys.
NO_ID = ("notprovided", "nonref")
# A bank may book by a day that has not begun here yet.
AHEAD = timedelta(days=1)


def latest_day(zone: ZoneInfo) -> str:
    """The last that a statement may be of: what the books have until then would be missing."""
    return (clock.business_date(clock.now(), zone) + AHEAD).isoformat()


def statement_of(
    form: Format,
    own_id: str,
    lines: Sequence[Line],
    days: Iterable[str] = (),
    totals: Mapping[str, int] | None = None,
) -> Statement:
    named = [*days, *(line.day for line in lines)]
    first, last = min(named, default=""), max(named, default="")
    return Statement(form, shortened(own_id), first, last, tuple(lines), totals or {})


def to_amount(text: str, currency: str, where: str) -> int:
    try:
        return in_minor(text, currency)
    except ValueError:
        raise refused(
            f"has an amount {where} that is not a decimal number of {currency}: {text[:40]!r}"
        ) from None


def to_currency(code: str, where: str) -> str:
    if not is_currency(code):
        raise refused(f"has a currency {where} that is no code of ISO 4217: {code[:10]!r}")
    return code


def to_day(text: str, where: str) -> str:
    found = DAY.fullmatch(text)
    try:
        day = date.fromisoformat(found[1] if found else "")
    except ValueError:
        raise refused(f"has a date {where} that is not such as 2026-03-01: {text[:40]!r}") from None
    if not 2000 <= day.year < 2200:
        raise refused(f"has a date {where} of another age: {text[:40]!r}")
    return day.isoformat()


def to_id(text: Any) -> str:
    """Empty where a bank only says that there is none."""
    found = shortened(text)
    return "" if as_key(found) in NO_ID else found


def shortened(text: Any) -> str:
    return plain(text)[:MAX_REFERENCE]


def plain(text: Any) -> str:
    return " ".join(str(text or "").split())[:MAX_TEXT]


def refused(message: str) -> Invalid:
    return Invalid.field("body", message)
