"""What a supplier has promised: how soon it acts, in which hours, and what a delay costs. Pure.

A fulfilment mode is a way in which a SKU is sent, such as `standard` or `chilled`, with clocks of
its own. A dispatch keeps the terms that it was made under.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Literal
from zoneinfo import ZoneInfo

from chalicelib.kernel.errors import FieldError, Invalid
from chalicelib.parties.working_time import Calendar, Hours

OnMissed = Literal["escalate", "fine", "cancel"]
STANDARD = "standard"
# Nobody plans a dispatch farther ahead than this.
FARTHEST = timedelta(days=90)
# Closed days beyond this are a slip of the pen.
CLOSED_DAYS_AHEAD = timedelta(days=730)
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Mode:
    """The clocks of one fulfilment mode, in hours of the supplier's open time.

    Accepting and shipping run from when the dispatch is made, delivering from the shipping.
    `fine_amount` is in the supplier's currency's minor unit, for each clock that is missed.
    """

    name: str
    accept_by_hours: int
    ship_by_hours: int
    deliver_by_hours: int
    on_missed: OnMissed
    fine_amount: int | None = None


USUAL = Mode(STANDARD, 12, 24, 72, "escalate")


@dataclass(frozen=True)
class OpenHours:
    """One span of one day of the week."""

    day: str
    opens: str
    closes: str


@dataclass(frozen=True)
class Terms:
    """Version 0 are the terms of a supplier for which none were set."""

    supplier_id: str
    version: int = 0
    modes: tuple[Mode, ...] = (USUAL,)
    timezone: str = "UTC"
    opening: tuple[OpenHours, ...] = ()
    closed_days: tuple[str, ...] = ()
    set_at: datetime | None = None

    def mode(self, name: str) -> Mode:
        """The mode of that name; the standard one where the terms do not know it."""
        return next((mode for mode in self.modes if mode.name == name), self.standard)

    @property
    def standard(self) -> Mode:
        return next(mode for mode in self.modes if mode.name == STANDARD)

    @cached_property
    def calendar(self) -> Calendar:
        return Calendar(
            ZoneInfo(self.timezone),
            self.week,
            frozenset(date.fromisoformat(day) for day in self.closed_days),
        )

    @property
    def week(self) -> dict[str, Hours] | None:
        """The open hours by day of the week; None where it is open at all hours."""
        if not self.opening:
            return None
        days = dict.fromkeys(each.day for each in self.opening)
        return {
            day: tuple((each.opens, each.closes) for each in self.opening if each.day == day)
            for day in days
        }

    def says_the_same(self, other: "Terms") -> bool:
        """Whether they differ in nothing but when they were set."""
        return replace(self, version=other.version, set_at=other.set_at) == other


def check(terms: Terms, today: date) -> None:
    """Raise Invalid for clocks that would run too long, and for closed days too far ahead."""
    wrong = [*_too_slow(terms), *_too_far(terms.closed_days, today)]
    if wrong:
        raise Invalid("The terms cannot be kept.", errors=tuple(wrong))


def _too_slow(terms: Terms) -> list[FieldError]:
    return [
        FieldError(
            f"{prefix}{field}",
            f"would take more than {FARTHEST.days} days of these weekly_hours",
        )
        for prefix, mode in _by_field(terms.modes)
        for field in ("accept_by_hours", "ship_by_hours", "deliver_by_hours")
        if _lasts(terms.calendar, getattr(mode, field)) > FARTHEST
    ]


def _by_field(modes: Sequence[Mode]) -> list[tuple[str, Mode]]:
    """Each mode with where the request says it: the standard one on top, then the others."""
    others = [mode for mode in modes if mode.name != STANDARD]
    standard = [("", mode) for mode in modes if mode.name == STANDARD]
    return [*standard, *((f"modes.{n}.", mode) for n, mode in enumerate(others))]


def _lasts(calendar: Calendar, hours: int) -> timedelta:
    """How long so many open hours take in weeks without closed days."""
    return timedelta(hours=hours) / calendar.open_a_week * WEEK


def _too_far(closed_days: Sequence[str], today: date) -> list[FieldError]:
    farthest = (today + CLOSED_DAYS_AHEAD).isoformat()
    return [
        FieldError(f"closed_days.{n}", "lies more than two years ahead")
        for n, day in enumerate(closed_days)
        if day > farthest
    ]
