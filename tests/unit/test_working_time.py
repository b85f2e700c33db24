"""Working time passes while a supplier is open, whatever clocks are changed meanwhile."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.parties.working_time import DAYS, Calendar, Hours

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE: Hours = (("09:00", "18:00"),)
WEEKDAYS = dict.fromkeys(DAYS[:5], OFFICE)


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def after(
    begin: str,
    hours: float,
    week: Mapping[str, Hours] | None = WEEKDAYS,
    closed: tuple[str, ...] = (),
) -> str:
    """By the clocks of Berlin."""
    calendar = Calendar(BERLIN, week, frozenset(date.fromisoformat(day) for day in closed))
    found = calendar.after(berlin(begin), timedelta(hours=hours))
    assert found.tzinfo is UTC
    return found.astimezone(BERLIN).strftime("%Y-%m-%d %H:%M")


# 10 March 2026 is a Tuesday, 29 March and 25 October are the days on which the clocks change.
@pytest.mark.parametrize(
    ("begin", "hours", "end"),
    [
        ("2026-03-10 10:00", 3, "2026-03-10 13:00"),
        ("2026-03-10 06:00", 3, "2026-03-10 12:00"),
        ("2026-03-10 17:00", 3, "2026-03-11 11:00"),
        ("2026-03-10 17:00", 1, "2026-03-10 18:00"),
        ("2026-03-10 23:00", 12, "2026-03-12 12:00"),
        ("2026-03-13 17:30", 1, "2026-03-16 09:30"),
        ("2026-03-14 12:00", 9, "2026-03-16 18:00"),
        ("2026-03-10 09:00", 90, "2026-03-23 18:00"),
        ("2026-03-10 10:00", 0.5, "2026-03-10 10:30"),
    ],
)
def test_a_clock_pauses_outside_the_week(begin: str, hours: float, end: str) -> None:
    assert after(begin, hours) == end


def test_closed_days_do_not_count() -> None:
    closed = ("2026-04-03", "2026-04-06")  # Good Friday and Easter Monday
    assert after("2026-04-02 17:00", 2, closed=closed) == "2026-04-07 10:00"
    assert after("2026-04-03 10:00", 2, closed=closed) == "2026-04-07 11:00"


def test_several_spans_a_day_and_one_to_its_end() -> None:
    week = {"tue": (("09:00", "12:00"), ("13:00", "18:00"), ("22:00", "24:00"))}
    assert after("2026-03-10 11:00", 2, week) == "2026-03-10 14:00"
    assert after("2026-03-10 17:00", 2, week) == "2026-03-10 23:00"
    assert after("2026-03-10 23:00", 1, week) == "2026-03-11 00:00"
    assert after("2026-03-10 23:00", 2, week) == "2026-03-17 10:00"


@pytest.mark.parametrize(
    ("begin", "hours", "end"),
    [
        ("2026-03-28 20:00", 12, "2026-03-29 09:00"),  # an hour is skipped
        ("2026-10-24 20:00", 12, "2026-10-25 07:00"),  # an hour comes twice
        ("2026-03-10 20:00", 24, "2026-03-11 20:00"),
    ],
)
def test_without_a_week_hours_are_hours(begin: str, hours: float, end: str) -> None:
    assert after(begin, hours, week=None) == end


@pytest.mark.parametrize(
    ("span", "begin", "hours", "end"),
    [
        # 02:00 to 03:00 does not come on 29 March: the next Sunday has it.
        (("02:00", "03:00"), "2026-03-29 00:00", 1, "2026-04-05 03:00"),
        (("01:00", "04:00"), "2026-03-29 00:00", 2, "2026-03-29 04:00"),
        # What does not come is read by the offset before the change.
        (("02:30", "05:00"), "2026-03-29 00:00", 1, "2026-03-29 04:30"),
        # 02:00 to 03:00 comes twice on 25 October, and its end at 02:30 is the first one.
        (("02:00", "03:00"), "2026-10-25 00:00", 2, "2026-10-25 03:00"),
        (("01:00", "02:30"), "2026-10-25 00:00", 1.5, "2026-10-25 02:30"),
    ],
)
def test_spans_across_a_change_of_clocks(
    span: tuple[str, str], begin: str, hours: float, end: str
) -> None:
    assert after(begin, hours, {"sun": (span,)}) == end


def test_spans_that_a_change_lays_over_each_other_count_once() -> None:
    week = {"sun": (("02:00", "02:45"), ("03:00", "04:00"))}
    # Of them 03:00 to 04:00 is left on 29 March: 01:00 to 02:00 in UTC.
    assert after("2026-03-29 00:00", 1, week) == "2026-03-29 04:00"
    assert after("2026-03-29 00:00", 1.25, week) == "2026-04-05 02:15"


def test_a_calendar_that_never_opens_has_no_end() -> None:
    with pytest.raises(LookupError):
        after("2026-03-10 10:00", 1, {"mon": ()})


def test_what_a_week_has_of_open_time() -> None:
    assert Calendar(BERLIN, WEEKDAYS).open_a_week == timedelta(hours=45)
    assert Calendar(BERLIN).open_a_week == timedelta(hours=168)
    assert Calendar(BERLIN, {}).open_a_week == timedelta()


# Changes at midnight, of half an hour, of a whole day, and none.
ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",
    "America/Santiago",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "UTC",
]
MINUTES = st.integers(0, 24 * 60)


def time_of_day(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


@st.composite
def hours_of_a_day(draw: st.DrawFn) -> Hours:
    """Up to two spans in order that do not touch."""
    marks = sorted(draw(st.sets(MINUTES, max_size=4)))
    pairs = zip(marks[::2], marks[1::2], strict=False)
    return tuple((time_of_day(opens), time_of_day(closes)) for opens, closes in pairs)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    week = draw(st.none() | st.fixed_dictionaries({day: hours_of_a_day() for day in DAYS}))
    closed = draw(st.frozensets(st.dates(date(2026, 1, 1), date(2027, 1, 1)), max_size=5))
    if week is not None:
        week[draw(st.sampled_from(DAYS))] = OFFICE
    return Calendar(ZoneInfo(draw(st.sampled_from(ZONES))), week, closed)


BEGINS = st.datetimes(
    datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)
) | st.datetimes(  # Samoa had no 30 December 2011
    datetime(2011, 12, 27), datetime(2011, 12, 31), timezones=st.just(UTC)
)
SPANS = st.timedeltas(timedelta(), timedelta(hours=30))


@given(calendars(), BEGINS, SPANS)
def test_no_clock_ends_before_its_time_has_passed(
    calendar: Calendar, begin: datetime, span: timedelta
) -> None:
    assert calendar.after(begin, span) >= begin + span


@given(calendars(), BEGINS, SPANS, SPANS)
def test_more_time_is_never_over_sooner(
    calendar: Calendar, begin: datetime, span: timedelta, more: timedelta
) -> None:
    assert calendar.after(begin, span + more) >= calendar.after(begin, span) + more


@given(calendars(), BEGINS, st.timedeltas(timedelta(), timedelta(days=3)), SPANS)
def test_who_begins_later_ends_later(
    calendar: Calendar, begin: datetime, wait: timedelta, span: timedelta
) -> None:
    assert calendar.after(begin + wait, span) >= calendar.after(begin, span)


@given(calendars(), BEGINS, SPANS, SPANS)
def test_time_goes_on_where_it_was_left(
    calendar: Calendar, begin: datetime, first: timedelta, then: timedelta
) -> None:
    half = calendar.after(begin, first)
    assert calendar.after(half, then) == calendar.after(begin, first + then)


@given(calendars(), BEGINS, st.timedeltas(timedelta(minutes=1), timedelta(hours=60)))
def test_a_clock_ends_while_it_is_open(
    calendar: Calendar, begin: datetime, span: timedelta
) -> None:
    """By the calendar's own clocks: within one of its spans, on a day that is not closed."""
    end = calendar.after(begin, span)
    before = (end - timedelta(milliseconds=1)).astimezone(calendar.zone)
    assert before.date() not in calendar.closed
    if calendar.week is not None:
        spans = calendar.week[DAYS[before.weekday()]]
        at, skipped = before.strftime("%H:%M"), timedelta(hours=1)
        late = (before - skipped).strftime("%H:%M")  # of a span that begins in an hour skipped
        assert any(opens <= at < closes or opens <= late < closes for opens, closes in spans)


@given(BEGINS, SPANS)
def test_who_is_always_open_pauses_never(begin: datetime, span: timedelta) -> None:
    assert Calendar(ZoneInfo("Asia/Beirut")).after(begin, span) == begin + span


# 13 March 2026 is a Friday.
@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-10 09:00", None),
        ("2026-03-10 17:59", None),
        ("2026-03-10 18:00", "2026-03-11 09:00"),
        ("2026-03-10 08:59", "2026-03-10 09:00"),
        ("2026-03-13 18:00", "2026-03-17 09:00"),
    ],
    ids=["as it opens", "until it closes", "as it closes", "before it opens", "over closed days"],
)
def test_whoever_is_closed_opens_next_in_its_hours(now: str, until: str | None) -> None:
    calendar = Calendar(BERLIN, WEEKDAYS, frozenset({date(2026, 3, 16)}))
    assert calendar.closed_until(berlin(now)) == (berlin(until) if until else None)
