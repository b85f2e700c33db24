"""Requests and answers about the suppliers' side of the money."""

from datetime import date
from itertools import pairwise
from typing import Annotated

from pydantic import AliasChoices, ConfigDict, Field, ValidationInfo, field_validator

from chalicelib.parties.settlement_terms import (
    RefundBearer,
    SettlementBasis,
    SettlementTerms,
    Waiver,
)
from chalicelib.platform.schema import (
    Amount,
    BasisPoints,
    BusinessDate,
    Instant,
    PageQuery,
    PositiveAmount,
    Reference,
    RequestModel,
    Text,
    View,
)
from chalicelib.suppliers.rules import Account, DepositKind, LineKind, Pays

MAX_WAIVERS = 50

FirstDay = Annotated[
    str, Field(validation_alias=AliasChoices("first", "from"), serialization_alias="from")
]
LastDay = Annotated[
    str, Field(validation_alias=AliasChoices("last", "to"), serialization_alias="to")
]


class WaiverIn(RequestModel):
    first: BusinessDate = Field(alias="from")
    last: BusinessDate = Field(alias="to", description="Its last day, which is in it.")

    @field_validator("last")
    @classmethod
    def _not_before(cls, last: str, sent: ValidationInfo) -> str:
        if last < sent.data.get("first", last):
            raise ValueError("must not lie before from")
        return last


class SetSettlementTerms(RequestModel):
    basis: SettlementBasis = Field(
        description="`cost`: it is paid its SKUs' cost; `revenue_share`: what its lines bring "
        "without a fee."
    )
    fee_bps: BasisPoints | None = Field(
        default=None, validate_default=True, description="With `revenue_share` alone."
    )
    annual_fee: PositiveAmount | None = None
    community_fee: PositiveAmount | None = Field(
        default=None, description="For each community that it delivers to, once in a fee year."
    )
    waivers: Annotated[list[WaiverIn], Field(max_length=MAX_WAIVERS)] = Field(
        default=[], description="Business dates, both included, in which no fee falls due."
    )
    deposit: PositiveAmount | None = Field(
        default=None,
        description="What it is to leave as a security. What is missing of it is `deposit_due` in "
        "its balance; no payout is held back for it.",
    )
    fine_cap: Amount | None = Field(
        default=None, description="The most it is fined in one business month; null: no limit."
    )
    refund_bearer: RefundBearer = Field(
        default="supplier",
        description="Who pays the commission of its refunded goods where the rule of the refund's "
        "cause says `supplier`: it itself, or the platform in its place.",
    )

    @field_validator("fee_bps")
    @classmethod
    def _with_a_share(cls, fee_bps: int | None, sent: ValidationInfo) -> int | None:
        shares = sent.data.get("basis") == "revenue_share"
        if shares and fee_bps is None:
            raise ValueError("is required where basis is revenue_share")
        if not shares and fee_bps is not None and "basis" in sent.data:
            raise ValueError("goes with the basis revenue_share alone")
        return fee_bps

    @field_validator("waivers")
    @classmethod
    def _apart(cls, waivers: list[WaiverIn]) -> list[WaiverIn]:
        in_order = sorted(waivers, key=lambda each: each.first)
        for before, after in pairwise(in_order):
            if after.first <= before.last:
                raise ValueError(f"must not overlap: {after.first} lies in another window")
        return waivers

    def terms_of(self, supplier_id: str) -> SettlementTerms:
        """The terms that were sent, as if they were the first."""
        sent = {name: getattr(self, name) for name in type(self).model_fields}
        waivers = tuple(Waiver(each.first, each.last) for each in self.waivers)
        return SettlementTerms(
            supplier_id, **{**sent, "fee_bps": self.fee_bps or 0, "waivers": waivers}
        )


class WaiverView(View):
    model_config = ConfigDict(serialize_by_alias=True)

    first: FirstDay
    last: LastDay


