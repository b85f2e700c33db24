"""What requests and answers are made of: the pydantic types that every domain's models share."""

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Self, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from chalicelib.kernel import clock
from chalicelib.kernel.currencies import is_currency

# C0 and C1 controls, and the marks that reorder or break text unseen.
_UNPRINTABLE = "\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069"
ONE_LINE = f"^[^{_UNPRINTABLE}]*$"
MANY_LINES = ONE_LINE.replace("\\x00-\\x1f", "\\x00-\\x09\\x0b-\\x1f")

_CURRENCY = "^[A-Z]{3}$"
_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_MONTH = "^20[0-9]{2}-(0[1-9]|1[0-2])$"
_TIME_OF_DAY = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
_CLOSING_TIME = "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"
_IDENTIFIER = "^[A-Za-z0-9_.:@|-]{1,128}$"
_EMAIL = r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f]+$"
_MODE = "^[a-z][a-z0-9_-]{0,29}$"
_STRIPE_ACCOUNT = "^acct_[A-Za-z0-9]{8,64}$"
_COUNTRY = "^[A-Z]{2}$"
_HTTPS_URL = r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#][A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]*)?$"
_CASH = "^cash:[a-z][a-z0-9_]{0,30}$"
_PHONE = r"^\+?[0-9][0-9 ()./-]{2,30}$"
# What each pattern asks for, to people.
PATTERNS = {
    ONE_LINE: "one line of text without control characters",
    MANY_LINES: "text without control characters",
    _CURRENCY: "an ISO 4217 currency code in capital letters such as EUR",
    _DATE: "a date such as 2026-03-01",
    _MONTH: "a month such as 2026-03",
    _TIME_OF_DAY: "a time of day such as 17:30",
    _CLOSING_TIME: "a time of day such as 17:30, or 24:00 for its end",
    _IDENTIFIER: "an id of 1 to 128 letters, digits or _ . : @ | -",
    _MODE: "a name of 1 to 30 small letters, digits, _ or - such as chilled",
    _EMAIL: "an e-mail address such as orders@farm.example",
    _STRIPE_ACCOUNT: "the id of a Stripe account such as acct_1032D82eZvKYlo2C",
    _COUNTRY: "a two-letter country code such as DE",
    _HTTPS_URL: "an https address such as https://photos.example/eggs.jpg",
    _CASH: "a cash account of the ledger such as cash:bank",
    _PHONE: "a phone number such as +49 30 5550123",
}

# Far enough from the calendar's ends for time to be added and taken away.
FIRST_YEAR, LAST_YEAR = 1900, 9000

MAX_AMOUNT = 10**12
MAX_QUANTITY = 9_999


class RequestModel(BaseModel):
    """A request's body or query. Unknown fields and wrong types are refused, not ignored."""

    model_config = ConfigDict(
        extra="forbid", strict=True, defer_build=True, regex_engine="rust-regex"
    )


class EditModel(RequestModel):
    """A change of something: what is left out stays as it is, so one that names nothing is none."""

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("must name something to change")
        return self


def stays(description: str | None = None) -> Any:
    """A field that may be left out but has no default to show."""

    def without_default(schema: dict[str, Any]) -> None:
        schema.pop("default")

    return Field(default=None, description=description, json_schema_extra=without_default)


class NoFields(RequestModel):
    """The body of a call that takes none: nothing, or an empty object."""


class View(BaseModel):
    """An answer, read from an entity's attributes of the same names."""

    model_config = ConfigDict(from_attributes=True, defer_build=True)


def _absent_is_null(value: Any) -> Any:
    return value or None


T = TypeVar("T")
# Of an entity that keeps "" or 0 for what is absent.
OrNull = Annotated[T | None, BeforeValidator(_absent_is_null)]


class RowErrorView(View):
    """What is wrong with one line of a file."""

    line: int = Field(description="The header is line 1.")
    field: str
    message: str


