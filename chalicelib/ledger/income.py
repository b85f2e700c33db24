"""The platform's income by what it is: margin, fees, bonuses, caps, damages ..."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from chalicelib.kernel import clock
from chalicelib.ledger import fold_store, income_store
from chalicelib.ledger import store as ledger
from chalicelib.ledger.income_store import Earned
from chalicelib.ledger.journal import Days
from chalicelib.ledger.kinds import income_of
from chalicelib.ledger.rules import PLATFORM_REVENUE, Entry
from chalicelib.ledger.service import end_of, is_final
from chalicelib.platform.settings import settings


@dataclass(frozen=True)
class IncomeReport:
    first_day: date
    last_day: date
    through: datetime
    kinds: tuple[Earned, ...]


def report(days: Days) -> IncomeReport:
    """What of each kind was posted in some business dates, until now at most.

    Each day that is over is added up once and kept, so that a year is one query.
    """
    now = clock.now()
    kept = income_store.kept(days.first, days.last)
    parts = (kept[day] if day in kept else _of_day(day, now) for day in _passed(days, now))
    through = min(end_of(days.last), now)
    return IncomeReport(days.first, days.last, through, _added_up(parts))


def keep(day: date, now: datetime) -> None:
    """Add up a day that is over, before anybody asks for it."""
    if is_final(day, now) and day not in income_store.kept(day, day):
        _of_day(day, now)


def _passed(days: Days, now: datetime) -> Iterator[date]:
    """Those that have begun, without those before anything was posted."""
    last = min(days.last, clock.business_date(now, settings().zone))
    empty = fold_store.empty_until()
    first = max(days.first, empty + timedelta(days=1)) if empty else days.first
    for n in range((last - first).days + 1):
        yield first + timedelta(days=n)


def _of_day(day: date, now: datetime) -> tuple[Earned, ...]:
    before = end_of(clock.day_before(day))
    found = _added_up(map(_earned, ledger.entries_between(before, min(end_of(day), now))))
    if is_final(day, now):
        income_store.keep(day, found)
    return found


def _earned(entry: Entry) -> Iterator[Earned]:
    for posting in entry.postings:
        if posting.account == PLATFORM_REVENUE:
            debit, credit = max(posting.amount, 0), max(-posting.amount, 0)
            yield Earned(entry.currency, income_of(entry.id), 1, debit, credit)


def _added_up(parts: Iterable[Iterable[Earned]]) -> tuple[Earned, ...]:
    sums: dict[tuple[str, str], Earned] = {}
    for part in parts:
        for each in part:
            at = (each.currency, each.kind)
            sums[at] = sums[at] + each if at in sums else each
    return tuple(each for _, each in sorted(sums.items()))
