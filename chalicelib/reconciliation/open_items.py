"""Money that stands in an account until a person knows whose it is, and how it is cleared. Pure.

Amounts are integers in the currency's minor unit; an item's own are as the books have them, a
credit below zero.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from chalicelib.cases.rules import CaseKind
from chalicelib.ledger.rules import Entry
from chalicelib.ledger.waiting import left_by

# Where it goes: back to who has paid it or from who has it, to the platform as its income or its
# owners' own, to what a leader or supplier has handed over, or against another item of the other
# side.
Goes = Literal["payer", "income", "capital", "remittance", "deposit", "item"]
FOUND_AFTER_ALL: CaseKind = "found_after_clearing"
# The case that tells of an item, by the beginning of its entry's id.
CASES: dict[str, CaseKind] = {
    "receipt": "unmatched_receipt",
    "reconciled-undone": FOUND_AFTER_ALL,
}


@dataclass(frozen=True)
class Clearing:
    """Some of an item, or all of it, that has gone to where it belongs, once by its reference.
    `about` is whom or what it is of: a cash account, a leader, a supplier, the other item's entry.
    `posted` is the entry that moved it; empty where two items of one account make each other up."""

    id: str
    entry_id: str
    amount: int
    goes: Goes
    about: str
    reference: str
    cleared_at: datetime
    cleared_by: str
    posted: str = ""

    @property
    def mirrored(self) -> "Clearing":
        """The same as the other item has it, where that is what it goes against."""
        return replace(self, entry_id=self.about, about=self.entry_id)


@dataclass(frozen=True)
class Item:
    """What an entry has left in an account, and how much of it is cleared."""

    entry: Entry
    account: str
    amount: int
    cleared: int

    @property
    def uncleared(self) -> int:
        """How much is left of it, whichever its side."""
        return abs(self.amount) - self.cleared

    @property
    def left(self) -> int:
        return self.signed(self.uncleared)

    def signed(self, amount: int) -> int:
        """So much on the item's own side."""
        return amount if self.amount > 0 else -amount

    @property
    def is_owed(self) -> bool:
        """Whether it is money that is there and somebody's, and not money that is missing."""
        return self.amount < 0

    @property
    def case(self) -> tuple[CaseKind, str] | None:
        """The kind and subject of the case that is over once nothing is left."""
        kind, _, about = self.entry.id.partition(":")
        case = CASES.get(kind)
        if case is None:
            return None
        return case, self.entry.id if case == FOUND_AFTER_ALL else about


def item_of(entry: Entry, cleared: int) -> Item | None:
    """None where the entry leaves nothing that waits."""
    left = left_by(entry)
    return Item(entry, left.account, left.amount, cleared) if left else None
