"""What people are told of a wrong field: plain words that follow its name, never what was sent."""

import json
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from chalicelib.catalogue.product_schema import CreateProduct
from chalicelib.catalogue.schema import CreateCampaign
from chalicelib.chargebacks.schema import PaymentEvent
from chalicelib.dispatch.schema import FeedQuery
from chalicelib.ordering.schema import PlaceOrder
from chalicelib.parties.schema import RegisterLeader, RegisterSupplier
from chalicelib.platform.complaints import complaints
from chalicelib.platform.schema import RequestModel
from chalicelib.reference.examples import EXAMPLES
from chalicelib.settlement.schema import StartRun
from chalicelib.stock.schema import PutStock
from chalicelib.webhooks.schema import AddEndpoint

INSTANT = "is not an instant with its offset from UTC such as 2026-03-01T09:30:00Z"
WHOLE = "must be a whole number, not a decimal or text"
ONE_LINE = "is not one line of text without control characters"
# Of the words of a library's own, none is to be seen.
FOREIGN = ("Input", "input", "pattern", "validation", "Value error", "String", "format '")


def told(model: type[BaseModel], sent: Any) -> dict[str, str]:
    """What is told of this body, by field."""
    with pytest.raises(ValidationError) as wrong:
        model.model_validate_json(json.dumps(sent))
    return {each.field: each.message for each in complaints(wrong.value)}


def changed(model: type[BaseModel], path: str, value: Any) -> Any:
    """The model's example with one field, such as `ship_to.phone`, set."""
    body = json.loads(json.dumps(EXAMPLES[model.__name__]))
    *steps, last = path.split(".")
    within = body
    for step in steps:
        within = within[int(step) if step.isdigit() else step]
    within[last] = value
    return body


@pytest.mark.parametrize(
    ("model", "field", "value", "words"),
    [
        (PlaceOrder, "ship_to.phone", "secret", "is not a phone number such as +49 30 5550123"),
        (PlaceOrder, "ship_to.country", "de", "is not a two-letter country code such as DE"),
        (PlaceOrder, "ship_to.name", "sec\x00ret", ONE_LINE),
        (PlaceOrder, "ship_to.name", "", "must have at least 1 character"),
        (PlaceOrder, "ship_to.city", "s" * 101, "must have at most 100 characters"),
        (PlaceOrder, "ship_to", "secret", "must be an object"),
        (PlaceOrder, "note", "sec\x00ret", "is not text without control characters"),
        (PlaceOrder, "note", 7, "must be text"),
        (PlaceOrder, "coupon", "secret", "is not a field of this request"),
        (PlaceOrder, "lines", [], "must have at least 1 item"),
        (PlaceOrder, "lines", "secret", "must be a list"),
        (PlaceOrder, "lines.0.quantity", 1.5, WHOLE),
        (PlaceOrder, "lines.0.quantity", "2", WHOLE),
        (PlaceOrder, "lines.0.quantity", 0, "must be at least 1"),
        (PlaceOrder, "lines.0.quantity", 10**30, "must be at most 9999"),
        (PlaceOrder, "payment_method", "secret", "must be 'card' or 'leader_collect'"),
        (
            PlaceOrder,
            "leader_id",
            "se cret",
            "is not an id of 1 to 128 letters, digits or _ . : @ | -",
        ),
        (
            RegisterSupplier,
            "email",
            "secret",
            "is not an e-mail address such as orders@farm.example",
        ),
        (
            RegisterSupplier,
            "currency",
            "eur",
            "is not an ISO 4217 currency code in capital letters such as EUR",
        ),
        (
            RegisterSupplier,
            "currency",
            "XXX",
            "is not an ISO 4217 currency code in capital letters such as EUR",
        ),
        (RegisterLeader, "pickup_point.latitude", "secret", "must be a number"),
        (RegisterLeader, "pickup_point.latitude", 90.5, "must be at most 90"),
        (StartRun, "business_date", "2026-13-01", "is not a date such as 2026-03-01"),
        (StartRun, "business_date", "secret", "is not a date such as 2026-03-01"),
        (CreateCampaign, "opens_at", "secret", INSTANT),
        (CreateCampaign, "opens_at", "2026-03-01T09:30:00", INSTANT),
        (CreateCampaign, "opens_at", 1772357400, INSTANT),
        (CreateCampaign, "offers.0.price", 0, "must be more than 0"),
        (CreateProduct, "skus.0.cost", 10**13, "must be at most 1000000000000"),
        (AddEndpoint, "event_types", ["ping"] * 21, "must have at most 20 items"),
        (PaymentEvent, "data", [], "must be an object"),
    ],
)
def test_a_wrong_field_is_told_in_plain_words(
    model: type[BaseModel], field: str, value: Any, words: str
) -> None:
    found = told(model, changed(model, field, value))
    assert found == {field: words}
    assert "secret" not in str(found)


