"""What units of an offer cost at an instant, and why. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from operator import add
from typing import Literal
from zoneinfo import ZoneInfo

from chalicelib.kernel.money import half_up

PriceReason = Literal["price_schedule", "quantity_breaks", "leader_price"]

FULL = 100
MOST_UNITS_A_BREAK = 100


@dataclass(frozen=True)
class PriceStep:
    """From `at` (`HH:MM` where the platform is at home) until midnight: `percent` of the price."""

    at: str
    percent: int


@dataclass(frozen=True)
class QuantityBreak:
    """So many units together cost `amount`, in the currency's minor unit."""

    units: int
    amount: int


@dataclass(frozen=True)
class Price:
    """What some units cost, in minor units.

    `amount` is what the customer pays for all of them and what counts; `unit_price`, what one
    alone would cost, informs. `spread` is the part of the amount above the offer's own price,
    which is the leader's.
    """

    unit_price: int
    amount: int
    spread: int
    reasons: tuple[PriceReason, ...]


@dataclass(frozen=True)
class Terms:
    """How an offer is priced: its price for one unit, and what changes it."""

    price: int
    schedule: Sequence[PriceStep] = ()
    breaks: Sequence[QuantityBreak] = ()

    def price_of(
        self, units: int, *, percent: int = FULL, leader_price: int | None = None
    ) -> Price:
        """The price of `units`, at a percentage of the schedule and the leader's own price.

        The percentage is taken of every amount that the offer or the leader names, each rounded
        half up; a leader's price moves each unit by as much as it lies from the offer's.
        """
        single = at_percent(self.price, percent)
        bundles = [(each.units, at_percent(each.amount, percent)) for each in self.breaks]
        own = cheapest(units, single, bundles)
        asked = single if leader_price is None else at_percent(leader_price, percent)
        spread = (asked - single) * units
        reasons: list[PriceReason] = []
        if percent != FULL:
            reasons.append("price_schedule")
        if own != single * units:
            reasons.append("quantity_breaks")
        if asked != single:
            reasons.append("leader_price")
        return Price(asked, own + spread, spread, tuple(reasons))

    def percents(self) -> tuple[int, ...]:
        """Every percentage that the price can be at."""
        return FULL, *(step.percent for step in self.schedule)

    def leaves_a_price(self, leader_price: int | None = None) -> bool:
        """Whether any unit and any break costs at least one minor unit at every hour."""
        return all(
            self.price_of(units, percent=percent, leader_price=leader_price).amount > 0
            for percent in self.percents()
            for units in (1, *(each.units for each in self.breaks))
        )


def percent_at(schedule: Iterable[PriceStep], now: datetime, zone: ZoneInfo) -> int:
    """The percentage of the last step of the day that has begun, by the clock of `zone`."""
    local = now.astimezone(zone)
    return min((step.percent for step in schedule if _has_begun(step, local)), default=FULL)


def later_today(
    schedule: Iterable[PriceStep], now: datetime, until: datetime, zone: ZoneInfo
) -> list[PriceStep]:
    """The steps of the day that have not begun and begin before `until`, by the clock of `zone`."""
    local = now.astimezone(zone)
    return [
        step for step in schedule if not _has_begun(step, local) and _beginning(step, local) < until
    ]


def at_percent(amount: int, percent: int) -> int:
    return half_up(amount * percent, 100)


def cheapest(units: int, single: int, bundles: Sequence[tuple[int, int]]) -> int:
    """The lowest sum for just so many units: bundles of (units, amount) and single ones, any of
    each."""
    if not bundles:
        return single * units
    (lowest,) = _lowest(units, units, [(1, single), *bundles])
    return lowest


def _lowest(first: int, last: int, bundles: Sequence[tuple[int, int]]) -> list[int]:
    """The lowest sum for each number of units from `first` to `last`.

    However many bundles make up a number, they fall into two halves that differ by one bundle at
    most: so what is lowest follows from what is lowest near half of it, and few numbers are tried.
    """
    largest = max(size for size, _ in bundles)
    if last <= 2 * largest:
        return _lowest_up_to(last, bundles)[first:]
    least = max(0, (first - largest) // 2)
    halves = _lowest(least, (last + largest + 1) // 2, bundles)
    found = []
    for units in range(first, last + 1):
        half = units // 2 - least
        narrowest = max(0, half - largest // 2)
        smaller = halves[narrowest : half + 1]
        larger = halves[units - half - 2 * least : units - narrowest - 2 * least + 1]
        found.append(min(map(add, smaller, reversed(larger))))
    return found


def _lowest_up_to(last: int, bundles: Sequence[tuple[int, int]]) -> list[int]:
    """The same from none on, by what the last bundle of each leaves to the others."""
    sums = [0]
    for n in range(1, last + 1):
        sums.append(min(sums[n - size] + amount for size, amount in bundles if size <= n))
    return sums


def _has_begun(step: PriceStep, local: datetime) -> bool:
    """By the clock on the wall, and still so when that clock is put back over the step.

    A step inside the hour that is left out in spring begins when that hour is skipped.
    """
    begun = local.timestamp() >= _beginning(step, local).timestamp()
    return local.time() >= time.fromisoformat(step.at) or begun


def _beginning(step: PriceStep, local: datetime) -> datetime:
    return datetime.combine(local.date(), time.fromisoformat(step.at), local.tzinfo)
