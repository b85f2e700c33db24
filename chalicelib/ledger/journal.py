"""The journal of some business dates, in the forms accountants ask for."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Invalid
from chalicelib.ledger import beancount
from chalicelib.ledger import store as ledger
from chalicelib.ledger.narration import income_in, narration, subjects_in
from chalicelib.ledger.periods import month_of
from chalicelib.ledger.rules import PLATFORM_REVENUE, Entry, Position, Posting, position
from chalicelib.platform import sheets
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.schema import FIRST_YEAR, LAST_YEAR
from chalicelib.platform.settings import settings
from chalicelib.platform.sheets import Cell, Sheet

# A file of so many stays below what one answer can hold.
ENTRIES_A_FILE = 5_000
# Each of them is read by its shards, in about a second where the store is slow.
DAYS_A_PAGE = 15
LONGEST = timedelta(days=366)
COLUMNS = (
    *("business_date", "period", "belongs_to", "entry_id", "posted_at", "subject"),
    *("account", "currency", "amount", "income", "narration"),
)


@dataclass(frozen=True)
class Days:
    """Business dates, both included."""

    first: date
    last: date

    @classmethod
    def of(cls, first: str, last: str) -> "Days":
        """Raises Invalid for days that end before they begin, or are too many."""
        days = cls(date.fromisoformat(first), date.fromisoformat(last))
        if not FIRST_YEAR <= days.first.year <= LAST_YEAR:
            raise Invalid.field("from", f"lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
        if days.last < days.first:
            raise Invalid.field("to", "must not lie before from")
        if days.last - days.first >= LONGEST:
            raise Invalid.field("to", f"lies more than {LONGEST.days} days behind from")
        return days

    def entries(self, behind: Position | None = None) -> Iterator[Entry]:
        """The entries of these days in order, none of the future."""
        zone = settings().zone
        ends = clock.begin_of(self.last + timedelta(days=1), zone) - timedelta(milliseconds=1)
        begins, last = clock.begin_of(self.first, zone), min(ends, clock.now())
        return ledger.entries_in_order(begins, last, behind) if begins <= last else iter(())


@dataclass(frozen=True)
class Asked:
    """Entries of some days: all of them, or those that post to an account or tell of a subject."""

    days: Days
    account: str = ""
    subject: str = ""

    def wants(self, entry: Entry) -> bool:
        if self.subject and self.subject not in subjects_in(entry):
            return False
        return not self.account or any(each.account == self.account for each in entry.postings)


@dataclass(frozen=True)
class Booked:
    """An entry as it is told: with the day and the period that it is dated into."""

    id: str
    business_date: str
    period: str
    belongs_to: str | None
    posted_at: datetime
    subject: str
    narration: str
    income: str | None
    currency: str
    postings: tuple[Posting, ...]


@dataclass(frozen=True)
class Part:
    """A file of entries, and where the next one goes on; None where it is the last."""

    text: str
    next_after: Any = None


def page_of(asked: Asked, page: PageRequest) -> Page[Booked]:
    """Entries, the oldest first."""
    return _entries(asked, page).map(_booked)


def as_csv(asked: Asked, page: PageRequest) -> Part:
    """A row for each posting, amounts in the minor unit; behind the first part without columns, so
    that parts put together are one file."""
    found = _entries(asked, replace(page, limit=ENTRIES_A_FILE))
    rows = [row for entry in found.items for row in _rows(_booked(entry))]
    text = sheets.written([Sheet("Journal", COLUMNS, rows)], "csv").decode()
    if page.after:
        text = text.partition("\n")[2]
    return Part(text, found.next_after)


def as_beancount(asked: Asked, page: PageRequest) -> Part:
    """A file that `bean-check` accepts, alone and together with the parts before it."""
    found = _entries(asked, replace(page, limit=ENTRIES_A_FILE))
    is_whole = not (page.after or found.next_after)
    first, zone = asked.days.first, settings().zone
    lines = beancount.lines(found.items, first, zone, is_whole=is_whole)
    return Part("\n".join(lines) + "\n", found.next_after)


def _entries(asked: Asked, page: PageRequest) -> Page[Entry]:
    """Where few of them are asked for, or there are few a day, the page goes on though it is not
    full."""
    behind = Position.at(clock.from_text(page.after[0]), page.after[1]) if page.after else None
    found: list[Entry] = []
    days = set[date]()
    last: Entry | None = None
    for read, entry in enumerate(asked.days.entries(behind)):
        days.add(entry.posted_at.date())
        is_long = read == ENTRIES_A_FILE or len(days) > DAYS_A_PAGE
        if last and (len(found) == page.limit or is_long):
            at = position(last)
            return Page(tuple(found), [clock.to_text(at.posted_at), at.id])
        if asked.wants(entry):
            found.append(entry)
        last = entry
    return Page(tuple(found))


def _booked(entry: Entry) -> Booked:
    day = clock.business_date(entry.posted_at, settings().zone)
    return Booked(
        id=entry.id,
        business_date=day.isoformat(),
        period=month_of(day),
        belongs_to=entry.belongs_to,
        posted_at=entry.posted_at,
        subject=entry.subject,
        narration=narration(entry),
        income=income_in(entry),
        currency=entry.currency,
        postings=entry.postings,
    )


def _rows(booked: Booked) -> Iterator[list[Cell]]:
    for posting in booked.postings:
        yield [
            *(booked.business_date, booked.period, booked.belongs_to, booked.id),
            *(clock.to_text(booked.posted_at), booked.subject),
            *(posting.account, booked.currency, posting.amount),
            booked.income if posting.account == PLATFORM_REVENUE else None,
            booked.narration,
        ]
