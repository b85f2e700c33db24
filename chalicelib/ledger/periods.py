"""Periods of the books: months, such as 2026-10, by business dates. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chalicelib.ledger.seals import Seal


@dataclass(frozen=True)
class Period:
    """A month that is closed, by whom, on which audit's word, and what its entries came to."""

    month: str
    closed_at: datetime
    closed_by: str
    audit_id: str
    entries: int
    digest: str

    @property
    def seal(self) -> Seal:
        return Seal(self.entries, self.digest)


def month_of(day: date) -> str:
    return f"{day:%Y-%m}"


def first_day(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def first_day_after(month: str) -> date:
    return (first_day(month) + timedelta(days=31)).replace(day=1)


def earlier(happened_on: date, posted_on: date) -> str | None:
    """The month in which it happened, where that lies before the month of posting."""
    month = month_of(happened_on)
    return month if month < month_of(posted_on) else None
