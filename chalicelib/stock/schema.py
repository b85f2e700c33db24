"""Requests and answers about stock."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from chalicelib.kernel.callers import Role
from chalicelib.platform.schema import Instant, RequestModel, Text, Units, View, just_one
from chalicelib.stock.rules import MAX_SHARDS

MAX_DELTA = 10**9


def _not_nothing(delta: int) -> int:
    if delta == 0:
        raise ValueError("must not be 0")
    return delta


class PutStock(RequestModel):
    on_hand: Units | None = Field(default=None, description="Unsold units.")
    physical: Units | None = Field(
        default=None,
        validate_default=True,
        description="A count that includes paid units that have not shipped.",
    )

    @field_validator("physical")
    @classmethod
    def _one_of_them(cls, physical: int | None, sent: ValidationInfo) -> int | None:
        return just_one(physical, sent, "on_hand")


class PatchSku(RequestModel):
    stock_shards: Annotated[
        int,
        Field(
            ge=1,
            le=MAX_SHARDS,
            description="How many items its stock is spread over: more for a SKU that many want "
            "in the same second.",
        ),
    ]


class AdjustStock(RequestModel):
    delta: Annotated[
        int,
        Field(
            ge=-MAX_DELTA,
            le=MAX_DELTA,
            description="Units to add or, below zero, to take away.",
        ),
        AfterValidator(_not_nothing),
    ]
    reason: Text


class StockView(View):
    sku_id: str
    on_hand: int
    reserved: int
    available: int
    committed: int


class SkuOnSaleView(View):
    id: str
    product_id: str
    supplier_id: str
    title: str
    supplier_sku: str | None
    currency: str
    list_price: int
    cost: int
    stock_shards: int


class AdjustmentView(View):
    id: str
    sku_id: str
    delta: int
    reason: str
    made_by: Role
    created_at: Instant


class RowErrorView(View):
    line: int = Field(description="The header is line 1.")
    field: str
    message: str


class ImportedView(View):
    rows: int
    taken: int
    errors: list[RowErrorView]