class SettlementTermsView(View):
    supplier_id: str
    version: int = Field(description="0 where none were set; an order's lines keep theirs.")
    basis: SettlementBasis
    fee_bps: int
    annual_fee: int | None
    community_fee: int | None
    waivers: list[WaiverView]
    deposit: int | None
    fine_cap: int | None
    refund_bearer: RefundBearer
    fees_since: str | None = Field(
        description="When they first asked for a fee: its fee years begin on that day."
    )
    set_at: Instant | None
    set_by: str | None = Field(description="The operator that set them.")


class BookDeposit(RequestModel):
    amount: PositiveAmount
    reference: Reference = Field(
        description="What tells one transfer from the next: the same again is the same one."
    )


class DrawDeposit(RequestModel):
    amount: PositiveAmount
    reason: Text
    pays: Pays = Field(
        default="fees",
        description="`fees`: what it owes in fees; `payable`: what it owes as its `payable` is "
        "below zero; `damages`: a damage to the platform.",
    )


class DepositView(View):
    id: str
    supplier_id: str
    kind: DepositKind
    amount: int
    currency: str
    reference: str | None
    reason: str | None
    pays: Pays | None
    booked_at: Instant
    booked_by: str
    entry_id: str = Field(description="The entry that it is booked by, which `match` names.")


class BookSupplierRemittance(RequestModel):
    amount: PositiveAmount
    reference: Reference = Field(
        description="What tells one transfer from the next: the same again is the same one."
    )


class ReverseSupplierRemittance(RequestModel):
    reason: Text


class SupplierRemittanceView(View):
    id: str
    supplier_id: str
    amount: int
    fees: int = Field(description="What of it pays fees, which come first.")
    payable: int = Field(description="What of it pays what the supplier owes otherwise.")
    currency: str
    reference: str
    received_at: Instant
    booked_by: str
    reversed_at: Instant | None
    reversed_by: str | None
    reversal_reason: str | None
    entry_id: str = Field(description="The entry that it is booked by, which `match` names.")


class SupplierBalanceView(View):
    currency: str
    payable: int = Field(description="What it is owed; below zero after more was taken back.")
    held: int = Field(description="What is disputed, until an operator has decided.")
    owed: int = Field(description="What it owes in fees; a payout nets it.")
    deposit: int = Field(description="What is held of it as a security.")
    deposit_due: int = Field(description="What its settlement terms ask for beyond that.")
    in_payout: int
    paid_out: int


class StatementQuery(PageQuery):
    first: BusinessDate | None = Field(
        default=None, alias="from", description="Left out, the first day of the month of `to`."
    )
    last: BusinessDate | None = Field(
        default=None, alias="to", description="It is in the period; left out, today."
    )


class StatementLineView(View):
    posted_at: Instant
    business_date: date = Field(
        description="The day of `posted_at` where the platform is at home, by which it is listed."
    )
    kind: LineKind
    account: Account
    amount: int = Field(description="In the supplier's favour; what it owes lies below zero.")
    entry_id: str
    order_id: str | None
    dispatch_id: str | None
    parcel_id: str | None
    refund_id: str | None
    leader_id: str | None = Field(description="Of a fee for its community.")
    of: list[str] = Field(description="All ids that it came of, where there are several.")
    explained_at: str = Field(description="Where it is told how the amount came about.")


class AccountsView(View):
    payable: int
    held: int
    owed: int
    deposit: int
    in_payout: int


class PeriodView(View):
    model_config = ConfigDict(serialize_by_alias=True)

    first: Annotated[date, Field(serialization_alias="from")] = Field(
        validation_alias=AliasChoices("first", "from")
    )
    last: Annotated[date, Field(serialization_alias="to")] = Field(
        validation_alias=AliasChoices("last", "to")
    )


class SupplierStatementView(View):
    supplier_id: str
    currency: str
    period: PeriodView
    opening_balance: int = Field(
        description="What the supplier had coming: all accounts but its deposit."
    )
    total: int = Field(description="What the period changed of that.")
    closing_balance: int
    opening: AccountsView = Field(description="By account, in the supplier's favour.")
    change: AccountsView = Field(
        description="What all lines of the period come to, on all pages, by account."
    )
    closing: AccountsView
    items: list[StatementLineView] = Field(
        description="In order of posting; those of up to `limit` journal entries."
    )
    next_cursor: str | None
