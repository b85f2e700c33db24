"""The one place where errors become RFC 9457 problem documents (contract, section 1)."""

import json
from dataclasses import dataclass

from chalicelib.kernel import errors

STATUS: dict[type[errors.TuanError], int] = {
    errors.Malformed: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.TooLarge: 413,
    errors.Invalid: 422,
    errors.Busy: 503,
}

TITLES = {
    400: "Malformed request",
    401: "Credentials needed",
    403: "Not allowed",
    404: "Not found",
    409: "Conflict",
    412: "Precondition failed",
    413: "Body too large",
    422: "Invalid request",
    500: "Internal error",
    503: "Busy",
}

RETRY_AFTER_SECONDS = 1
CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Problem:
    """A problem document's status, headers and JSON text."""

    status: int
    headers: dict[str, str]
    body: str


def problem(error: errors.TuanError) -> Problem:
    status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
    return _problem(status, error.code, error.detail, error.errors)


def internal() -> Problem:
    """What a caller is told when Tuan itself is at fault: nothing about its insides."""
    return _problem(
        500, "internal_error", "Something went wrong here. It has been recorded; try again later."
    )


def _problem(
    status: int, code: str, detail: str, fields: tuple[errors.FieldError, ...] = ()
) -> Problem:
    document = {
        "type": f"urn:tuan:problem:{code}",
        "title": TITLES[status],
        "status": status,
        "detail": detail,
        "code": code,
    }
    if fields or status == STATUS[errors.Invalid]:
        document["errors"] = [{"field": each.field, "message": each.message} for each in fields]
    headers = {"Content-Type": CONTENT_TYPE}
    if status == STATUS[errors.Busy]:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return Problem(status, headers, json.dumps(document, ensure_ascii=False))
