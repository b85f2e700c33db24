"""Batches of payouts, payouts, and what may become of each (contract, sections 4 and 6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from chalicelib.kernel import clock, ids

PartyRole = Literal["leader", "supplier"]
BatchKind = Literal["leaders", "suppliers"]
Method = Literal["bank_file", "stripe", "manual"]
BatchStatus = Literal[
    "preparing", "prepared", "approved", "sent", "closed", "cancelling", "cancelled"
]
# What a person, a bank or a provider says of a payout.
Told = Literal["paid", "returned", "failed"]
# A payout is offset where what a party has coming pays what it owes, and nothing is left to send.
Outcome = Literal["paid", "returned", "failed", "unknown", "offset", "cancelled"]
PayoutStatus = Literal[
    "prepared", "approved", "sent", "paid", "returned", "failed", "unknown", "offset", "cancelled"
]
AccountKind = Literal["iban", "stripe"]
# Why no SEPA transfer can be sent to an account at a bank.
WhyNotSepa = Literal["not_in_sepa", "bic_missing"]
WhyLeftOut = Literal[
    "no_account",
    "account_of_another_kind",
    "not_in_sepa",
    "bic_missing",
    "open_payout",
    "returned",
    "leaving",
    "below_minimum",
    "failed",
]

ROLES: Mapping[BatchKind, PartyRole] = {"leaders": "leader", "suppliers": "supplier"}
# What a party has coming, and what it owes, by the purposes of its accounts.
COMING: Mapping[PartyRole, str] = {"leader": "available", "supplier": "payable"}
OWED: Mapping[PartyRole, str] = {"leader": "collected", "supplier": "owed"}
# Where the money goes; by hand it goes wherever the operator knows of.
NEEDS: Mapping[Method, AccountKind | None] = {
    "bank_file": "iban",
    "stripe": "stripe",
    "manual": None,
}
CASH: Mapping[Method, str] = {"bank_file": "bank", "stripe": "stripe", "manual": "bank"}
# What a payout without an outcome is shown as while its batch is in that status.
SHOWN: Mapping[BatchStatus, PayoutStatus] = {
    "preparing": "prepared",
    "prepared": "prepared",
    "approved": "approved",
    "sent": "sent",
    "closed": "sent",
    "cancelling": "prepared",
    "cancelled": "cancelled",
}
MAY_BECOME: Mapping[Outcome | None, tuple[Outcome, ...]] = {
    None: ("paid", "returned", "failed", "unknown", "cancelled"),
    "unknown": ("paid", "returned", "failed"),
    "paid": ("returned",),
    "offset": ("cancelled",),
}
# An id of a bank's message has 35 characters, and its part the last three of them.
MOST_PARTS = 999
# How long after a provider gave no answer it is asked what has become of a payout, and how long
# until a person is called.
ASK_AGAIN_AFTER = timedelta(minutes=5)
CALL_AFTER = timedelta(hours=1)
# How long after a provider was asked a transfer may still come of it: longer than a function runs.
MAY_COME_FOR = timedelta(minutes=10)


@dataclass(frozen=True)
class Party:
    """Whom money is sent to; its `key` is what the ledger knows it by."""

    role: PartyRole
    id: str

    @classmethod
    def of(cls, key: str) -> "Party":
        role, _, party_id = key.partition(":")
        return cls("leader" if role == "leader" else "supplier", party_id)

    @property
    def key(self) -> str:
        return f"{self.role}:{self.id}"

    @property
    def coming(self) -> str:
        return COMING[self.role]

    @property
    def owed(self) -> str:
        return OWED[self.role]

    def account(self, purpose: str) -> str:
        return f"{self.key}:{purpose}"


@dataclass(frozen=True)
class SealedAccount:
    """Where a party is paid; `sealed` are its details, readable by the platform alone."""

    party: str
    kind: AccountKind
    sealed: str
    last_four: str
    version: int
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True)
class Hold:
    """That a party is sent nothing, since a payout came back from where it is paid, until it is
    lifted by an operator."""

    party: str
    payout_id: str
    held_at: datetime
    lifted_at: datetime | None = None
    lifted_by: str | None = None

    @property
    def stands(self) -> bool:
        return self.lifted_at is None


@dataclass(frozen=True)
class Standing:
    """What a party has coming and what it owes, in the currency's minor unit.

    Below zero is the other way round: commission to be given back, or cash that the platform owes.
    """

    coming: int
    owed: int
    # A leader that leaves, or has left, is paid whatever it has coming.
    leaves: bool = False

    @property
    def netted(self) -> int:
        """How much of one is settled with the other: all that is owed where so much is coming."""
        if self.coming >= self.owed:
            return self.owed
        return max(self.coming, 0) + min(self.owed, 0)

    @property
    def left(self) -> int:
        """What is sent: the rest once the party has paid what it owes of it."""
        return max(0, self.coming - self.owed)


@dataclass(frozen=True)
class LeftOut:
    """A party with something coming that a batch has not taken in. `amount` is what it would have
    been sent; unknown, and 0, where its looking failed."""

    party: str
    amount: int
    reason: WhyLeftOut


@dataclass(frozen=True)
class Payer:
    """The platform's own account, from which a file for a bank pays."""

    name: str
    iban: str
    bic: str | None = None


