"""Ids of what suppliers pay, and what a line of their statements says. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal, NamedTuple, cast
from zoneinfo import ZoneInfo

from chalicelib.kernel import clock
from chalicelib.ledger.rules import Change, Posting
from chalicelib.parties.settlement_terms import SettlementBasis, SettlementTerms

LineKind = Literal[
    "delivery",
    "refund",
    "commission_borne",
    "chargeback_won",
    "chargeback_fee",
    "chargeback_fee_won",
    "disputed",
    "dispute_dismissed",
    "fine",
    "fine_waived",
    "annual_fee",
    "community_fee",
    "deposit",
    "deposit_returned",
    "deposit_drawn",
    "remittance",
    "remittance_reversed",
    "payout",
    "payout_paid",
    "payout_returned",
    "payout_cancelled",
    "netting",
    "adjustment",
]
DepositKind = Literal["received", "returned", "drawn"]
# What a deposit is drawn on for: what the supplier owes in fees, or of what it was paid and should
# not have been, or a damage to the platform.
Pays = Literal["fees", "payable", "damages"]
Account = Literal["payable", "held", "owed", "deposit", "in_payout"]
# What an entry is begins its id.
KINDS: Mapping[str, LineKind] = {
    "delivered": "delivery",
    "refund": "refund",
    "borne": "commission_borne",
    # What a daily cap withholds of it.
    "matured": "commission_borne",
    "chargeback-won": "chargeback_won",
    "chargeback-fee": "chargeback_fee",
    "chargeback-fee-won": "chargeback_fee_won",
    "disputed": "disputed",
    "dismissed": "dispute_dismissed",
    "fine": "fine",
    "fine_waived": "fine_waived",
    "annual_fee": "annual_fee",
    "community_fee": "community_fee",
    "deposit_received": "deposit",
    "deposit_returned": "deposit_returned",
    "deposit_drawn": "deposit_drawn",
    "supplier-remittance": "remittance",
    "supplier-remittance-reversed": "remittance_reversed",
    "payout": "payout",
    "payout-netted": "netting",
    "payout-paid": "payout_paid",
    "payout-returned": "payout_returned",
    "payout-cancelled": "payout_cancelled",
}


class Goods(NamedTuple):
    """What units of one SKU come to in a posting to its supplier, as its order line froze it.

    `net` is what customers paid for them without shipping, `spread` what of it is the leader's
    own, `cost` what is the supplier's. A refund of an amount has money and no units.
    """

    sku_id: str
    units: int
    net: int
    spread: int
    cost: int
    unit_cost: int
    basis: SettlementBasis
    fee_bps: int
    terms_version: int


class Commission(NamedTuple):
    """Commission that leaders keep at their supplier's cost of units of one SKU that were refunded:
    all that the rate of `base` has brought, whoever has a part in it. `is_limited`: a cap or floor
    of the plan set it."""

    sku_id: str
    basis: str
    base: int
    rate_bps: int
    amount: int
    is_limited: bool


def annual_fee_id(supplier_id: str, fee_year: date) -> str:
    return f"annual_fee:{supplier_id}:{fee_year}"


def community_fee_id(supplier_id: str, leader_id: str, fee_year: date) -> str:
    return f"community_fee:{supplier_id}:{leader_id}:{fee_year}"


def in_force(versions: Sequence[SettlementTerms], before: datetime) -> SettlementTerms | None:
    """The last of the versions, the oldest first, that was set before an instant."""
    set_before = [each for each in versions if each.set_at and each.set_at < before]
    return set_before[-1] if set_before else None


@dataclass(frozen=True)
class StatementLine:
    """One posting of one entry. `amount` is in the supplier's favour: what it owes lies below zero.
    `business_date` is the day of `posted_at` where the platform is at home, by which it is listed.

    The ids are None where it came of none of that kind, or of several: `of` has them all.
    `explained_at` is where it is told how the amount came about.
    """

    posted_at: datetime
    business_date: date
    kind: LineKind
    account: Account
    amount: int
    entry_id: str
    order_id: str | None
    dispatch_id: str | None
    parcel_id: str | None
    refund_id: str | None
    leader_id: str | None
    of: tuple[str, ...]
    explained_at: str


def lines_of(change: Change, zone: ZoneInfo) -> list[StatementLine]:
    return [_line(change, posting, zone) for posting in change.postings]


def _line(change: Change, posting: Posting, zone: ZoneInfo) -> StatementLine:
    named, _, about = change.entry_id.partition(":")
    origin = tuple(dict.fromkeys((change.subject, *posting.of, *about.split(":"))))
    return StatementLine(
        posted_at=change.posted_at,
        business_date=clock.business_date(change.posted_at, zone),
        kind=KINDS.get(named, "adjustment"),
        account=account_of(posting),
        amount=-posting.amount,
        entry_id=change.entry_id,
        order_id=_only("ord", origin),
        dispatch_id=_only("dsp", origin),
        parcel_id=_only("prc", origin),
        refund_id=_only("rfd", origin),
        leader_id=_only("ldr", origin),
        of=tuple(posting.of),
        explained_at=explained_at(change.party.removeprefix("supplier:"), change.entry_id),
    )


def account_of(posting: Posting) -> Account:
    """Which of its supplier's accounts it moves."""
    return cast(Account, posting.account.rpartition(":")[2])


def explained_at(supplier_id: str, entry_id: str) -> str:
    return f"/v1/suppliers/{supplier_id}/statements/lines/{entry_id}"


def _only(prefix: str, origin: Sequence[str]) -> str | None:
    """The one id with that prefix; None where there is none, or where there are several."""
    found = [each for each in origin if each.startswith(f"{prefix}_")]
    return found[0] if len(found) == 1 else None


@dataclass(frozen=True)
class Deposit:
    """Something that happened to what is held of a supplier as a security.

    What is received or returned has the transfer's reference, what is drawn a reason and what it
    pays. `cash_account` is where money has come in or gone out, or stood until it was known whose
    it is.
    """

    id: str
    supplier_id: str
    kind: DepositKind
    amount: int
    currency: str
    booked_at: datetime
    booked_by: str
    reference: str | None = None
    reason: str | None = None
    pays: Pays | None = None
    cash_account: str = "cash:bank"

    @property
    def entry_id(self) -> str:
        return f"deposit_{self.kind}:{self.id}"

    @property
    def held(self) -> int:
        """By how much more is held of the supplier."""
        return self.amount if self.kind == "received" else -self.amount

    def says_the_same(self, other: "Deposit") -> bool:
        """Whether they differ in nothing but when they were booked, and by whom."""
        return replace(self, booked_at=other.booked_at, booked_by=other.booked_by) == other
