"""What a supplier is paid for what it sells, and what it pays the platform. Pure.

Amounts are in the supplier's currency's minor unit, days are business dates.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from chalicelib.kernel.money import at_rate, part

SettlementBasis = Literal["cost", "revenue_share"]
RefundBearer = Literal["supplier", "platform"]


@dataclass(frozen=True)
class Waiver:
    """A window in which no fee falls due; both its days are in it."""

    first: str
    last: str

    def covers(self, day: date) -> bool:
        return self.first <= day.isoformat() <= self.last


@dataclass(frozen=True)
class PaidBy:
    """By what a supplier's part of an order line is worked out: its cost, or what the line brings
    without the platform's fee. `version` is that of the terms which say so."""

    basis: SettlementBasis = "cost"
    fee_bps: int = 0
    version: int = 0

    def cost_of(self, brought: int, agreed: int) -> int:
        """The supplier's part of a line that brought so much and whose cost was agreed."""
        if self.basis == "cost":
            return agreed
        shared = max(0, brought)
        return shared - at_rate(shared, self.fee_bps)

    def unit_cost_of(self, cost: int, units: int, agreed: int) -> int:
        """What one of the line's units costs; of a share that informs, as a unit's price does."""
        return agreed if self.basis == "cost" else part(cost, 1, units)


@dataclass(frozen=True)
class SettlementTerms:
    """Version 0 are those of a supplier for which none were set.

    `fees_since` is the day on which its terms first asked for a fee: its fee years begin on that
    day of each year.
    """

    supplier_id: str
    version: int = 0
    basis: SettlementBasis = "cost"
    fee_bps: int = 0
    annual_fee: int | None = None
    community_fee: int | None = None
    waivers: tuple[Waiver, ...] = ()
    deposit: int | None = None
    fine_cap: int | None = None
    refund_bearer: RefundBearer = "supplier"
    fees_since: str | None = None
    set_at: datetime | None = None
    set_by: str | None = None

    def is_waived_on(self, day: date) -> bool:
        return any(each.covers(day) for each in self.waivers)

    def paid_by(self, day: date) -> PaidBy:
        """What a line that is placed on a day freezes."""
        fee_bps = 0 if self.is_waived_on(day) else self.fee_bps
        return PaidBy(self.basis, fee_bps, self.version)

    def fee_year(self, day: date) -> date | None:
        """When the fee year that a day is in began; None before any fee was asked for."""
        return max(self.fee_years(day), default=None)

    def fee_years(self, through: date) -> Iterator[date]:
        """The beginning of each fee year that had begun by a day."""
        if self.fees_since is None:
            return
        since = date.fromisoformat(self.fees_since)
        for year in range(since.year, through.year + 1):
            if (begins := _in_year(since, year)) <= through:
                yield begins

    def following(
        self, before: "SettlementTerms", now: datetime, today: date, by: str
    ) -> "SettlementTerms":
        """These as the version after `before`."""
        asks = self.annual_fee is not None or self.community_fee is not None
        return replace(
            self,
            version=before.version + 1,
            fees_since=before.fees_since or (today.isoformat() if asks else None),
            set_at=now,
            set_by=by,
        )

    def says_the_same(self, other: "SettlementTerms") -> bool:
        """Whether they differ in nothing but when they were set, and by whom."""
        same = replace(
            self,
            version=other.version,
            fees_since=other.fees_since,
            set_at=other.set_at,
            set_by=other.set_by,
        )
        return same == other


def _in_year(day: date, year: int) -> date:
    """The same day of another year; of the last of February in one without it the day before."""
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)
