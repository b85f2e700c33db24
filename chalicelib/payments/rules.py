"""Receipts, refunds and remittances."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from chalicelib.kernel import ids
from chalicelib.kernel.callers import Caller

PaymentMethod = Literal["card", "leader_collect"]
RefundStatus = Literal["pending", "succeeded", "failed", "unknown"]
# Whose money a person hands back: cash that the leader has, or the platform's at its bank.
HandedFrom = Literal["leader", "bank"]
# A chargeback pays a refund where the customer's bank has taken the money before it was sent.
PaidFrom = Literal["leader", "bank", "chargeback"]
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
# The causes that an operator may name; the others follow from what has happened.
AskedCause = Literal[
    "other", "changed_mind", "damaged", "wrong_item", "missing", "late", "goodwill"
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


class Handed(NamedTuple):
    """Whose money a person has handed back, and what the bank's statement calls its transfer."""

    paid_from: PaidFrom | None
    reference: str | None = None


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

    @property
    def refund_id(self) -> str:
        """Of the refund by which all of it goes back, where no order takes it."""
        return ids.derived("rfd", self.id)


@dataclass(frozen=True)
class Refund:
    """Money that goes back for an order, in its currency's minor unit.

    `receipt` is the receipt it goes back from, `cash_account` the ledger account it leaves.
    `attempt` is the one that its provider is asked for, or by which it is done; a new one begins
    only when the former has failed; `is_asked` tells that the provider may have been. `paid_from`
    is set once the customer has had the money in another way: a person has handed it back, or a
    bank has taken it. `reference` is what the bank's statement calls a transfer to the customer.
    `charged_back` of the amount a bank has taken while it had not been sent. `beside` are the
    chargebacks that came while it was on its way, and pay it should it fail.
    `kept` is the commission that leaders keep of it, since `bearer` pays it for them.
    `delivered_net` is what it takes of the nets of what was delivered. `chargeback_id` is that of
    the chargeback that has brought it, whose cause nobody can ask for.
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
    is_asked: bool = False
    charged_back: int = 0
    charged_back_at: datetime | None = None
    beside: tuple[str, ...] = ()
    reference: str | None = None
    chargeback_id: str | None = None

    @property
    def left(self) -> int:
        """What of it is still to be sent, or was."""
        return self.amount - self.charged_back

    def in_flight_at(self, instant: datetime) -> int:
        """How much of it had been decided by then, and had not arrived."""
        if self.decided_at > instant or (self.completed_at and self.completed_at <= instant):
            return 0
        is_taken = self.charged_back_at and self.charged_back_at <= instant
        return self.left if is_taken else self.amount

    @property
    def may_arrive(self) -> bool:
        """Whether its provider may be sending it."""
        return self.status == "unknown" or (self.status == "pending" and self.is_asked)

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
            is_asked=False,
            beside=(),
            version=self.version + 1,
        )

    def asked(self) -> "Refund":
        """Its provider is about to be asked."""
        return replace(self, is_asked=True, version=self.version + 1)

    def going_beside(self, chargeback_id: str) -> "Refund":
        return replace(self, beside=(*self.beside, chargeback_id), version=self.version + 1)

    def taken_by_bank(self, amount: int, now: datetime) -> "Refund":
        """A bank has taken so much of it; once that is all of it, the customer has its money."""
        if not 0 < amount <= self.left:
            raise ValueError(f"{amount} of {self.left} cannot be charged back")
        taken = replace(self, charged_back=self.charged_back + amount, charged_back_at=now)
        if taken.left:
            return replace(taken, version=self.version + 1)
        return replace(taken.settled("succeeded", self.attempt, now), paid_from="chargeback")

    def handed_back(self, handed: "Handed", account: str, now: datetime) -> "Refund":
        """A person has given the customer the money; it leaves `account`."""
        done = self.settled("succeeded", self.attempt, now)
        return replace(
            done, paid_from=handed.paid_from, reference=handed.reference, cash_account=account
        )

    def was(self, handed: "Handed") -> bool:
        """Whether that was said of it before."""
        return self.is_done and Handed(self.paid_from, self.reference) == handed


@dataclass(frozen=True)
class Bears:
    """One rule of who pays for refunds of a cause."""

    cause: RefundCause
    bearer: Bearer


@dataclass(frozen=True)
class RefundBearers:
    """Who pays the commission of what is refunded, by cause, and the fees of chargebacks; causes
    without a rule are as in version 0, in which each side loses what it was credited."""

    version: int = 0
    rules: tuple[Bears, ...] = ()
    set_at: datetime | None = None
    set_by: str | None = None
    chargeback_fee: Bearer = "platform"

    def of(self, cause: RefundCause) -> Bearer:
        return next((each.bearer for each in self.rules if each.cause == cause), "leader")


ChargebackStatus = Literal["open", "won", "lost"]


@dataclass(frozen=True)
class PaidRefund:
    """So much of a refund a chargeback has paid, which the customer's bank took itself."""

    refund_id: str
    amount: int


def chargeback_id(provider: str, reference: str) -> str:
    return ids.derived("cbk", provider, reference)


@dataclass(frozen=True)
class Chargeback:
    """Money that a customer's bank has taken back from a provider; `reference` is the provider's
    id of the dispute, `charge` of what was paid.

    `refunded` of its amount is an order's refund, `paid` are refunds of before that it has paid
    since they had not arrived, and the rest fits none. `fee` is the provider's own, which
    `fee_bearer` pays. An operator has booked or closed it, or nobody but its provider.
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
    paid: tuple[PaidRefund, ...] = ()
    booked_by: str | None = None
    closed_by: str | None = None

    @property
    def paid_amount(self) -> int:
        return sum(each.amount for each in self.paid)

    @property
    def unmatched(self) -> int:
        return self.amount - self.refunded - self.paid_amount

    @property
    def entries(self) -> list[str]:
        """Those that have moved its provider's cash."""
        apart, fee = self.amount != self.refunded, bool(self.fee)
        own = {"chargeback": apart, "chargeback-fee": fee, "chargeback-won": self.status == "won"}
        refund = [f"refund-done:{self.refund_id}"] if self.refund_id else []
        return [*refund, *(f"{kind}:{self.id}" for kind, is_posted in own.items() if is_posted)]

    @property
    def again_refund_id(self) -> str:
        """Of the refund by which the customer is paid again what it is owed once this is won."""
        return ids.derived("rfd", self.id)

    def paying(self, refund_id: str, amount: int) -> "Chargeback":
        return replace(self, paid=(*self.paid, PaidRefund(refund_id, amount)))

    def changed(self) -> "Chargeback":
        return replace(self, version=self.version + 1)

    @property
    def cash_account(self) -> str:
        return f"cash:{self.provider}"

    def closed(
        self, outcome: Literal["won", "lost"], by: str | None, now: datetime
    ) -> "Chargeback":
        return replace(self.changed(), status=outcome, closed_at=now, closed_by=by)


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
    booked_by: str | None = None
    reversed_by: str | None = None
    cash_account: str = "cash:bank"

    @property
    def entry_id(self) -> str:
        return f"remittance:{self.leader_id}:{self.reference}"

    @property
    def reversal_id(self) -> str:
        return f"remittance-reversed:{self.leader_id}:{self.reference}"

    def reversed(self, reason: str, by: str, now: datetime) -> "Remittance":
        return replace(self, reversed_at=now, reversal_reason=reason, reversed_by=by)
