"""Attribute values as DynamoDB keeps them: numbers in one spelling, sets in one order, and sizes.

A value is botocore's own shape, such as `{"S": "text"}` or `{"N": "12"}`.
Source: Amazon DynamoDB Developer Guide, "Supported data types" and "Item sizes and formats".
"""

from collections.abc import Callable
from decimal import Context, Decimal
from functools import lru_cache
from typing import Any

from tests.support.memory.errors import Refused, Unfit

Value = dict[str, Any]
Item = dict[str, Value]

DIGITS = 38
LARGEST = Decimal("9.9999999999999999999999999999999999999E+125")
SMALLEST = Decimal("1E-130")
OVERHEAD_BYTES = 3
# Room for every digit between the largest and the smallest number there is.
EXACTLY = Context(prec=300)


def known_item(item: Item) -> tuple[Item, int]:
    """The item as it is kept, and its size in bytes."""
    known, size = {}, 0
    for name, value in item.items():
        known[name], bytes_ = known_value(value)
        size += _name_size(name) + bytes_
    return known, size


def known_value(value: Value) -> tuple[Value, int]:
    """The value as it is kept, and its size in bytes. Raises Unfit."""
    if len(value) != 1:
        raise Unfit("Supplied AttributeValue has more than one datatypes set, or none")
    ((kind, content),) = value.items()
    # Most are such, and need nothing done.
    if kind == "S":
        return value, _text_size(content)
    if kind == "N" and type(content) is str and _is_plain(content):
        return value, len(content) // 2 + 2
    try:
        known, size = _KINDS[kind](content)
    except KeyError:
        raise Unfit(f"Supplied AttributeValue has an unknown datatype: {kind}") from None
    return {kind: known}, size


def number(text: str) -> int | Decimal:
    """The number that a kept text stands for, exactly."""
    return Decimal(text) if "." in text or "E" in text else int(text)


def spelt(value: int | Decimal) -> str:
    """A number as DynamoDB writes it. Raises Unfit where it has too many digits or is too large."""
    if isinstance(value, int):
        text = str(value)
        if len(text) <= DIGITS:
            return text
        value = Decimal(value)
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    significant = "".join(map(str, digits)).lstrip("0").rstrip("0")
    if not significant:
        return "0"
    if len(significant) > DIGITS:
        raise Unfit(f"Attempting to store more than {DIGITS} significant digits in a Number")
    if value.copy_abs() > LARGEST:
        raise Unfit(
            "Number overflow. Attempting to store a number with magnitude larger than supported"
        )
    if value.copy_abs() < SMALLEST:
        raise Unfit(
            "Number underflow. Attempting to store a number with magnitude smaller than supported"
        )
    exact = Decimal((sign, tuple(map(int, significant)), exponent + _zeros_behind(digits)))
    return f"{exact:f}"


def total(left: str, right: str, sign: int = 1) -> str:
    """The sum of two kept numbers, or with the sign -1 their difference."""
    one, other = number(left), number(right)
    if isinstance(one, int) and isinstance(other, int):
        return spelt(one + sign * other)
    return spelt(EXACTLY.add(Decimal(one), EXACTLY.multiply(Decimal(other), sign)))


def _zeros_behind(digits: tuple[int, ...]) -> int:
    return len(digits) - len("".join(map(str, digits)).rstrip("0"))


def _number(text: Any) -> tuple[str, int]:
    if type(text) is not str:
        raise Refused("SerializationException", "NUMBER_VALUE cannot be converted to String")
    if not _is_plain(text):
        text = spelt(_parsed(text))
    digits = len(text.strip("-0.").replace(".", ""))
    return text, digits // 2 + 2


def _is_plain(text: str) -> bool:
    """Whether it is a number in the one spelling that whole positive ones have."""
    return text.isdigit() and text.isascii() and text[0] != "0" and len(text) < DIGITS


def _parsed(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except ArithmeticError:
        value = Decimal("NaN")
    if not value.is_finite():
        raise Unfit(f"The parameter cannot be converted to a numeric value: {text}")
    return value


def _text_size(text: Any) -> int:
    if type(text) is not str:
        raise Refused("SerializationException", f"{type(text).__name__} is not a String")
    if text.isascii():
        return len(text)
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        raise Refused("SerializationException", "The text is no Unicode") from None


_name_size = lru_cache(maxsize=10_000)(_text_size)


def _bytes(content: Any) -> tuple[bytes, int]:
    known = bytes(content)
    return known, len(known)


def _flag(content: Any) -> tuple[bool, int]:
    if type(content) is not bool:
        raise Refused("SerializationException", f"{type(content).__name__} is not a Boolean")
    return content, 1


def _list(content: Any) -> tuple[list[Value], int]:
    known = [known_value(each) for each in content]
    return [each for each, _ in known], OVERHEAD_BYTES + sum(1 + size for _, size in known)


def _map(content: Any) -> tuple[Item, int]:
    known, size = known_item(content)
    return known, OVERHEAD_BYTES + size + len(known)


def _set_of(known: Callable[[Any], tuple[Any, int]]) -> Callable[[Any], tuple[list[Any], int]]:
    def read(content: Any) -> tuple[list[Any], int]:
        members = [known(each) for each in content]
        if not members:
            raise Unfit("One or more parameter values were invalid: A set may not be empty")
        found = {each for each, _ in members}
        if len(found) < len(members):
            raise Unfit(
                "One or more parameter values were invalid: Input collection has duplicates"
            )
        return sorted(found), sum(size for _, size in members)

    return read


def _text(content: Any) -> tuple[str, int]:
    return content, _text_size(content)


_KINDS: dict[str, Callable[[Any], tuple[Any, int]]] = {
    "S": _text,
    "N": _number,
    "B": _bytes,
    "BOOL": _flag,
    "NULL": _flag,
    "L": _list,
    "M": _map,
    "SS": _set_of(_text),
    "NS": _set_of(_number),
    "BS": _set_of(_bytes),
}
