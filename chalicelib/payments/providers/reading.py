"""Values of an event: its provider has signed them, and they are judged all the same."""

from typing import Any

from chalicelib.kernel.currencies import is_currency

# Far above any order, and far below what a number in DynamoDB holds.
MAX_AMOUNT = 10**15


def text(value: Any) -> str:
    """Raises ValueError where it is not a short text."""
    if not isinstance(value, str) or not 0 < len(value) <= 255 or not value.isprintable():
        raise ValueError("expected a short text")
    return value


def positive(value: Any) -> int:
    """Raises ValueError where it is not a positive whole amount."""
    if type(value) is not int or not 0 < value <= MAX_AMOUNT:
        raise ValueError("expected a positive whole amount")
    return value


def not_negative(value: Any) -> int:
    """Raises ValueError where it is not a whole amount, or is below zero."""
    return 0 if type(value) is int and value == 0 else positive(value)


def currency(value: Any) -> str:
    """Raises ValueError where it is not an ISO 4217 code."""
    if not isinstance(value, str) or not is_currency(value):
        raise ValueError("expected an ISO 4217 currency")
    return value
