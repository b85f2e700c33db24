"""Prints a token for the local stack: `python -m infra.local.token ROLE SUB`."""

import re
import sys

from infra.failures import Fixable, exit_code_of
from infra.local.credentials import token
from infra.local.stack import running

# What the authorizer takes for a subject, and what a shell passes on unchanged.
NAME = r"[\w.@:-]{1,128}"
SUBJECTS = {
    "operator": (NAME, "any name, as in `make token ROLE=operator SUB=me`"),
    "leader": (
        r"ldr_\w+",
        "the leader's id, as in `make token ROLE=leader SUB=ldr_...` (an operator's "
        "GET /v1/leaders lists them)",
    ),
    "customer": (
        NAME,
        "the customer's id, which you choose, as in `make token ROLE=customer SUB=alice`",
    ),
}


def main() -> None:
    role, sub = [*sys.argv[1:], "", ""][:2]
    check(role, sub)
    print(token(role, sub, port=running().port))


def check(role: str, sub: str) -> None:
    """Raises Fixable unless the API will know whom such a token names."""
    if role not in SUBJECTS:
        raise Fixable(f"ROLE is one of {', '.join(SUBJECTS)}, not {role!r}")
    pattern, words = SUBJECTS[role]
    if not re.fullmatch(pattern, sub, re.ASCII):
        given = f", not {sub!r}" if sub else ""
        raise Fixable(f"SUB is {words}{given}")


if __name__ == "__main__":
    sys.exit(exit_code_of(main))
