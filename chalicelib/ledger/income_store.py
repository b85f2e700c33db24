"""The ledger table: what days that are over have brought of each kind of income."""

from dataclasses import dataclass
from datetime import date

from chalicelib.ledger.sides import LedgerMeta
from chalicelib.ledger.trade import Traded
from chalicelib.platform import store
from chalicelib.platform.retries import retrying
from chalicelib.platform.table import RecordsAttribute, Row

INCOME = "brought"


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
    def key(self) -> tuple[str, str]:
        return self.currency, self.kind

    @property
    def balance(self) -> int:
        """As a trial balance has it: debit is positive."""
        return self.debits - self.credits


@dataclass(frozen=True)
class Brought:
    """What some entries have brought, by kind of income and by part of the trade."""

    earned: tuple[Earned, ...]
    traded: tuple[Traded, ...]


class IncomeRow(Row):
    """One business date."""

    Meta = LedgerMeta

    earned = RecordsAttribute(Earned)
    traded = RecordsAttribute(Traded)


def kept(first: date, last: date) -> dict[date, Brought]:
    """Those of these days that are kept."""
    days = IncomeRow.sk.between(str(first), str(last))
    rows = store.query(IncomeRow, INCOME, where=days)
    return {date.fromisoformat(row.sk): Brought(row.earned, row.traded) for row in rows}


def keep(day: date, brought: Brought) -> None:
    """Keep what nothing can change any more; whoever keeps it again keeps the same."""
    row = IncomeRow(INCOME, str(day), earned=brought.earned, traded=brought.traded)
    retrying(row.save)
