"""Requests and answers about after-sales."""

from typing import Annotated, Literal

from pydantic import Field

from chalicelib.aftersales.rules import Action, Actor, AfterSalesStatus
from chalicelib.ordering.line_schema import Lines
from chalicelib.payments.rules import AskedCause
from chalicelib.platform.schema import HttpsUrl, Instant, LongText, PageQuery, RequestModel, View


class AskAfterSales(RequestModel):
    lines: Lines
    reason: LongText
    photos: Annotated[list[HttpsUrl], Field(max_length=10)] = Field(
        default_factory=list, description="Where they lie; they are not fetched."
    )


class RespondAfterSales(RequestModel):
    accept: bool
    note: LongText


class DecideAfterSales(RequestModel):
    refund: bool = Field(description="Whether the units are refunded; else it is declined.")
    note: LongText
    cause: AskedCause | Literal["after_sales"] = Field(
        default="after_sales", description="By which the platform's rules say who bears it."
    )


class AfterSalesQuery(PageQuery):
    status: AfterSalesStatus | None = Field(default=None, description="Only those that are in it.")


class AfterSalesLineView(View):
    sku_id: str
    supplier_id: str
    title: str
    quantity: int


class StepView(View):
    at: Instant
    by: Actor
    action: Action
    note: str | None
    accept: bool | None = Field(description="What a response said.")
    party_id: str | None = Field(description="Whose response it was.")


class AfterSalesView(View):
    id: str
    order_id: str
    leader_id: str
    status: AfterSalesStatus
    lines: list[AfterSalesLineView] = Field(description="To a supplier, its own.")
    reason: str
    photos: list[str]
    steps: list[StepView] = Field(description="To a supplier, without other suppliers'.")
    refund_id: str | None
    due_at: Instant = Field(description="When an operator is called, if it is not decided.")
    created_at: Instant
    version: int
