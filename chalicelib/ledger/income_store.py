"""The ledger table: what days that are over have brought of each kind of income."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pynamodb.attributes import JSONAttribute

from chalicelib.ledger.sides import LedgerMeta
from chalicelib.platform import store
from chalicelib.platform.retries import retrying
from chalicelib.platform.table import Row

INCOME = "income"


@dataclass(frozen=True)
class Earned:
    """Postings to the platform's revenue of one kind and currency: how many, and both sides as
    non-negative sums in the minor unit."""

    currency: str
    kind: str
    entries: int
    debits: int
    credits: int

    def __add__(self, other: "Earned") -> "Earned":
        return Earned(
            self.currency,
            self.kind,
            self.entries + other.entries,
            self.debits + other.debits,
            self.credits + other.credits,
        )

    @property
    def balance(self) -> int:
        """As a trial balance has it: debit is positive."""
        return self.debits - self.credits


class EarnedAttribute(JSONAttribute):
    def serialize(self, value: Sequence[Earned]) -> str:
        return json.dumps(
            [[each.currency, each.kind, each.entries, each.debits, each.credits] for each in value]
        )

    def deserialize(self, value: str) -> tuple[Earned, ...]:
        return tuple(Earned(*each) for each in json.loads(value))


class IncomeRow(Row):
    """One business date."""

    Meta = LedgerMeta

    earned = EarnedAttribute()


def kept(first: date, last: date) -> dict[date, tuple[Earned, ...]]:
    """Those of these days that are kept."""
    days = IncomeRow.sk.between(str(first), str(last))
    rows = store.query(IncomeRow, INCOME, where=days)
    return {date.fromisoformat(row.sk): row.earned for row in rows}


def keep(day: date, earned: Sequence[Earned]) -> None:
    """Keep what nothing can change any more; whoever keeps it again keeps the same."""
    retrying(IncomeRow(INCOME, str(day), earned=earned).save)
