"""What can go wrong, in words for people.

A domain raises these and never thinks of HTTP; `platform.problems` is the one place that turns
each kind into a status. `code` is stable and listed in the OpenAPI document.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field; `field` is a dotted path such as `lines.0.sku_id`."""

    field: str
    message: str


class TuanError(Exception):
    """An error that the caller is told about; `errors` name the fields it is of, where it is."""

    default_code = "error"

    def __init__(
        self, detail: str, *, code: str | None = None, errors: tuple[FieldError, ...] = ()
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.default_code
        self.errors = errors


class Malformed(TuanError):
    """The request cannot be read."""

    default_code = "malformed_request"


class Unauthenticated(TuanError):
    """No credentials, or bad ones."""

    default_code = "unauthenticated"


class Forbidden(TuanError):
    """The caller's role may not do this."""

    default_code = "forbidden"


class NotFound(TuanError):
    """Absent, or another party's: the caller cannot tell which."""

    default_code = "not_found"


class Conflict(TuanError):
    """The request is sound but the state of things refuses it."""

    default_code = "conflict"


class PreconditionFailed(TuanError):
    """`If-Match` named a version that is no longer the current one."""

    default_code = "precondition_failed"


class TooLarge(TuanError):
    """The body is larger than a request may be."""

    default_code = "body_too_large"


class Invalid(TuanError):
    """The request reads well but a field of it is wrong."""

    default_code = "invalid_request"

    @classmethod
    def field(cls, field: str, message: str, *, code: str | None = None) -> "Invalid":
        return cls(f"{field}: {message}", code=code, errors=(FieldError(field, message),))


class Busy(TuanError):
    """The store is pressed; the same request may succeed in a moment."""

    default_code = "busy"


class Overtaken(Exception):
    """Another writer came first, so whatever else was made of the reading says nothing."""


class Stale(Overtaken):
    """What was read has changed meanwhile. Never shown: the use case runs again."""
