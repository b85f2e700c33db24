"""Receipts, refunds and remittances."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.kernel.callers import Caller

PaymentMethod = Literal["card", "leader_collect"]
RefundStatus = Literal["pending", "succeeded", "failed", "unknown"]

LEADER_COLLECT = "leader_collect"
# A refund that is not confirmed by then needs a person (contract, section 6).
CONFIRM_WITHIN = timedelta(hours=48)
# How long after a provider was asked it is asked again, with the same key.
ASK_AGAIN_AFTER = timedelta(minutes=15)


def receipt_id(provider: str, reference: str) -> str:
    """References are unique to their provider."""
    return f"{provider}:{reference}"


@dataclass(frozen=True)
class Receipt:
    """Money that came in, once: `reference` is the provider's own id of it."""

    provider: str
    reference: str
    payment_id: str
    order_id: str | None
    amount: int
    currency: str
    received_at: datetime

    @property
    def id(self) -> str:
        return receipt_id(self.provider, self.reference)


@dataclass(frozen=True)
class Refund:
    """Money that goes back for an order, in its currency's minor unit.

    `receipt` is the receipt it goes back from, `cash_account` the ledger account it leaves.
    """

    id: str
    order_id: str
    leader_id: str
    amount: int
    currency: str
    status: RefundStatus
    method: PaymentMethod
    provider: str
    receipt: str
    cash_account: str
    reason: str
    decided_at: datetime
    completed_at: datetime | None
    version: int
    customer_id: str | None = None

    def is_for(self, caller: Caller) -> bool:
        """Whether the caller is its customer, its leader or an operator."""
        parties = {("customer", self.customer_id), ("leader", self.leader_id)}
        return caller.is_operator or (caller.role, caller.id) in parties

    @property
    def confirm_by(self) -> datetime:
        return self.decided_at + CONFIRM_WITHIN

    def next_look(self, after: datetime) -> datetime:
        """When to look at it next: to ask its provider again, or to call a person."""
        if self.method == LEADER_COLLECT:
            return self.confirm_by
        return min(after + ASK_AGAIN_AFTER, self.confirm_by)

    @property
    def is_done(self) -> bool:
        return self.status == "succeeded"


@dataclass(frozen=True)
class Remittance:
    """Cash that a leader has handed over, once: `reference` is the leader's or its bank's word."""

    id: str
    leader_id: str
    amount: int
    currency: str
    reference: str
    received_at: datetime