@dataclass(frozen=True)
class Batch:
    """Payouts of one currency that are approved and sent together.

    `payouts`, `amount` and `netted` are fixed once it is prepared; `left_out` are the parties that
    had enough coming and could not be paid. `asked_at` is when the work under way was asked for.
    `payer` is who pays by SEPA transfers, as it was when the batch was made.
    """

    id: str
    currency: str
    kind: BatchKind
    method: Method
    minimum: int
    status: BatchStatus
    made_by: str
    made_at: datetime
    asked_at: datetime
    version: int
    payer: Payer | None = None
    pages: int = 0
    payouts: int = 0
    amount: int = 0
    netted: int = 0
    left_out: int = 0
    approved_by: str | None = None
    approved_at: datetime | None = None
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    sent_by: str | None = None
    cancelled_by: str | None = None

    @property
    def role(self) -> PartyRole:
        return ROLES[self.kind]

    @property
    def by_sepa(self) -> bool:
        """Whether its file asks a bank for SEPA transfers, which are in EUR alone."""
        return self.method == "bank_file" and self.currency == "EUR"

    @property
    def is_sent(self) -> bool:
        return self.status in ("sent", "closed")

    @property
    def goes_on_by_itself(self) -> bool:
        """Whether it comes to its next status once its pages, or its payouts, are done."""
        return self.status in ("preparing", "sent", "cancelling")

    @property
    def has_work(self) -> bool:
        """Whether its pages have to be gone through."""
        by_stripe = self.status == "sent" and self.method == "stripe"
        return by_stripe or self.status in ("preparing", "cancelling")

    def wants(self, standing: Standing) -> bool:
        if standing.left == 0:
            return standing.netted != 0
        return standing.left >= (1 if standing.leaves else self.minimum)

    def after(self, status: BatchStatus, now: datetime) -> "Batch":
        return replace(self, status=status, asked_at=now, version=self.version + 1)


@dataclass(frozen=True)
class Result:
    """What was told of a payout, at an RFC 3339 text; by no caller where its provider says so."""

    status: Outcome
    reference: str | None
    told_at: str
    told_by: str | None = None


@dataclass(frozen=True)
class Payout:
    """What one party is sent in a batch. `amount` goes out, `netted` pays what the party owes, or,
    below zero, is what the platform owes it beside what it has coming.

    `sealed` are the account details as they were when it was prepared, readable by the platform
    alone. `asked_at` is when a provider was first asked to send it. `results` are all that was
    told of it, the last of which stands.
    """

    id: str
    batch_id: str
    page: int
    party: str
    currency: str
    method: Method
    amount: int
    netted: int
    made_at: datetime
    version: int
    account_kind: AccountKind | None = None
    sealed: str | None = None
    last_four: str | None = None
    outcome: Outcome | None = None
    reference: str | None = None
    told_at: datetime | None = None
    asked_at: datetime | None = None
    results: Sequence[Result] = ()

    @property
    def payee(self) -> Party:
        return Party.of(self.party)

    @property
    def cash_account(self) -> str:
        """Where it leaves the platform."""
        return f"cash:{CASH[self.method]}"

    @property
    def taken(self) -> int:
        """What it takes of what the party had coming."""
        return self.amount + self.netted

    @property
    def is_over(self) -> bool:
        return self.outcome not in (None, "unknown")

    def may_still_be_sent(self, now: datetime) -> bool:
        """Whether a provider was asked so lately that its transfer may come though none shows."""
        return self.asked_at is not None and now < self.asked_at + MAY_COME_FOR

    def contradicts(self, outcome: Outcome) -> bool:
        """Whether money was given back that a provider has sent, or was not sent and is paid."""
        both = {self.outcome, outcome}
        return "paid" in both and not both.isdisjoint({"returned", "failed"})

    def shown_in(self, batch: Batch) -> "PayoutShown":
        return PayoutShown(**vars(self), status=self.outcome or SHOWN[batch.status])

    def may_become(self, outcome: Outcome) -> bool:
        return outcome in MAY_BECOME.get(self.outcome, ())

    def told(
        self, outcome: Outcome, reference: str | None, now: datetime, by: str | None = None
    ) -> "Payout":
        return replace(
            self,
            outcome=outcome,
            reference=reference,
            told_at=now,
            results=(*self.results, Result(outcome, reference, clock.to_text(now), by)),
            version=self.version + 1,
        )


@dataclass(frozen=True)
class PayoutShown(Payout):
    """A payout with its status, which is its batch's until it has an outcome of its own."""

    status: PayoutStatus = "prepared"


@dataclass(frozen=True)
class Tally:
    """What became of a batch so far; amounts in the minor unit."""

    pages: int = 0
    pages_prepared: int = 0
    payouts: int = 0
    amount: int = 0
    netted: int = 0
    left_out: int = 0
    paid: int = 0
    paid_amount: int = 0
    returned: int = 0
    returned_amount: int = 0
    failed: int = 0
    failed_amount: int = 0
    unknown: int = 0
    unknown_amount: int = 0
    offset: int = 0
    cancelled: int = 0
    cancelled_amount: int = 0

    @property
    def is_prepared(self) -> bool:
        return 0 < self.pages == self.pages_prepared

    @property
    def to_send(self) -> int:
        return self.payouts - self.offset

    @property
    def over(self) -> int:
        """Payouts that have their result."""
        return self.paid + self.returned + self.failed + self.offset


def payout_id(batch_id: str, party: Party) -> str:
    return ids.derived("pyt", batch_id, party.key)
