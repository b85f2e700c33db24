"""The platform's income by what it is: margin, fees, bonuses, caps, damages ...; and the sales that
the margin is left of."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from time import monotonic
from typing import TypeVar

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Busy
from chalicelib.ledger import income_store
from chalicelib.ledger import store as ledger
from chalicelib.ledger.income_store import Brought, Earned
from chalicelib.ledger.journal import Days
from chalicelib.ledger.kinds import income_of
from chalicelib.ledger.rules import PLATFORM_REVENUE, Entry
from chalicelib.ledger.service import end_of, is_final
from chalicelib.ledger.trade import Traded, traded
from chalicelib.platform.settings import settings

S = TypeVar("S", Earned, Traded)
# An answer must be there within the 29 seconds that a gateway waits.
SECONDS_A_REPORT = 10.0


@dataclass(frozen=True)
class IncomeReport:
    first_day: date
    last_day: date
    through: datetime
    kinds: tuple[Earned, ...]
    trade: tuple[Traded, ...]


def report(days: Days) -> IncomeReport:
    """What of each kind was posted in some business dates, until now at most.

    Each day that is over is added up once and kept, so that a year is one query. Raises Busy where
    more are to be added up than one answer has time for: the next one goes on.
    """
    now, ends = clock.now(), monotonic() + SECONDS_A_REPORT
    kept = income_store.kept(days.first, days.last)
    parts = list(kept.values())
    for day in _unread(days, now, kept):
        if monotonic() > ends:
            raise Busy(
                f"The income of the days before {day} is added up by now and kept. Send the same "
                "request again to go on."
            )
        parts.append(_of_day(day, now))
    through = min(end_of(days.last), now)
    return IncomeReport(
        days.first,
        days.last,
        through,
        kinds=_added_up(each for part in parts for each in part.earned),
        trade=_added_up(each for part in parts for each in part.traded),
    )


def keep(day: date, now: datetime) -> None:
    """Add up a day that is over, before anybody asks for it."""
    if is_final(day, now) and day not in income_store.kept(day, day):
        _of_day(day, now)


def _unread(days: Days, now: datetime, kept: Collection[date]) -> Iterator[date]:
    """The business dates that have begun, are not kept, and may have entries."""
    zone = settings().zone
    last = min(days.last, clock.business_date(now, zone))
    if last < days.first:
        return
    begins, ends = clock.begin_of(days.first, zone), end_of(last)
    posted = ledger.days_with_entries(begins.date(), ends.date())
    for n in range((last - days.first).days + 1):
        day = days.first + timedelta(days=n)
        begins, ends = clock.begin_of(day, zone), end_of(day)
        if day not in kept and any(begins.date() <= each <= ends.date() for each in posted):
            yield day


def _of_day(day: date, now: datetime) -> Brought:
    before = end_of(clock.day_before(day))
    found = _brought(ledger.entries_between(before, min(end_of(day), now)))
    if is_final(day, now):
        income_store.keep(day, found)
    return found


def _brought(entries: Iterable[Entry]) -> Brought:
    earned: list[Earned] = []
    of_trade: list[Traded] = []
    for entry in entries:
        earned += _earned(entry)
        of_trade += filter(None, [traded(entry)])
    return Brought(_added_up(earned), _added_up(of_trade))


def _earned(entry: Entry) -> Iterator[Earned]:
    for posting in entry.postings:
        if posting.account == PLATFORM_REVENUE:
            debit, credit = max(posting.amount, 0), max(-posting.amount, 0)
            yield Earned(entry.currency, income_of(entry.id), 1, debit, credit)


def _added_up(parts: Iterable[S]) -> tuple[S, ...]:
    """By currency and kind."""
    sums: dict[tuple[str, str], S] = {}
    for each in parts:
        sums[each.key] = sums[each.key] + each if each.key in sums else each
    return tuple(each for _, each in sorted(sums.items()))
