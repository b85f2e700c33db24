"""Requests and answers about dispatches."""

from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from chalicelib.ordering.rules import DispatchStatus
from chalicelib.ordering.schema import MAX_LINES, LineIn, ShipToView
from chalicelib.platform.schema import (
    Instant,
    InstantIn,
    PageQuery,
    PositiveAmount,
    RequestModel,
    ShortText,
    Text,
    View,
)


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
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=MAX_LINES)] | None = Field(
        default=None, description="Units to refund; or send an amount."
    )
    amount: PositiveAmount | None = Field(
        default=None,
        validate_default=True,
        description="In the currency's minor unit, divided over what the lines have left.",
    )
    reason: Text
    restock: bool = Field(
        default=False, description="Whether the units go back on sale; not with an amount."
    )

    @field_validator("lines")
    @classmethod
    def _one_line_a_sku(cls, lines: list[LineIn] | None) -> list[LineIn] | None:
        if lines and len({line.sku_id for line in lines}) < len(lines):
            raise ValueError("must not name one SKU twice")
        return lines

    @field_validator("amount")
    @classmethod
    def _one_of_them(cls, amount: int | None, sent: ValidationInfo) -> int | None:
        if "lines" not in sent.data:
            return amount
        if amount is None and sent.data["lines"] is None:
            raise ValueError("is required where lines are not sent")
        if amount is not None and sent.data["lines"] is not None:
            raise ValueError("must not be sent together with lines")
        return amount

    @field_validator("restock")
    @classmethod
    def _only_units(cls, restock: bool, sent: ValidationInfo) -> bool:
        if restock and sent.data.get("amount") is not None:
            raise ValueError("goes with lines alone: an amount has no units")
        return restock


class FeedQuery(PageQuery):
    status: DispatchStatus | None = None
    updated_since: InstantIn | None = None


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
