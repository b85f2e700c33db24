"""When a supplier is at work, and when so much of its working time has passed. Pure.

Local times that a change of clocks skips or repeats are read as RFC 5545, section 3.3.5, has it:
one that is skipped by the offset before the change, one that comes twice as the first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)
# As a closing time: the midnight that a day ends with.
MIDNIGHT = "24:00"
WHOLE_DAY = (("00:00", MIDNIGHT),)
# Of one day: opening and closing times of day, in their order.
Hours = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Calendar:
    """The open hours of each day of the week, and the days without any, in a place's own time.

    Without a week it is open at all hours.
    """

    zone: ZoneInfo
    week: Mapping[str, Hours] | None = None
    closed: frozenset[date] = field(default_factory=frozenset)

    def after(self, begin: datetime, worked: timedelta) -> datetime:
        """The instant by which `worked` of open time has passed since `begin`, in UTC."""
        left = worked
        for opens, closes in self._open_from(begin):
            if left <= closes - opens:
                return opens + left
            left -= closes - opens
        raise LookupError("the calendar never opens")

    def closed_until(self, now: datetime) -> datetime | None:
        """When it opens next, in UTC; None where it is open."""
        opens = self.after(now, timedelta())
        return opens if opens > now else None

    @property
    def open_a_week(self) -> timedelta:
        """How long it is open in a week without closed days and changes of clocks."""
        return sum((_length(span) for day in DAYS for span in self._hours(day)), timedelta())

    def _open_from(self, begin: datetime) -> Iterator[tuple[datetime, datetime]]:
        """What it is open from `begin` on, span by span, none twice. Without end, if ever open."""
        at, day = begin.astimezone(UTC), begin.astimezone(self.zone).date()
        ever_opens = bool(self.open_a_week)
        while ever_opens:
            for opens, closes in sorted(self._spans(day)):
                if closes > max(opens, at):
                    yield max(opens, at), closes
                    at = closes
            day += DAY

    def _spans(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        if day not in self.closed:
            for opens, closes in self._hours(DAYS[day.weekday()]):
                yield self._instant(day, opens), self._instant(day, closes)

    def _hours(self, day: str) -> Hours:
        return WHOLE_DAY if self.week is None else self.week.get(day, ())

    def _instant(self, day: date, at: str) -> datetime:
        if at == MIDNIGHT:
            return self._instant(day + DAY, "00:00")
        return datetime.combine(day, time.fromisoformat(at), self.zone).astimezone(UTC)


def _length(span: tuple[str, str]) -> timedelta:
    opens, closes = (_since_midnight(each) for each in span)
    return closes - opens


def _since_midnight(at: str) -> timedelta:
    hours, minutes = at.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))
