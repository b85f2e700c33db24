"""What offers cost: the schedule by the clock on the wall, breaks by the cheapest way, and the
leader's price above or below the offer's."""

from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.catalogue import pricing
from chalicelib.catalogue.pricing import (
    FULL,
    MOST_UNITS_A_BREAK,
    PriceStep,
    QuantityBreak,
    Terms,
    at_percent,
    cheapest,
    percent_at,
)

BERLIN = ZoneInfo("Europe/Berlin")
EVENING = [PriceStep("17:30", 80), PriceStep("18:00", 70), PriceStep("20:00", 30)]
IN_THE_NIGHT = [PriceStep("02:15", 80), PriceStep("02:45", 70), PriceStep("03:10", 60)]

PRICES = st.integers(100, 10**6)
PERCENTS = st.integers(1, 100)
UNITS = st.integers(1, 200)


@st.composite
def terms(draw: st.DrawFn) -> Terms:
    """Any terms that may be offered: breaks that save, a schedule that falls."""
    price = draw(PRICES)
    sizes = draw(st.lists(st.integers(2, 30), max_size=5, unique=True))
    breaks = tuple(QuantityBreak(n, draw(st.integers(100, n * price))) for n in sizes)
    minutes = sorted(draw(st.sets(st.integers(0, 24 * 60 - 1), max_size=6)))
    percents = sorted(
        draw(st.sets(PERCENTS, min_size=len(minutes), max_size=len(minutes))), reverse=True
    )
    steps = zip(minutes, percents, strict=True)
    schedule = tuple(PriceStep(f"{at // 60:02d}:{at % 60:02d}", percent) for at, percent in steps)
    return Terms(price, schedule, breaks)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("utc", "percent"),
    [
        ("2026-07-01T15:29:59.999", 100),  # 17:29 in summer
        ("2026-07-01T15:30", 80),
        ("2026-12-01T15:30", 100),  # 16:30 in winter
        ("2026-12-01T16:30", 80),
        ("2026-12-01T16:59", 80),
        ("2026-12-01T17:00", 70),
        ("2026-12-01T22:59", 30),
        ("2026-12-01T23:00", 100),  # the next day has begun
    ],
)
def test_a_step_begins_by_the_clock_of_the_platforms_zone(utc: str, percent: int) -> None:
    assert percent_at(EVENING, at(utc), BERLIN) == percent


@pytest.mark.parametrize(
    ("utc", "percent"),
    [
        # In March the hour from 02:00 to 03:00 is left out: its steps begin as it is skipped.
        ("2026-03-29T00:59", 100),
        ("2026-03-29T01:00", 70),
        ("2026-03-29T01:10", 60),
        # In October it comes twice: what has begun the first time stays begun.
        ("2026-10-25T00:14", 100),
        ("2026-10-25T00:15", 80),
        ("2026-10-25T00:45", 70),
        ("2026-10-25T01:00", 70),
        ("2026-10-25T02:09", 70),
        ("2026-10-25T02:10", 60),
    ],
)
def test_the_price_never_rises_where_the_clock_is_put_on_or_back(utc: str, percent: int) -> None:
    assert percent_at(IN_THE_NIGHT, at(utc), BERLIN) == percent


@given(terms(), st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.integers(0, 1439))
def test_within_a_day_the_price_only_falls(offer: Terms, day: datetime, later: int) -> None:
    first = day.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=BERLIN).astimezone(UTC)
    midnight = first.timestamp()
    one, two = (
        percent_at(offer.schedule, datetime.fromtimestamp(midnight + n * 60, UTC), BERLIN)
        for n in (later // 2, later)
    )
    of_the_day = datetime.fromtimestamp(midnight + later * 60, UTC).astimezone(BERLIN).date()
    if of_the_day == first.astimezone(BERLIN).date():
        assert two <= one


@given(PRICES, st.lists(st.tuples(st.integers(2, 9), PRICES), max_size=4), st.integers(1, 120))
def test_the_cheapest_way_is_the_least_of_all_ways(
    single: int, bundles: list[tuple[int, int]], units: int
) -> None:
    @cache
    def least(n: int) -> int:
        if n == 0:
            return 0
        by_bundle = [least(n - size) + amount for size, amount in bundles if size <= n]
        return min([least(n - 1) + single, *by_bundle])

    assert cheapest(units, single, bundles) == least(units)


@given(
    PRICES,
    st.lists(st.tuples(st.integers(2, MOST_UNITS_A_BREAK), PRICES), min_size=1, max_size=5),
    st.integers(1, 2_000),
)
def test_the_cheapest_way_of_many_units_is_found_from_its_halves(
    single: int, bundles: list[tuple[int, int]], units: int
) -> None:
    least = [0]
    for n in range(1, units + 1):
        by_bundle = (least[n - size] + amount for size, amount in bundles if size <= n)
        least.append(min(least[n - 1] + single, *by_bundle, 10**12))
    assert cheapest(units, single, bundles) == least[units]


def test_no_number_of_units_takes_more_than_some_ten_thousand_sums(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many breaks there are, the largest of which is what counts."""
    sums = 0

    def counting(one: int, other: int) -> int:
        nonlocal sums
        sums += 1
        return one + other

    monkeypatch.setattr(pricing, "add", counting)
    bundles = [(size, size * 700 + (100 - size)) for size in range(2, MOST_UNITS_A_BREAK + 1)]
    assert cheapest(9_999, 1000, bundles) == 99 * 70_000 + cheapest(99, 1000, bundles)
    assert 0 < sums < 70_000


@given(terms(), UNITS, PERCENTS)
def test_a_break_never_raises_what_is_paid(offer: Terms, units: int, percent: int) -> None:
    single = at_percent(offer.price, percent)
    assert offer.price_of(units, percent=percent).amount <= single * units


@given(terms(), UNITS, UNITS, PERCENTS)
def test_two_orders_cost_no_less_than_one(offer: Terms, some: int, more: int, percent: int) -> None:
    def amount(units: int) -> int:
        return offer.price_of(units, percent=percent).amount

    assert amount(some + more) <= amount(some) + amount(more)


@given(terms(), UNITS, PERCENTS, PRICES)
def test_the_spread_is_just_what_the_leaders_price_adds(
    offer: Terms, units: int, percent: int, asked: int
) -> None:
    own = offer.price_of(units, percent=percent)
    theirs = offer.price_of(units, percent=percent, leader_price=asked)
    assert theirs.amount - own.amount == theirs.spread
    each = at_percent(asked, percent) - at_percent(offer.price, percent)
    assert theirs.spread == each * units
    assert own.spread == 0


@given(terms(), UNITS, st.integers(100, 2 * 10**6), st.data())
def test_whatever_leaves_a_price_is_never_free(
    offer: Terms, units: int, asked: int, data: st.DataObject
) -> None:
    percent = data.draw(st.sampled_from(offer.percents()))
    if offer.leaves_a_price(asked):
        assert offer.price_of(units, percent=percent, leader_price=asked).amount > 0


@given(terms(), UNITS)
def test_every_reason_says_what_it_changed(offer: Terms, units: int) -> None:
    plain = offer.price_of(units)
    assert ("quantity_breaks" in plain.reasons) == (plain.amount != offer.price * units)
    assert "price_schedule" not in plain.reasons
    assert "leader_price" not in plain.reasons
    assert "leader_price" not in offer.price_of(units, leader_price=offer.price).reasons


@given(PRICES, PERCENTS)
def test_a_part_of_a_price_is_never_more_than_it(amount: int, percent: int) -> None:
    assert at_percent(amount, FULL) == amount
    assert 0 < at_percent(amount, percent) <= amount
