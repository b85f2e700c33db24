"""What is wrong with a request, in words that follow the name of the field.

Nothing here repeats what was sent: it may be personal. Loaded by the first request that needs it.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from chalicelib.kernel.errors import FieldError
from chalicelib.platform.schema import PATTERNS, field_path

_INSTANT = "is not an instant with its offset from UTC such as 2026-03-01T09:30:00Z"
_WHOLE = "must be a whole number, not a decimal or text"
_OBJECT = "must be an object"
# By pydantic's type of error; in braces the limits that it names. Other types keep its own words.
WORDS = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "datetime_from_date_parsing": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_type": _INSTANT,
    "dict_type": _OBJECT,
    "extra_forbidden": "is not a field of this request",
    "finite_number": "must be a finite number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "greater_than": "must be more than {gt:.15g}",
    "greater_than_equal": "must be at least {ge:.15g}",
    "int_from_float": _WHOLE,
    "int_parsing": "must be a whole number",
    "int_parsing_size": "has too many digits",
    "int_type": _WHOLE,
    "less_than": "must be less than {lt:.15g}",
    "less_than_equal": "must be at most {le:.15g}",
    "list_type": "must be a list",
    "literal_error": "must be {expected}",
    "missing": "is required",
    "model_attributes_type": _OBJECT,
    "model_type": _OBJECT,
    "string_too_long": "must have at most {max_length} character{s}",
    "string_too_short": "must have at least {min_length} character{s}",
    "string_type": "must be text",
    "string_unicode": "must be text in UTF-8",
    "timezone_aware": _INSTANT,
    "too_long": "must have at most {max_length} item{s}",
    "too_short": "must have at least {min_length} item{s}",
}


def complaints(error: ValidationError) -> Iterator[FieldError]:
    """Each field that is wrong, as often as something is wrong with it."""
    for each in error.errors(include_url=False, include_input=False):
        yield FieldError(field_path(each["loc"]), _words(each))


def _words(found: Any) -> str:
    limits = found.get("ctx", {})
    if (wanted := PATTERNS.get(limits.get("pattern"))) is not None:
        return f"is not {wanted}"
    if (words := WORDS.get(found["type"])) is None:
        return str(found["msg"]).removeprefix("Value error, ")
    one = 1 in (limits.get("min_length"), limits.get("max_length"))
    return words.format(**limits, s="" if one else "s")


def position(error: Exception, raw: bytes) -> str:
    """Where text stops being JSON in UTF-8, as ` at line 1, column 2`; empty if nobody can tell."""
    if isinstance(error, json.JSONDecodeError):
        return _at(error.lineno, error.colno)
    if isinstance(error, UnicodeDecodeError):
        before = raw[: error.start]
        return _at(before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
    found = re.search(r" at line (\d+) column (\d+)$", _reason(error))
    return _at(int(found[1]), int(found[2])) if found else ""


def _reason(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return ""
    said = error.errors(include_url=False, include_input=False)[0]
    return str(said.get("ctx", {}).get("error", ""))


def _at(line: int, column: int) -> str:
    return f" at line {line}, column {column}"
