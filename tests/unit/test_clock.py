"""Instants as text, and the business dates they fall on."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel import clock

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
INSTANTS = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=OFFSETS)
ZONES = ("UTC", "Europe/Berlin", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe")


def test_now_is_in_utc_and_survives_being_written() -> None:
    now = clock.now()
    assert now.utcoffset() == timedelta(0)
    assert clock.from_text(clock.to_text(now)) == now
    assert abs(datetime.now(UTC) - now) < timedelta(minutes=1)


def test_an_instant_is_written_in_utc_with_milliseconds() -> None:
    berlin = datetime(2026, 3, 1, 10, 30, 0, 7_999, tzinfo=ZoneInfo("Europe/Berlin"))
    assert clock.to_text(berlin) == "2026-03-01T09:30:00.007Z"


def test_a_whole_second_has_its_milliseconds_too() -> None:
    assert clock.to_text(datetime(2026, 3, 1, tzinfo=UTC)) == "2026-03-01T00:00:00.000Z"


def test_an_early_year_has_four_digits() -> None:
    assert clock.to_text(datetime(7, 3, 1, tzinfo=UTC)) == "0007-03-01T00:00:00.000Z"


@given(INSTANTS)
def test_what_was_written_reads_as_the_same_millisecond(instant: datetime) -> None:
    text = clock.to_text(instant)
    assert len(text) == 24
    assert clock.from_text(text) == clock.floor_to_millisecond(instant)


@given(INSTANTS, INSTANTS)
def test_texts_sort_as_time_does(one: datetime, other: datetime) -> None:
    earlier = clock.floor_to_millisecond(one) < clock.floor_to_millisecond(other)
    assert (clock.to_text(one) < clock.to_text(other)) == earlier


@given(INSTANTS)
def test_milliseconds_are_cut_not_rounded(instant: datetime) -> None:
    cut = clock.floor_to_millisecond(instant)
    assert cut.microsecond % 1000 == 0
    assert timedelta(0) <= instant - cut < timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        # The clocks of Berlin went forward on 29 March 2026: that day had 23 hours ...
        ("2026-03-28T22:59:59.999Z", date(2026, 3, 28)),
        ("2026-03-28T23:00:00.000Z", date(2026, 3, 29)),
        ("2026-03-29T21:59:59.999Z", date(2026, 3, 29)),
        ("2026-03-29T22:00:00.000Z", date(2026, 3, 30)),
        # ... and back on 25 October: that day had 25.
        ("2026-10-24T21:59:59.999Z", date(2026, 10, 24)),
        ("2026-10-24T22:00:00.000Z", date(2026, 10, 25)),
        ("2026-10-25T22:59:59.999Z", date(2026, 10, 25)),
        ("2026-10-25T23:00:00.000Z", date(2026, 10, 26)),
    ],
)
def test_a_business_date_follows_daylight_saving_time(text: str, day: date) -> None:
    assert clock.business_date(clock.from_text(text), ZoneInfo("Europe/Berlin")) == day


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("UTC", date(2026, 3, 1)),
        ("Pacific/Kiritimati", date(2026, 3, 2)),
        ("Pacific/Pago_Pago", date(2026, 2, 28)),
    ],
)
def test_a_business_date_is_the_platforms_own(zone: str, day: date) -> None:
    assert clock.business_date(clock.from_text("2026-03-01T10:30:00.000Z"), ZoneInfo(zone)) == day


@given(st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1)), st.sampled_from(ZONES))
def test_a_day_ends_where_the_next_begins(naive: datetime, name: str) -> None:
    zone, instant = ZoneInfo(name), naive.replace(tzinfo=UTC)
    day = clock.business_date(instant, zone)
    hour_later = clock.business_date(instant + timedelta(hours=1), zone)
    assert hour_later in (day, day + timedelta(days=1))


@pytest.mark.parametrize(
    ("day", "before"),
    [
        (date(2026, 3, 1), date(2026, 2, 28)),
        (date(2028, 3, 1), date(2028, 2, 29)),
        (date(2027, 1, 1), date(2026, 12, 31)),
    ],
)
def test_the_day_before(day: date, before: date) -> None:
    assert clock.day_before(day) == before


# Where clocks are changed at midnight: one that is left out, and one that comes twice.
AT_MIDNIGHT = ("Asia/Beirut", "America/Havana")


@given(st.dates(date(2020, 1, 1), date(2030, 1, 1)), st.sampled_from((*ZONES, *AT_MIDNIGHT)))
def test_a_day_begins_behind_the_last_instant_of_the_day_before(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    begins = clock.begin_of(day, zone)
    assert clock.business_date(begins, zone) == day
    before = clock.business_date(begins - timedelta(milliseconds=1), zone)
    assert before == clock.day_before(day)


@pytest.mark.parametrize(
    ("name", "day", "begins"),
    [
        ("Asia/Beirut", date(2026, 3, 29), "2026-03-28T22:00:00.000Z"),  # at one o'clock
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00:00.000Z"),  # the first of two
    ],
)
def test_a_day_whose_midnight_is_left_out_or_comes_twice(name: str, day: date, begins: str) -> None:
    assert clock.to_text(clock.begin_of(day, ZoneInfo(name))) == begins
