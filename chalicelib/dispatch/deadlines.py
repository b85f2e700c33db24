"""The clocks that a supplier owes of a dispatch, by its terms when the dispatch was made. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.kernel import clock
from chalicelib.ordering.rules import DispatchStatus
from chalicelib.parties.terms import Mode, OnMissed, Terms
from chalicelib.parties.working_time import Calendar

ClockKind = Literal["accept", "ship", "deliver"]
# In which states of the dispatch a clock runs; that of a delivery runs while its parcel is awaited.
RUNS_WHILE: dict[ClockKind, frozenset[DispatchStatus]] = {
    "accept": frozenset({"created"}),
    "ship": frozenset({"created", "accepted"}),
}


@dataclass(frozen=True)
class Clock:
    """One clock: how many open hours it gives, and what a supplier that lets it run out must bear.

    Instants are RFC 3339 texts. Each parcel has a clock of its own to be delivered; before the
    first has shipped that clock is of none, and not begun. `fined` is what was taken of the
    supplier, in minor units.
    """

    kind: ClockKind
    hours: int
    on_missed: OnMissed = "escalate"
    fine_amount: int | None = None
    half_time_at: str | None = None
    due_at: str | None = None
    reminded_at: str | None = None
    fired_at: str | None = None
    fined: int | None = None
    waived_at: str | None = None
    waived_for: str | None = None
    parcel_id: str | None = None

    @property
    def name(self) -> str:
        """Which no other clock of the dispatch has."""
        return f"{self.kind}:{self.parcel_id}" if self.parcel_id else self.kind

    @property
    def next_at(self) -> str | None:
        """Its half time, then its end; None once that is over, or before it is begun."""
        if self.fired_at:
            return None
        return self.due_at if self.reminded_at else self.half_time_at

    @property
    def is_in_its_second_half(self) -> bool:
        return self.reminded_at is not None and self.fired_at is None

    @property
    def end(self) -> datetime:
        """Raises LookupError before it is begun."""
        if self.due_at is None:
            raise LookupError(f"the clock to {self.kind} is not begun")
        return clock.from_text(self.due_at)

    def runs_while(self, status: DispatchStatus) -> bool:
        return status in RUNS_WHILE[self.kind]

    def is_over_at(self, now: datetime) -> bool:
        return self.due_at is not None and self.end <= now

    def of_parcel(self, parcel_id: str) -> "Clock":
        """One on the same terms, which has not begun."""
        return Clock(self.kind, self.hours, self.on_missed, self.fine_amount, parcel_id=parcel_id)

    def begun(self, begin: datetime, calendar: Calendar) -> "Clock":
        whole = timedelta(hours=self.hours)
        return replace(
            self,
            half_time_at=clock.to_text(calendar.after(begin, whole / 2)),
            due_at=clock.to_text(calendar.after(begin, whole)),
        )

    def reminded(self, now: datetime) -> "Clock":
        return replace(self, reminded_at=clock.to_text(now))

    def fired(self, now: datetime, fined: int | None) -> "Clock":
        return replace(self, fired_at=clock.to_text(now), fined=fined)

    def waived(self, now: datetime, reason: str) -> "Clock":
        return replace(self, waived_at=clock.to_text(now), waived_for=reason)


def clocks_of(terms: Terms, modes: Iterable[str], begin: datetime) -> tuple[Clock, ...]:
    """The clocks of a dispatch whose lines are of these fulfilment modes.

    Where they are of several, each clock is the shortest of theirs. Accepting and shipping begin
    at `begin`, delivering with each parcel that ships.
    """
    several = [terms.mode(name) for name in modes]
    return (
        _shortest("accept", several).begun(begin, terms.calendar),
        _shortest("ship", several).begun(begin, terms.calendar),
        _shortest("deliver", several),
    )


def _shortest(kind: ClockKind, modes: Iterable[Mode]) -> Clock:
    clocks = (
        Clock(kind, getattr(mode, f"{kind}_by_hours"), mode.on_missed, mode.fine_amount)
        for mode in modes
    )
    return min(clocks, key=lambda each: each.hours)
