"""Requests and answers about dispatches."""

from datetime import date
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from chalicelib.ordering.rules import DispatchStatus
from chalicelib.ordering.schema import FewLines, ShipToView
from chalicelib.platform import sheets
from chalicelib.platform.schema import (
    Identifier,
    Instant,
    InstantIn,
    PageQuery,
    PositiveAmount,
    RequestModel,
    ShortText,
    Text,
    View,
    just_one,
)
from chalicelib.stock.schema import RowErrorView


class AcceptDispatch(RequestModel):
    pass


class RejectDispatch(RequestModel):
    reason: Text


class ShipDispatch(RequestModel):
    carrier: ShortText
    tracking_number: ShortText


class DeliverDispatch(RequestModel):
    delivered_at: InstantIn | None = None


class RefundOrder(RequestModel):
    lines: FewLines | None = Field(default=None, description="Units to refund; or send an amount.")
    amount: PositiveAmount | None = Field(
        default=None,
        validate_default=True,
        description="In the currency's minor unit, divided over what the lines have left.",
    )
    reason: Text
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


class ExportQuery(RequestModel):
    format: sheets.Format = Field(default="csv", description="`xlsx` holds both lists.")
    list: Literal["lines", "purchase"] = Field(
        default="lines", description="Which of the two a CSV file holds."
    )
    cycle: date | None = Field(
        default=None,
        description="The business date on which they were made; left out, all that wait.",
    )
    supplier_id: Identifier | None = Field(default=None, description="Required of an operator.")


class TrackingImportedView(View):
    rows: int
    shipped: int = Field(description="Dispatches that were shipped by this file.")
    unchanged: int = Field(description="Dispatches that had been shipped so before.")
    skipped: int = Field(description="Rows without a tracking number.")
    errors: list[RowErrorView]


class DispatchLineView(View):
    sku_id: str
    supplier_sku: str | None
    title: str
    quantity: int
    unit_cost: int | None = Field(description="Not shown to a leader.")


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
    carrier: str | None
    tracking_number: str | None
    reason: str | None
    shipped_at: Instant | None
    delivered_at: Instant | None
    created_at: Instant
    updated_at: Instant


class FeedView(View):
    items: list[DispatchView]
    next_cursor: str | None
    next_updated_since: Instant | None = Field(
        description="60 s behind the newest shown, or on a page with a `next_cursor` the newest "
        "shown: drop repeats by `id` and `version`."
    )
