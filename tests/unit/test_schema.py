"""The types that requests are made of: what each takes, and what it refuses."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.kernel import clock
from chalicelib.platform.schema import (
    Amount,
    BasisPoints,
    BusinessDate,
    Country,
    Currency,
    Email,
    Identifier,
    InstantIn,
    LongText,
    PageQuery,
    Phone,
    PositiveAmount,
    Quantity,
    Reference,
    RequestModel,
    ShortText,
    Text,
    Units,
)


class OfShortText(RequestModel):
    value: ShortText


class OfText(RequestModel):
    value: Text


class OfLongText(RequestModel):
    value: LongText


class OfReference(RequestModel):
    value: Reference


class OfIdentifier(RequestModel):
    value: Identifier


class OfCurrency(RequestModel):
    value: Currency


class OfAmount(RequestModel):
    value: Amount


class OfPositiveAmount(RequestModel):
    value: PositiveAmount


class OfQuantity(RequestModel):
    value: Quantity


class OfUnits(RequestModel):
    value: Units


class OfBasisPoints(RequestModel):
    value: BasisPoints


class OfBusinessDate(RequestModel):
    value: BusinessDate


class OfInstant(RequestModel):
    value: InstantIn


class OfEmail(RequestModel):
    value: Email


class OfCountry(RequestModel):
    value: Country


class OfPhone(RequestModel):
    value: Phone


TEXTS = [OfShortText, OfText, OfLongText, OfReference]
NUMBERS = [OfAmount, OfPositiveAmount, OfQuantity, OfUnits, OfBasisPoints]


def taken(model: type[RequestModel], value: Any) -> Any:
    """What a request's JSON with this value is read as."""
    return vars(model.model_validate_json(json.dumps({"value": value})))["value"]


def refused(model: type[RequestModel], value: Any) -> bool:
    try:
        taken(model, value)
    except ValidationError:
        return True
    return False


@pytest.mark.parametrize("model", TEXTS)
@pytest.mark.parametrize(
    "text",
    [
        "Nguyễn Thị Minh Khai",
        "团长 李雷",
        "Eggs 🥚, Box 👩‍👩‍👧",  # joined by U+200D
        "محل البقالة",
        "O'Brien & Söhne <b>",
        "x",
    ],
)
def test_people_write_as_they_like(model: type[RequestModel], text: str) -> None:
    assert taken(model, text) == text


@pytest.mark.parametrize("model", TEXTS)
@pytest.mark.parametrize(
    "mark",
    [
        "\x00",
        "\x07",
        "\x1b",
        "\x7f",
        "\x85",
        "\x9b",
        "\u2028",  # breaks a line
        "\u202e",  # writes from right to left what follows
        "\u2066",  # isolates what follows
    ],
)
def test_marks_that_change_text_unseen_are_refused(model: type[RequestModel], mark: str) -> None:
    assert refused(model, f"Green{mark}Farm")


@pytest.mark.parametrize("model", [OfShortText, OfText, OfReference])
@pytest.mark.parametrize("mark", ["\n", "\r", "\t"])
def test_a_short_text_is_one_line(model: type[RequestModel], mark: str) -> None:
    assert refused(model, f"Green{mark}Farm")


def test_a_long_text_may_have_lines() -> None:
    assert taken(OfLongText, "Fresh eggs.\nEvery day.") == "Fresh eggs.\nEvery day."


@pytest.mark.parametrize("model", TEXTS)
def test_half_a_character_is_refused(model: type[RequestModel]) -> None:
    assert refused(model, "\ud83e")


@pytest.mark.parametrize("model", TEXTS)
@pytest.mark.parametrize("text", ["", " ", "  \n  "])
def test_a_text_says_something(model: type[RequestModel], text: str) -> None:
    assert refused(model, text)


@pytest.mark.parametrize(
    ("model", "most"), [(OfShortText, 100), (OfText, 300), (OfReference, 128), (OfLongText, 2000)]
)
def test_a_text_has_a_limit_in_characters(model: type[RequestModel], most: int) -> None:
    assert taken(model, "🥚" * most) == "🥚" * most
    assert refused(model, "🥚" * (most + 1))


def test_white_space_around_a_text_is_not_part_of_it() -> None:
    assert taken(OfShortText, "  Green Farm ") == "Green Farm"


@given(st.text(max_size=120))
def test_a_text_that_is_taken_holds_nothing_unseen(text: str) -> None:
    if not refused(OfShortText, text):
        assert taken(OfShortText, text) == text.strip()
        assert not any(ord(each) < 32 or 127 <= ord(each) < 160 for each in text.strip())


@pytest.mark.parametrize("value", [None, 7, True, ["EUR"], {"a": 1}])
@pytest.mark.parametrize("model", [*TEXTS, OfIdentifier, OfCurrency, OfBusinessDate, OfInstant])
def test_a_text_is_a_text(model: type[RequestModel], value: Any) -> None:
    assert refused(model, value)


@pytest.mark.parametrize(
    ("model", "least", "most"),
    [
        (OfAmount, 0, 10**12),
        (OfPositiveAmount, 1, 10**12),
        (OfQuantity, 1, 9_999),
        (OfUnits, 0, 10**9),
        (OfBasisPoints, 0, 10_000),
    ],
)
def test_a_number_has_its_bounds(model: type[RequestModel], least: int, most: int) -> None:
    assert [taken(model, least), taken(model, most)] == [least, most]
    assert refused(model, least - 1)
    assert refused(model, most + 1)


