"""What suppliers transfer to the platform for what they owe. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True)
class SupplierRemittance:
    """A transfer, once by its reference; `fees` of it pay what the supplier owes in fees, `payable`
    what it was paid and should not have been. One that was booked by mistake is reversed, once."""

    id: str
    supplier_id: str
    amount: int
    fees: int
    payable: int
    currency: str
    reference: str
    received_at: datetime
    booked_by: str
    reversed_at: datetime | None = None
    reversal_reason: str | None = None
    reversed_by: str | None = None

    @property
    def entry_id(self) -> str:
        return f"supplier-remittance:{self.id}"

    @property
    def reversal_id(self) -> str:
        return f"supplier-remittance-reversed:{self.id}"

    def reversed(self, reason: str, by: str, now: datetime) -> "SupplierRemittance":
        return replace(self, reversed_at=now, reversal_reason=reason, reversed_by=by)


@dataclass(frozen=True)
class Debt:
    """What a supplier owes, in its currency's minor unit: in fees, and of what it was paid."""

    fees: int
    payable: int

    @classmethod
    def of(cls, owed: int, payable: int) -> "Debt":
        """By its balances, of which a debit is positive."""
        return cls(max(0, owed), max(0, payable))

    @property
    def whole(self) -> int:
        return self.fees + self.payable

    def paid_by(self, amount: int) -> tuple[int, int]:
        """Of an amount that is not more than the whole: what pays fees, which come first, and what
        pays the rest."""
        fees = min(amount, self.fees)
        return fees, amount - fees
