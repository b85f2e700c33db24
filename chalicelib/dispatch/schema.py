"""Requests and answers about dispatches."""

from typing import Literal, get_args

from pydantic import Field, ValidationInfo, field_validator, model_validator

from chalicelib.dispatch.answers import Reason
from chalicelib.dispatch.deadlines import ClockKind
from chalicelib.dispatch.disputes import DisputeStatus, Outcome
from chalicelib.kernel.callers import Role
from chalicelib.ordering.line_schema import Lines
from chalicelib.ordering.rules import DispatchStatus, ParcelStatus
from chalicelib.ordering.schema import ShipToView
from chalicelib.parties.terms import OnMissed
from chalicelib.payments.rules import AskedCause
from chalicelib.platform import sheets
from chalicelib.platform.schema import (
    BusinessDate,
    Identifier,
    Instant,
    InstantIn,
    LongText,
    PageQuery,
    PositiveAmount,
    RequestModel,
    RowErrorView,
    ShortText,
    Text,
    View,
    just_one,
)

REASON_TEXT = f"One of {', '.join(get_args(Reason))}; or any other words, kept as `other`."


class AcceptDispatch(RequestModel):
    lines: Lines | None = Field(
        default=None, description="What will be shipped; the rest is rejected. Left out, all."
    )
    reason: Text | None = Field(
        default=None, description=f"Why not the rest; left out, out_of_stock. {REASON_TEXT}"
    )


class RejectDispatch(RequestModel):
    reason: Text = Field(description=REASON_TEXT)
    lines: Lines | None = Field(
        default=None, description="What will not be shipped; left out, all that has not shipped."
    )


class ShipDispatch(RequestModel):
    carrier: ShortText
    tracking_number: ShortText
    lines: Lines | None = Field(
        default=None, description="What is in the parcel; left out, all that has not shipped."
    )


class TrackingRow(RequestModel):
    """What a row of a file of tracking numbers says, as `ShipDispatch` would."""

    dispatch_id: Identifier
    carrier: ShortText
    tracking_number: ShortText


class CorrectParcel(RequestModel):
    carrier: ShortText | None = None
    tracking_number: ShortText | None = None

    @model_validator(mode="after")
    def _something(self) -> "CorrectParcel":
        if self.carrier is None and self.tracking_number is None:
            raise ValueError("must name a carrier or a tracking_number")
        return self


class DeliverDispatch(RequestModel):
    delivered_at: InstantIn | None = None


class CancelDispatch(RequestModel):
    reason: Text


class WaiveFine(RequestModel):
    reason: Text
    parcel_id: Identifier | None = Field(
        default=None, description="Whose delivery was late; required where several were fined."
    )


class RefundOrder(RequestModel):
    lines: Lines | None = Field(default=None, description="Units to refund; or send an amount.")
    amount: PositiveAmount | None = Field(
        default=None,
        validate_default=True,
        description="In the currency's minor unit, divided over what the lines have left.",
    )
    reason: Text
    cause: AskedCause = Field(
        default="other",
        description="By which the platform's rules say who bears the commission of it; left out it "
        "is `other`, and the leader bears that unless a rule names another.",
    )
    restock: bool = Field(
        default=False, description="Whether the units go back on sale; not with an amount."
    )

    @field_validator("amount")
    @classmethod
    def _one_of_them(cls, amount: int | None, sent: ValidationInfo) -> int | None:
        return just_one(amount, sent, "lines")

    @field_validator("restock")
    @classmethod
    def _only_units(cls, restock: bool, sent: ValidationInfo) -> bool:
        if restock and sent.data.get("amount") is not None:
            raise ValueError("goes with lines alone: an amount has no units")
        return restock


class FeedQuery(PageQuery):
    status: DispatchStatus | None = None
    updated_since: InstantIn | None = None
    due_before: InstantIn | None = Field(
        default=None, description="Only those of which a running clock ends by then."
    )
    supplier_id: Identifier | None = Field(
        default=None, description="Whose; left out, an operator reads everybody's."
    )


