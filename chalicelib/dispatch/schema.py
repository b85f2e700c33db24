"""Requests and answers about dispatches."""

from typing import Annotated

from pydantic import Field

from chalicelib.ordering.rules import DispatchStatus
from chalicelib.ordering.schema import LineIn, ShipToView
from chalicelib.platform.schema import (
    Instant,
    InstantIn,
    PageQuery,
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


class RefundLines(RequestModel):
    lines: Annotated[list[LineIn], Field(min_length=1, max_length=20)]
    reason: Text


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
