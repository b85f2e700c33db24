"""Values of an event: its provider has signed them, and they are judged all the same."""

from typing import Any


def text(value: Any) -> str:
    """Raises ValueError where it is not a short text."""
    if not isinstance(value, str) or not 0 < len(value) <= 255 or not value.isprintable():
        raise ValueError("expected a short text")
    return value


def positive(value: Any) -> int:
    """Raises ValueError where it is not a positive whole amount."""
    if type(value) is not int or value <= 0:
        raise ValueError("expected a positive whole amount")
    return value
