"""Receipts, refunds and remittances."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.kernel import ids
from chalicelib.kernel.callers import Caller

PaymentMethod = Literal["card", "leader_collect"]
RefundStatus = Literal["pending", "succeeded", "failed", "unknown"]
# Whose money a person hands back: cash that the leader has, or the platform's at its bank.
PaidFrom = Literal["leader", "bank"]
# Why money goes back. What was not shipped has brought no commission yet.
RefundCause = Literal[
    "other",
    "changed_mind",
    "damaged",
    "wrong_item",
    "missing",
    "late",
    "goodwill",
    "after_sales",
    "dispute",
    "given_up",
    "chargeback",
    "not_shipped",
]
# Who pays the commission of what is refunded: whom it was credited to, or somebody else for it.
Bearer = Literal["leader", "supplier", "platform"]

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
    `attempt` is the one that its provider is asked for, or by which it is done; a new one begins
    only when the former has failed. `paid_from` is set once a person has handed the money back.
    `kept` is the commission that leaders keep of it, since `bearer` pays it for them.
    `delivered_net` is what it takes of the nets of what was delivered.
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
    attempt: int = 1
    retried_at: datetime | None = None
    paid_from: PaidFrom | None = None
    customer_id: str | None = None
    cause: RefundCause = "other"
    bearer: Bearer = "leader"
    kept: int = 0
    delivered_net: int = 0

    @property
    def asked_at(self) -> datetime:
        """Since when its present attempt is under way."""
        return self.retried_at or self.decided_at

    def is_for(self, caller: Caller) -> bool:
        """Whether the caller is its customer, its leader or an operator."""
        parties = {("customer", self.customer_id), ("leader", self.leader_id)}
        return caller.is_operator or (caller.role, caller.id) in parties

    @property
    def confirm_by(self) -> datetime:
        return self.asked_at + CONFIRM_WITHIN

    def next_look(self, after: datetime) -> datetime:
        """When to look at it next: to ask its provider again, or to call a person."""
        if self.method == LEADER_COLLECT:
            return self.confirm_by
        return min(after + ASK_AGAIN_AFTER, self.confirm_by)

    @property
    def is_done(self) -> bool:
        return self.status == "succeeded"

    @property
    def occurrence(self) -> str:
        """Tells the cases and events of one attempt from those of another."""
        return "" if self.attempt == 1 else f"attempt {self.attempt}"

    def is_news(self, outcome: RefundStatus, attempt: int) -> bool:
        """Whether what is said of an attempt changes the refund: that one has failed, or is in
        doubt, matters only of the present one; money that has arrived matters always. An answer
        that did not come says less than one that did."""
        if self.is_done or (self.status, self.attempt) == (outcome, attempt):
            return False
        if (self.status, outcome) == ("failed", "unknown"):
            return False
        return outcome == "succeeded" or attempt == self.attempt

    def is_contradicted(self, outcome: RefundStatus, attempt: int) -> bool:
        """Whether it was done, and now the money is said to have moved otherwise."""
        if not self.is_done:
            return False
        if self.paid_from:
            return outcome == "succeeded"
        return outcome == ("failed" if attempt == self.attempt else "succeeded")

    def settled(self, outcome: RefundStatus, attempt: int, now: datetime) -> "Refund":
        done_at = now if outcome == "succeeded" else None
        return replace(
            self, status=outcome, attempt=attempt, completed_at=done_at, version=self.version + 1
        )

    def retried(self, now: datetime) -> "Refund":
        return replace(
            self,
            status="pending",
            attempt=self.attempt + 1,
            retried_at=now,
            version=self.version + 1,
        )

    def handed_back(self, paid_from: PaidFrom, account: str, now: datetime) -> "Refund":
        """A person has given the customer the money; it leaves `account`."""
        done = self.settled("succeeded", self.attempt, now)
        return replace(done, paid_from=paid_from, cash_account=account)


@dataclass(frozen=True)
class Bears:
    """One rule of who pays for refunds of a cause."""

    cause: RefundCause
    bearer: Bearer


@dataclass(frozen=True)
class RefundBearers:
    """Who pays the commission of what is refunded, by cause; causes without a rule are as in
    version 0, in which each side loses what it was credited."""

    version: int = 0
    rules: tuple[Bears, ...] = ()
    set_at: datetime | None = None
    set_by: str | None = None

    def of(self, cause: RefundCause) -> Bearer:
        return self._named(cause) or "leader"

    @property
    def of_fee(self) -> Bearer:
        """Who pays the fee of a chargeback: whom its cause names, and else the platform."""
        return self._named("chargeback") or "platform"

    def _named(self, cause: RefundCause) -> Bearer | None:
        return next((each.bearer for each in self.rules if each.cause == cause), None)


ChargebackStatus = Literal["open", "won", "lost"]


def chargeback_id(provider: str, reference: str) -> str:
    return ids.derived("cbk", provider, reference)


@dataclass(frozen=True)
class Chargeback:
    """Money that a customer's bank has taken back from a provider; `reference` is the provider's
    id of the dispute, `charge` of what was paid.

    `refunded` of its amount is an order's refund; the rest fits none. `fee` is the provider's own,
    which `fee_bearer` pays.
    """

    id: str
    provider: str
    reference: str
    charge: str
    order_id: str | None
    refund_id: str | None
    amount: int
    refunded: int
    fee: int
    currency: str
    status: ChargebackStatus
    opened_at: datetime
    version: int
    closed_at: datetime | None = None
    fee_bearer: Bearer = "platform"

    @property
    def unmatched(self) -> int:
        return self.amount - self.refunded

    @property
    def cash_account(self) -> str:
        return f"cash:{self.provider}"

    def closed(self, outcome: Literal["won", "lost"], now: datetime) -> "Chargeback":
        return replace(self, status=outcome, closed_at=now, version=self.version + 1)


@dataclass(frozen=True)
class Remittance:
    """Cash that a leader has handed over, once: `reference` is the leader's or its bank's word.

    `cash_account` is where it has come in, or stood until it was known whose it is. One that was
    booked by mistake can be reversed, once.
    """

    id: str
    leader_id: str
    amount: int
    currency: str
    reference: str
    received_at: datetime
    reversed_at: datetime | None = None
    reversal_reason: str | None = None
    cash_account: str = "cash:bank"

    def reversed(self, reason: str, now: datetime) -> "Remittance":
        return replace(self, reversed_at=now, reversal_reason=reason)