def _one_line(most: int, least: int = 1) -> Any:
    return StringConstraints(
        strip_whitespace=True, min_length=least, max_length=most, pattern=ONE_LINE
    )


def _currency(code: str) -> str:
    if not is_currency(code):
        raise ValueError(f"is not {PATTERNS[_CURRENCY]}")
    return code


def _utc(instant: datetime) -> datetime:
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        raise ValueError(f"lies outside the years {FIRST_YEAR} to {LAST_YEAR}")
    return clock.floor_to_millisecond(instant.astimezone(UTC))


def _plain_date(text: str) -> str:
    try:
        datetime.strptime(text, "%Y-%m-%d")
    except ValueError:
        raise ValueError(f"is not {PATTERNS[_DATE]}") from None
    return text


ShortText = Annotated[str, _one_line(100)]
Text = Annotated[str, _one_line(300)]
LongText = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000, pattern=MANY_LINES)
]
Identifier = Annotated[str, StringConstraints(pattern=_IDENTIFIER)]
Reference = Annotated[str, _one_line(128)]
Currency = Annotated[
    str,
    StringConstraints(pattern=_CURRENCY),
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
    StringConstraints(pattern=_DATE),
    AfterValidator(_plain_date),
    WithJsonSchema({"type": "string", "format": "date"}),
]
Month = Annotated[str, StringConstraints(pattern=_MONTH), Field(examples=["2026-03"])]
TimeOfDay = Annotated[str, StringConstraints(pattern=_TIME_OF_DAY), Field(examples=["17:30"])]
ClosingTime = Annotated[str, StringConstraints(pattern=_CLOSING_TIME), Field(examples=["18:00"])]
InstantIn = Annotated[AwareDatetime, AfterValidator(_utc)]
Instant = Annotated[datetime, PlainSerializer(clock.to_text, return_type=str, when_used="json")]
Email = Annotated[str, StringConstraints(max_length=254, pattern=_EMAIL)]
ModeName = Annotated[str, StringConstraints(pattern=_MODE), Field(examples=["chilled"])]
StripeAccount = Annotated[
    str, StringConstraints(pattern=_STRIPE_ACCOUNT), Field(examples=["acct_1032D82eZvKYlo2C"])
]
Country = Annotated[str, StringConstraints(pattern=_COUNTRY), Field(examples=["DE"])]
HttpsUrl = Annotated[str, StringConstraints(max_length=500, pattern=_HTTPS_URL)]
CashAccount = Annotated[
    str, StringConstraints(pattern=_CASH), Field(examples=["cash:bank", "cash:stripe"])
]
Phone = Annotated[str, StringConstraints(pattern=_PHONE)]

S = TypeVar("S")
V = TypeVar("V")


class ListView(View, Generic[V]):
    """One page of a list, newest first."""

    items: list[V]
    next_cursor: str | None = Field(
        description="Send it as `cursor` to get the next page; null on the last one."
    )


class PageQuery(RequestModel):
    """`?limit=` and `?cursor=` of every list."""

    limit: Annotated[int, Field(ge=1, le=100, description="How many items a page has at most.")] = (
        20
    )
    cursor: str | None = Field(
        default=None, description="The `next_cursor` of the page before; left out, the first page."
    )


def just_one(value: S | None, sent: ValidationInfo, other: str) -> S | None:
    """For the validator of a field: it or the `other`, which stands before it, must be sent.

    The field needs `validate_default`, to be judged where it is left out as well.
    """
    if other not in sent.data:  # what was sent of it has been refused
        return value
    if value is None and sent.data[other] is None:
        raise ValueError(f"is required where {other} {_is(other)} not sent")
    if value is not None and sent.data[other] is not None:
        raise ValueError(f"must not be sent together with {other}")
    return value


def _is(field: str) -> str:
    return "are" if field.endswith("s") else "is"


def field_path(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in location) or "body"