@pytest.mark.parametrize("model", NUMBERS)
@pytest.mark.parametrize("value", [5.0, 5.5, "5", True, None, 10**30, -(10**30)])
def test_a_number_is_whole_and_never_a_float_or_text(model: type[RequestModel], value: Any) -> None:
    assert refused(model, value)


@pytest.mark.parametrize("text", ['{"value": NaN}', '{"value": Infinity}', '{"value": 1e3}'])
@pytest.mark.parametrize("model", NUMBERS)
def test_a_number_is_written_plainly(model: type[RequestModel], text: str) -> None:
    with pytest.raises(ValidationError):
        model.model_validate_json(text)


@pytest.mark.parametrize(
    "code", ["eur", "EU", "EURO", " EUR", "EUR\n", "XXX", "ZZZ", "\uff25\uff35\uff32"]
)
def test_a_currency_is_one_of_iso_4217(code: str) -> None:
    assert taken(OfCurrency, "EUR") == "EUR"
    assert refused(OfCurrency, code)


@pytest.mark.parametrize("day", ["2026-02-28", "2028-02-29", "1999-12-31"])
def test_a_business_date_is_a_day_of_the_calendar(day: str) -> None:
    assert taken(OfBusinessDate, day) == day


@pytest.mark.parametrize(
    "day",
    [
        "2026-02-29",
        "2026-13-01",
        "2026-00-10",
        "0000-01-01",
        "2026-2-28",
        "26-02-28",
        "20260228",
        "2026-02-28T00:00:00Z",
        "2026-02-28\n",
        " 2026-02-28",
        "٢٠٢٦-٠٢-٢٨",
        "\uff12\uff10\uff12\uff16-02-28",  # digits, but not ASCII ones
        "yesterday",
    ],
)
def test_what_is_no_day_is_refused(day: str) -> None:
    assert refused(OfBusinessDate, day)


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-01T09:30:00Z",
        "2026-03-01T10:30:00+01:00",
        "2026-03-01T09:30:00.000999Z",
        "2026-03-01T00:30:00.0-09:00",
    ],
)
def test_an_instant_is_read_in_utc_to_the_millisecond(text: str) -> None:
    assert taken(OfInstant, text) == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2026-03-01T09:30:00", "2026-03-01", "2026-02-30T09:30:00Z", "now", "", 1772357400]
)
def test_an_instant_without_its_offset_is_refused(text: Any) -> None:
    assert refused(OfInstant, text)


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_an_instant_at_the_ends_of_the_calendar_is_refused(text: str) -> None:
    assert refused(OfInstant, text)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_an_instant_that_was_answered_can_be_sent_back(instant: datetime) -> None:
    assert taken(OfInstant, clock.to_text(instant)) == clock.floor_to_millisecond(instant)


@pytest.mark.parametrize("email", ["orders@green.example", "a+b@x.co", "đơn@hàng.example"])
def test_an_address_for_mail_has_a_name_and_a_host(email: str) -> None:
    assert taken(OfEmail, email) == email


@pytest.mark.parametrize(
    "email",
    ["", "green.example", "@green.example", "a@b", "a b@c.example", "a@b@c.example", "a@b.c\x00"],
)
def test_what_mail_cannot_reach_is_refused(email: str) -> None:
    assert refused(OfEmail, email)


@pytest.mark.parametrize("country", ["de", "DEU", "D", "D1", "ДЕ", "DE\n"])
def test_a_country_is_two_capital_letters(country: str) -> None:
    assert taken(OfCountry, "DE") == "DE"
    assert refused(OfCountry, country)


@pytest.mark.parametrize("phone", ["+49 30 1234567", "02838220000", "+1 (555) 010-9999"])
def test_a_phone_number_may_be_grouped(phone: str) -> None:
    assert taken(OfPhone, phone) == phone


@pytest.mark.parametrize("phone", ["", "12", "phone", "+49 30 abc", "٠٣٠١٢٣٤", "1" * 40, "123\n"])
def test_what_cannot_be_dialled_is_refused(phone: str) -> None:
    assert refused(OfPhone, phone)


@pytest.mark.parametrize("identifier", ["sku_019ca8c1f2b7", "auth0|5f7c8ec7", "a@b.c", "x" * 128])
def test_an_id_may_come_from_any_issuer(identifier: str) -> None:
    assert taken(OfIdentifier, identifier) == identifier


@pytest.mark.parametrize("identifier", ["", "a b", "a/b", "../x", "a#b", "é", "x" * 129, "a\n"])
def test_an_id_is_plain(identifier: str) -> None:
    assert refused(OfIdentifier, identifier)


def test_an_unknown_field_is_refused_not_ignored() -> None:
    with pytest.raises(ValidationError) as error:
        OfAmount.model_validate_json('{"value": 5, "valeu": 6}')
    assert [each["loc"] for each in error.value.errors()] == [("valeu",)]


@pytest.mark.parametrize(
    ("sent", "limit"), [({}, 20), ({"limit": "1"}, 1), ({"limit": "100"}, 100)]
)
def test_a_page_has_twenty_items_unless_told(sent: dict[str, str], limit: int) -> None:
    assert PageQuery.model_validate_strings(sent).limit == limit


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "1.5", ""])
def test_a_page_has_one_to_a_hundred_items(limit: str) -> None:
    with pytest.raises(ValidationError):
        PageQuery.model_validate_strings({"limit": limit})
