"""When what was read in several steps can be believed.

Orders go on while an audit looks. What is wrong counts only where it stood still meanwhile: its
version, or its balances, are the same before and after.
"""

from collections.abc import Callable, Iterable
from typing import Any

from chalicelib.ledger.checks import Finding
from chalicelib.platform.log import logger, metric

LOOKS = 5


def found_at_rest(
    read: Callable[[], tuple[Any, Iterable[Finding]]], version: Callable[[], Any]
) -> list[Finding]:
    """What is wrong, where nothing has changed while it was read."""
    for _ in range(LOOKS):
        before, findings = read()
        found = list(findings)
        if not found or version() == before:
            return found
    tell_unchecked(1)
    return []


def tell_unchecked(things: int) -> None:
    """They changed too quickly to stand still once; the next audit looks again."""
    if things:
        metric("AuditUnchecked", things)
        logger.info("changed too quickly to be checked", things=things)
