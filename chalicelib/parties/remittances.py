"""What a party has transferred to the platform: the same that is told again, or reversed again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Conflict


class Booked(Protocol):
    @property
    def amount(self) -> int: ...

    @property
    def currency(self) -> str: ...

    @property
    def reference(self) -> str: ...

    @property
    def reversed_at(self) -> datetime | None: ...

    @property
    def reversal_reason(self) -> str | None: ...


B = TypeVar("B", bound=Booked)


@dataclass(frozen=True)
class Remitted(Generic[B]):
    """A remittance, and whether it was booked just now."""

    remittance: B
    is_new: bool


def told_again(before: B, amount: int) -> B:
    """Raises Conflict where its reference stands for another amount, or it was reversed."""
    if before.reversed_at:
        raise Conflict(
            f"The remittance of the reference {before.reference} was reversed; book what has "
            "really come under a reference that tells it from that one.",
            code="remittance_reversed",
        )
    if before.amount != amount:
        raise Conflict(
            f"The reference {before.reference} stands for a remittance of "
            f"{written(before.amount, before.currency)} already.",
            code="reference_reused",
        )
    return before


def reversed_again(before: B, reason: str) -> B:
    """Raises Conflict where it was reversed for another reason."""
    if before.reversal_reason != reason:
        raise Conflict(
            "The remittance was reversed before, for another reason.", code="already_reversed"
        )
    return before