class ExportQuery(RequestModel):
    format: sheets.Format = Field(default="csv", description="`xlsx` holds both lists.")
    list: Literal["lines", "purchase"] = Field(
        default="lines", description="Which of the two a CSV file holds."
    )
    cycle: BusinessDate | None = Field(
        default=None,
        description="The business date on which they were made; left out, all that wait.",
    )
    supplier_id: Identifier | None = Field(default=None, description="Required of an operator.")
    part: int = Field(
        default=1,
        ge=1,
        le=10_000,
        description="Of the lines, where they are more than one import takes; the file's name says "
        "of how many, as `lines-1-of-3.csv`.",
    )


class TrackingImportedView(View):
    rows: int
    shipped: int = Field(description="Parcels that were shipped by this file.")
    unchanged: int = Field(description="Parcels that had been shipped so before.")
    skipped: int = Field(description="Rows without a tracking number.")
    errors: list[RowErrorView]


class DispatchLineView(View):
    sku_id: str
    supplier_sku: str | None
    title: str
    quantity: int
    unit_cost: int | None = Field(description="Not shown to a leader.")


class ClockView(View):
    kind: ClockKind
    parcel_id: str | None = Field(
        description="Of `deliver`, whose clock it is; null before the first has shipped."
    )
    hours: int = Field(description="Of its supplier's open time.")
    half_time_at: Instant | None = Field(description="Null until it runs, as `due_at` is.")
    due_at: Instant | None
    reminded_at: Instant | None
    fired_at: Instant | None = Field(description="When it was found to have run out.")
    on_missed: OnMissed
    fine_amount: int | None
    fined: int | None = Field(description="What was taken of the supplier, in the minor unit.")
    waived_at: Instant | None = Field(description="When the fine was given back.")
    waived_for: str | None


class UnitsView(View):
    sku_id: str
    quantity: int


class ParcelView(View):
    id: str
    carrier: str
    carrier_known: bool = Field(description="Whether it is one of the carriers known by name.")
    tracking_number: str
    status: ParcelStatus
    lines: list[UnitsView] = Field(description="As they were shipped, refunded since or not.")
    shipped_at: Instant
    delivered_at: Instant | None
    dispute_id: str | None = Field(description="Of the dispute about its delivery.")


class RejectionView(View):
    reason_code: Reason
    note: str | None = Field(description="The words that were said, where the code is `other`.")
    lines: list[UnitsView]
    at: Instant


class DispatchView(View):
    id: str
    order_id: str
    supplier_id: str
    status: DispatchStatus
    version: int
    currency: str
    lines: list[DispatchLineView]
    ship_to: ShipToView
    accept_by: Instant
    ship_by: Instant
    deliver_by: Instant | None = Field(
        description="Of the parcel that must arrive next; null where none is awaited."
    )
    clocks: list[ClockView] = Field(description="Empty for a leader.")
    carrier: str | None = Field(description="Of the first parcel.")
    tracking_number: str | None = Field(description="Of the first parcel.")
    parcels: list[ParcelView]
    reason: str | None = Field(description="Why all of it was rejected, as it was said.")
    reason_code: Reason | None
    rejections: list[RejectionView] = Field(description="What was rejected, whole or in part.")
    shipped_at: Instant | None
    delivered_at: Instant | None = Field(description="When the last of it had arrived.")
    created_at: Instant
    updated_at: Instant


class DisputeDelivery(RequestModel):
    reason: LongText
    parcel_id: Identifier | None = Field(
        default=None, description="Left out, all parcels that were delivered."
    )


class ResolveDispute(RequestModel):
    outcome: Outcome = Field(
        description="`upheld`: what is left of the parcels is refunded; `dismissed`: it is paid on."
    )
    note: LongText


class DisputeView(View):
    id: str
    dispatch_id: str
    order_id: str
    parcel_ids: list[str]
    by: Role
    reason: str
    status: DisputeStatus
    note: str | None
    refund_id: str | None = Field(
        description="Null too where nothing was left of the parcels to refund."
    )
    opened_at: Instant
    resolved_at: Instant | None
    version: int


class FeedView(View):
    items: list[DispatchView]
    next_cursor: str | None
    next_updated_since: Instant | None = Field(
        description="60 s behind the newest shown, or on a page with a `next_cursor` the newest "
        "shown: drop repeats by `id` and `version`."
    )
