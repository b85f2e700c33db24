"""An Idempotency-Key's fingerprint, whose key it is, and how long it lives."""

import json
import zlib
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Invalid
from chalicelib.platform.idempotency import (
    AlreadyAnswered,
    Answer,
    IdempotencyRow,
    IdempotentRequest,
    fingerprint,
)
from tests.support.made import NOW

ALICE = Caller("customer", "cus_alice")
SCALARS = st.none() | st.booleans() | st.integers() | st.text()
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=15
)


def mark(body: Any, method: str = "POST", path: str = "/v1/orders") -> str:
    return fingerprint(method, path, body)


@given(JSON)
def test_white_space_and_the_order_of_fields_do_not_matter(body: Any) -> None:
    assert mark(json.loads(json.dumps(reversed_fields(body), indent=3))) == mark(body)


@given(JSON, JSON)
def test_another_body_is_another_request(one: Any, other: Any) -> None:
    same = json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (mark(one) == mark(other)) == same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"quantity": 1}, {"quantity": "1"}),
        ({"quantity": 1}, {"quantity": True}),
        ({"note": None}, {}),
        ({"lines": [1, 2]}, {"lines": [2, 1]}),
        ({}, None),
        ({"note": ""}, {"note": " "}),
        ({"note": "é"}, {"note": "e\u0301"}),
    ],
)
def test_bodies_that_look_alike_are_told_apart(one: Any, other: Any) -> None:
    assert mark(one) != mark(other)


def test_another_path_or_method_is_another_request() -> None:
    marks = {
        mark({}, "POST", "/v1/refunds/rfd_1/confirm"),
        mark({}, "POST", "/v1/refunds/rfd_2/confirm"),
        mark({}, "PUT", "/v1/refunds/rfd_1/confirm"),
    }
    assert len(marks) == 3


def test_half_a_character_has_a_fingerprint_too() -> None:
    assert mark({"note": "\ud83e"}) != mark({"note": "\ud83f"})


@pytest.mark.parametrize(
    ("caller", "key"),
    [
        (Caller("customer", "cus_bob"), "key-1"),
        (Caller("leader", "cus_alice"), "key-1"),
        (Caller("customer", "cus_alice"), "key-2"),
    ],
)
def test_a_key_belongs_to_one_caller(caller: Caller, key: str) -> None:
    assert a_request(caller, key).key.pk != a_request().key.pk
    assert a_request().key == a_request().key


def test_a_key_lies_in_the_table_without_telling_what_it_is() -> None:
    assert "key-1" not in a_request().key.pk
    assert "cus_alice" not in a_request().key.pk


def test_a_repeat_is_given_the_first_answer() -> None:
    with pytest.raises(AlreadyAnswered) as repeat:
        a_request().judge(recorded())
    assert repeat.value.answer == Answer(201, '{"id":"ord_1"}')


def test_a_key_that_was_never_used_is_free() -> None:
    a_request().judge(None)


def test_a_key_of_another_request_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        a_request(body={"quantity": 2}).judge(recorded())
    assert refused.value.code == "idempotency_key_reused"


@pytest.mark.parametrize("age", [timedelta(0), timedelta(hours=24), timedelta(hours=47)])
def test_a_key_lives_for_a_day_at_least(age: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    row = recorded()
    monkeypatch.setattr(clock, "now", lambda: NOW + age)
    with pytest.raises(AlreadyAnswered):
        a_request().judge(row)


def test_a_key_that_has_expired_is_free_even_while_its_record_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = recorded()
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(days=30))
    a_request().judge(row)


def test_what_is_recorded_is_what_a_repeat_is_given() -> None:
    row: Any = a_request().record("ord_1")
    assert zlib.decompress(row.row.body) == b'{"id":"ord_1"}'
    with pytest.raises(AlreadyAnswered):
        a_request().judge(row.row)


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: NOW)
    monkeypatch.setenv("IDEMPOTENCY_TABLE", "idempotency")


def recorded() -> IdempotencyRow:
    row: Any = a_request().record("ord_1")
    found: IdempotencyRow = row.row
    return found


def a_request(caller: Caller = ALICE, key: str = "key-1", body: Any = None) -> IdempotentRequest:
    return IdempotentRequest(
        caller, key, mark(body or {"quantity": 1}), lambda made: Answer(201, f'{{"id":"{made}"}}')
    )


def reversed_fields(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: reversed_fields(value[name]) for name in reversed(value)}
    return [reversed_fields(each) for each in value] if isinstance(value, list) else value
