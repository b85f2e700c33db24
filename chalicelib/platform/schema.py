"""What requests and answers are made of: the pydantic types that every domain's models share."""

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)

from chalicelib.kernel import clock
from chalicelib.kernel.currencies import is_currency

# C0 and C1 controls, and the marks that reorder or break text unseen.
_UNPRINTABLE = "\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069"
ONE_LINE = f"^[^{_UNPRINTABLE}]*$"
MANY_LINES = ONE_LINE.replace("\\x00-\\x1f", "\\x00-\\x09\\x0b-\\x1f")

# Far enough from the calendar's ends for time to be added and taken away.
FIRST_YEAR, LAST_YEAR = 1900, 9000

MAX_AMOUNT = 10**12
MAX_QUANTITY = 9_999


class RequestModel(BaseModel):
    """A request's body or query. Unknown fields and wrong types are refused, not ignored."""

    model_config = ConfigDict(
        extra="forbid", strict=True, defer_build=True, regex_engine="rust-regex"
    )


class NoFields(RequestModel):
    """The body of a call that takes none: nothing, or an empty object."""


class View(BaseModel):
    """An answer, read from an entity's attributes of the same names."""

    model_config = ConfigDict(from_attributes=True, defer_build=True)


def _one_line(most: int, least: int = 1) -> Any:
    return StringConstraints(
        strip_whitespace=True, min_length=least, max_length=most, pattern=ONE_LINE
    )


def _currency(code: str) -> str:
    if not is_currency(code):
        raise ValueError("is not an ISO 4217 currency code such as EUR")
    return code


def _utc(instant: datetime) -> datetime:
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise ValueError(f"lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return clock.floor_to_millisecond(instant.astimezone(UTC))


def _plain_date(text: str) -> str:
    datetime.strptime(text, "%Y-%m-%d")
    return text


ShortText = Annotated[str, _one_line(100)]
Text = Annotated[str, _one_line(300)]
LongText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000, pattern=MANY_LINES)
]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:@|-]{1,128}$")]
Reference = Annotated[str, _one_line(128)]
Currency = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{3}$"),
    AfterValidator(_currency),
    Field(examples=["EUR"]),
]
Amount = Annotated[int, Field(ge=0, le=MAX_AMOUNT, description="In the currency's minor unit.")]
PositiveAmount = Annotated[
    int, Field(gt=0, le=MAX_AMOUNT, description="In the currency's minor unit.")
]
Quantity = Annotated[int, Field(ge=1, le=MAX_QUANTITY)]
Units = Annotated[int, Field(ge=0, le=10**9)]
BasisPoints = Annotated[int, Field(ge=0, le=10_000, description="Basis points; 10000 is 100 %.")]
BusinessDate = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
    AfterValidator(_plain_date),
    WithJsonSchema({"type": "string", "format": "date"}),
]
InstantIn = Annotated[AwareDatetime, AfterValidator(_utc)]
Instant = Annotated[datetime, PlainSerializer(clock.to_text, return_type=str, when_used="json")]
Email = Annotated[
    str,
    StringConstraints(
        max_length=254, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f]+$"
    ),
]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), Field(examples=["DE"])]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 ()./-]{2,30}$")]

V = TypeVar("V")


class ListView(View, Generic[V]):
    """One page of a list, newest first."""

    items: list[V]
    next_cursor: str | None = Field(
        description="Send it as `cursor` to get the next page; null on the last one."
    )


class PageQuery(RequestModel):
    """`?limit=` and `?cursor=` of every list."""

    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: str | None = None


def field_path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in location) or "body"
