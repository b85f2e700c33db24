"""What a supplier answers: which units it ships, which not, and why. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from chalicelib.dispatch.parcels import SkuUnits

Reason = Literal[
    "out_of_stock",
    "discontinued",
    "damaged",
    "recalled",
    "wrong_price",
    "address_not_served",
    "cannot_deliver",
    "other",
]
REASONS: frozenset[Reason] = frozenset(get_args(Reason))


@dataclass(frozen=True)
class Said:
    """Why units are rejected: one of the list, or `other` with the words that were said."""

    code: Reason
    note: str | None = None

    @classmethod
    def of(cls, text: str) -> "Said":
        found = next((each for each in REASONS if each == text), None)
        return cls(found) if found else cls("other", text)

    @property
    def text(self) -> str:
        return self.note or self.code


@dataclass(frozen=True)
class Rejection:
    """Units that the supplier would not ship. `units` is what the call named, or None for all that
    waited; `taken` is what it came to. `at` is an RFC 3339 text."""

    reason_code: Reason
    note: str | None
    at: str
    taken: Mapping[str, int]
    units: Mapping[str, int] | None = None
    # Whether it is the rest of what was accepted.
    by_acceptance: bool = False

    @property
    def lines(self) -> tuple[SkuUnits, ...]:
        return tuple(SkuUnits(sku_id, quantity) for sku_id, quantity in self.taken.items())

    def says(self, said: Said, units: Mapping[str, int] | None) -> bool:
        same = (self.reason_code, self.note) == (said.code, said.note) and self.units == units
        return same and not self.by_acceptance


@dataclass(frozen=True)
class Acceptance:
    """What the supplier said that it ships, and why not the rest where there is one."""

    units: Mapping[str, int]
    reason: str | None = None

    def says(self, said: Said, units: Mapping[str, int] | None) -> bool:
        if units is None:
            return self.reason is None
        return self.units == units and self.reason in (None, said.text)
