"""Records as JSON text in a row, and back."""

from dataclasses import FrozenInstanceError, dataclass
from datetime import date
from typing import Any, NamedTuple

import pytest

from chalicelib.platform.table import RecordAttribute, RecordsAttribute


class Named(NamedTuple):
    name: str
    amount: int


@dataclass(frozen=True)
class Kept:
    amount: int
    name: str = "usual"
    parts: tuple[Any, ...] = ()


KEPT = RecordsAttribute(Kept)


@pytest.mark.parametrize(
    "record",
    [Kept(0), Kept(-(2**63)), Kept(2**63 - 1, "Zoë \u2028"), Kept(1, "", (("a", 1), ("b", 2)))],
    ids=repr,
)
def test_what_is_stored_comes_back(record: Kept) -> None:
    assert KEPT.deserialize(KEPT.serialize([record])) == (record,)


def test_a_named_tuple_comes_back_as_a_tuple() -> None:
    (back,) = KEPT.deserialize(KEPT.serialize([Kept(1, parts=(Named("fee", 3),))]))
    assert back.parts == (("fee", 3),)


def test_usual_values_are_not_stored_and_come_back() -> None:
    assert KEPT.serialize([Kept(5)]) == '[{"amount":5}]'
    assert KEPT.deserialize('[{"amount":5}]') == (Kept(5),)


def test_fields_are_in_their_order() -> None:
    (back,) = KEPT.deserialize('[{"parts":[1],"amount":5}]')
    assert list(vars(back).items()) == [("amount", 5), ("name", "usual"), ("parts", (1,))]


def test_one_record_too() -> None:
    attribute = RecordAttribute(Kept)
    assert attribute.deserialize(attribute.serialize(Kept(7, "other"))) == Kept(7, "other")


def test_what_comes_back_is_frozen_and_has_nothing_in_common_with_another() -> None:
    one, other = KEPT.deserialize('[{"amount":1},{"amount":2}]')
    with pytest.raises(FrozenInstanceError):
        one.amount = 3  # type: ignore[misc]
    assert (one.amount, other.amount) == (1, 2)
    assert hash(one) == hash(Kept(1))


@pytest.mark.parametrize("stored", ['[{"name":"x"}]', '[{"amount":1,"gone":2}]'])
def test_a_field_that_is_missing_or_unknown_is_told(stored: str) -> None:
    with pytest.raises(TypeError, match=r"amount|gone"):
        KEPT.deserialize(stored)


@pytest.mark.parametrize("value", [2**64, date(2026, 3, 1), Kept(1), {1}], ids=repr)
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        KEPT.serialize([Kept(1, parts=(Named("x", 1), value))])
