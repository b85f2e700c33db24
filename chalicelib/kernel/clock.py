"""Instants are aware datetimes in UTC with whole milliseconds; business dates have a zone."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def now() -> datetime:
    """This instant, cut to the millisecond so that it survives being stored and read."""
    return floor_to_millisecond(datetime.now(UTC))


def floor_to_millisecond(instant: datetime) -> datetime:
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def to_text(instant: datetime) -> str:
    """RFC 3339 in UTC ending in `Z`, always 24 characters, so that text sorts as time does."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def from_text(text: str) -> datetime:
    return datetime.fromisoformat(text)


def in_utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)


def business_date(instant: datetime, zone: ZoneInfo) -> date:
    """The calendar day of `instant` where the platform is at home."""
    return instant.astimezone(zone).date()


def begin_of(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a business date."""
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def day_before(day: date) -> date:
    return day - timedelta(days=1)