def test_a_missing_field_is_required() -> None:
    assert set(told(PlaceOrder, {}).values()) == {"is required"}


def test_what_is_no_object_is_told_of_the_body() -> None:
    assert told(PlaceOrder, []) == {"body": "must be an object"}


@pytest.mark.parametrize(
    ("sent", "field", "words"),
    [
        ({"limit": "ten"}, "limit", "must be a whole number"),
        ({"limit": "9" * 5000}, "limit", "has too many digits"),
        ({"limit": "0"}, "limit", "must be at least 1"),
        ({"updated_since": "secret"}, "updated_since", INSTANT),
        ({"page": "secret"}, "page", "is not a field of this request"),
    ],
)
def test_a_wrong_parameter_is_told_in_plain_words(
    sent: dict[str, str], field: str, words: str
) -> None:
    with pytest.raises(ValidationError) as wrong:
        FeedQuery.model_validate_strings(sent)
    assert [(each.field, each.message) for each in complaints(wrong.value)] == [(field, words)]


@pytest.mark.parametrize(
    ("model", "sent", "field", "words"),
    [
        (
            CreateCampaign,
            {"closes_at": EXAMPLES["CreateCampaign"]["opens_at"]},
            "closes_at",
            "must be after opens_at",
        ),
        (
            CreateCampaign,
            {"offers": EXAMPLES["CreateCampaign"]["offers"][:1] * 2},
            "offers",
            "must not name one SKU twice",
        ),
        (
            CreateCampaign,
            {"leader_ids": ["a", "a"]},
            "leader_ids",
            "must not name one leader twice",
        ),
        (
            PlaceOrder,
            {"lines": EXAMPLES["PlaceOrder"]["lines"][:1] * 2},
            "lines",
            "must not name one SKU twice; add the quantities up",
        ),
        (
            PutStock,
            {"on_hand": 1, "physical": 1},
            "physical",
            "must not be sent together with on_hand",
        ),
        (PutStock, {"on_hand": None}, "physical", "is required where on_hand is not sent"),
    ],
)
def test_fields_that_do_not_fit_together_are_told_of_one_of_them(
    model: type[BaseModel], sent: Any, field: str, words: str
) -> None:
    assert told(model, {**EXAMPLES[model.__name__], **sent}) == {field: words}


def test_a_field_is_not_blamed_for_another_that_cannot_be_read() -> None:
    assert set(told(CreateCampaign, changed(CreateCampaign, "opens_at", "now"))) == {"opens_at"}
    assert set(told(PutStock, {"on_hand": -1})) == {"on_hand"}


@pytest.mark.parametrize(
    "sent", [{"on_hand": 0}, {"physical": 0}, {"on_hand": None, "physical": 0}]
)
def test_either_count_of_stock_may_be_sent(sent: Any) -> None:
    PutStock.model_validate_json(json.dumps(sent))


def test_no_words_of_the_library_are_told_of_any_body() -> None:
    wrong: list[Any] = [None, True, "", "\x00", -1, 1.5, 10**30, [], {}, ["x"] * 2000, "x" * 3000]
    for model in (PlaceOrder, CreateCampaign, CreateProduct, RegisterLeader, AddEndpoint, PutStock):
        for field in EXAMPLES[model.__name__]:
            for value in wrong:
                assert not any(word in str(said(model, field, value)) for word in FOREIGN)


def said(model: type[BaseModel], field: str, value: Any) -> list[str]:
    """The messages, none where the value is fine."""
    try:
        model.model_validate_json(json.dumps(changed(model, field, value)))
    except ValidationError as error:
        return [each.message for each in complaints(error)]
    return []


class Odd(RequestModel):
    value: int = Field(multiple_of=7)
    kind: Literal["a"] = "a"


def test_a_kind_of_error_without_words_keeps_the_librarys() -> None:
    assert told(Odd, {"value": 8}) == {"value": "Input should be a multiple of 7"}
