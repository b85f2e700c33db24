"""What units of an offer cost at an instant, and why. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from fractions import Fraction
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
    """The lowest sum for exactly `units`: bundles of (units, amount) and single ones, any of each.

    All but a bounded number of the units are covered by the bundle that is cheapest a unit: so
    many others as it has units could always be changed for some of it.
    """
    if not bundles:
        return single * units
    best_units, best_amount = min(
        ((1, single), *bundles), key=lambda bundle: Fraction(bundle[1], bundle[0])
    )
    others = (best_units - 1) * max(size for size, _ in bundles)
    best = max(0, units - others) // best_units
    sums = [0]
    for n in range(1, units - best * best_units + 1):
        by_bundle = (sums[n - size] + amount for size, amount in bundles if size <= n)
        sums.append(min((sums[n - 1] + single, *by_bundle)))
    return best * best_amount + sums[-1]


def _has_begun(step: PriceStep, local: datetime) -> bool:
    """By the clock on the wall, and still so when that clock is put back over the step.

    A step inside the hour that is left out in spring begins when that hour is skipped.
    """
    begun = local.timestamp() >= _beginning(step, local).timestamp()
    return local.time() >= time.fromisoformat(step.at) or begun


def _beginning(step: PriceStep, local: datetime) -> datetime:
    return datetime.combine(local.date(), time.fromisoformat(step.at), local.tzinfo)
