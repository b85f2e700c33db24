"""Callers, events and errors: the words that every domain shares."""

import json

import pytest

from chalicelib.kernel import errors, events
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import FieldError, Invalid, NotFound
from chalicelib.kernel.events import Event
from chalicelib.platform import problems, queues

KINDS = [value for name, value in vars(events).items() if name.isupper()]


def test_an_operator_may_see_all_and_a_party_its_own() -> None:
    Caller("operator", "op").must_be("supplier", "sup_1", "dispatch")
    Caller("supplier", "sup_1").must_be("supplier", "sup_1", "dispatch")


@pytest.mark.parametrize(
    "caller", [Caller("supplier", "sup_2"), Caller("leader", "sup_1"), Caller("customer", "sup_1")]
)
def test_anothers_thing_is_not_there(caller: Caller) -> None:
    with pytest.raises(NotFound, match="There is no such dispatch"):
        caller.must_be("supplier", "sup_1", "dispatch")


def test_an_event_is_what_happened_to_whom() -> None:
    assert Event("order.paid", "ord_1").id == Event("order.paid", "ord_1", {"n": 1}).id
    assert Event("order.paid", "ord_1").id != Event("order.paid", "ord_2").id
    assert Event("order.paid", "ord_1").id != Event("order.refunded", "ord_1").id


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_event_has_a_receiver(kind: str) -> None:
    assert queues.RECEIVERS[kind]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.Malformed, 400),
        (errors.Unauthenticated, 401),
        (errors.Forbidden, 403),
        (errors.NotFound, 404),
        (errors.Conflict, 409),
        (errors.Invalid, 422),
        (errors.Busy, 503),
    ],
)
def test_every_error_has_its_status(error: type[errors.TuanError], status: int) -> None:
    problem = problems.problem(error("no", code="some_code"))
    document = json.loads(problem.body)
    assert (problem.status, document["status"]) == (status, status)
    assert (document["code"], document["detail"]) == ("some_code", "no")
    assert problem.headers["Content-Type"] == "application/problem+json"
    assert ("Retry-After" in problem.headers) == (status == 503)
    assert ("errors" in document) == (status == 422)


def test_an_invalid_field_is_named() -> None:
    document = json.loads(problems.problem(Invalid.field("lines.0.sku_id", "is no SKU")).body)
    assert document["errors"] == [{"field": "lines.0.sku_id", "message": "is no SKU"}]
    assert Invalid.field("a", "b").errors == (FieldError("a", "b"),)


def test_a_fault_of_our_own_tells_nothing_of_its_inside() -> None:
    problem = problems.internal()
    assert (problem.status, json.loads(problem.body)["code"]) == (500, "internal_error")
    assert "Traceback" not in problem.body
