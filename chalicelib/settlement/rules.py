"""Commission, and what a settlement run takes of it (contract, sections 4 and 6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from chalicelib.kernel.money import BASIS_POINTS, at_rate

RunStatus = Literal["running", "completed", "failed"]
LineKind = Literal["commission", "spread", "clawback", "held"]


def commission(basis: str, net_of_tax: int, cost: int, rate_bps: int) -> int:
    """A line's commission: its rate of the net, or of what the net leaves over the cost."""
    return at_rate(commission_base(basis, net_of_tax, cost), rate_bps)


def commission_base(basis: str, net_of_tax: int, cost: int) -> int:
    """What commission is a part of, never below zero. A discount may take more than the offer's
    own price where a leader asks more: its spread is not touched by it."""
    return max(0, net_of_tax if basis == "sales" else net_of_tax - cost)


@dataclass(frozen=True)
class EarnedLine:
    """One line of a statement: where an amount comes from. `matured_on` is a business date."""

    order_id: str
    sku_id: str
    kind: LineKind
    basis: str
    basis_amount: int
    rate_bps: int
    amount: int
    matured_on: str
    # As what the leader earns it, and by which rule of which plan: `share_bps` of the rate.
    role: str = "promoter"
    share_bps: int = BASIS_POINTS
    plan_id: str = ""
    plan_version: int = 0
    rule: str = ""
    # What it may earn under the rule on one day of delivery.
    day_cap: int | None = None


@dataclass(frozen=True)
class Earnings:
    """Where a leader stands: what open orders will bring, and how far runs have taken.

    Every change to what a coming run will take raises `version`, so a run that has read an
    older one cannot commit.
    """

    leader_id: str
    estimated: int = 0
    settled_through: str = ""
    closing_balance: int = 0
    version: int = 0

    def bucket_for(self, matured_on: date) -> str:
        """The day under which an amount waits: when it matures, or the first not yet taken."""
        return max(matured_on.isoformat(), self.first_open_bucket)

    @property
    def first_open_bucket(self) -> str:
        """The day that every coming run takes; what is clawed back waits under it."""
        if not self.settled_through:
            return ""
        return (date.fromisoformat(self.settled_through) + timedelta(days=1)).isoformat()

    def has_taken(self, bucket: str) -> bool:
        return bucket <= self.settled_through


@dataclass(frozen=True)
class Statement:
    """What one run made available to a leader. Its lines lie in the days it took."""

    leader_id: str
    run_id: str
    business_date: str
    currency: str
    after_day: str
    opening_balance: int
    total: int
    closing_balance: int
    made_at: datetime


@dataclass(frozen=True)
class StatementWhole(Statement):
    """A statement with the lines that its total is the sum of."""

    lines: Sequence[EarnedLine]


@dataclass(frozen=True)
class Total:
    currency: str
    amount: int


@dataclass(frozen=True)
class Run:
    """One night's settlement. Totals are fixed when it completes."""

    id: str
    business_date: str
    status: RunStatus
    leaders_total: int
    leaders_settled: int
    totals: tuple[Total, ...]
    started_at: datetime
    completed_at: datetime | None
    listed: bool
    version: int
    # When an operator last went on with it after it had failed.
    resumed_at: datetime | None = None


def run_id(business_date: str) -> str:
    return f"run_{business_date}"
