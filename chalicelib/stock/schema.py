"""Requests and answers about stock."""

from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from chalicelib.kernel.callers import Role
from chalicelib.platform.schema import (
    Identifier,
    Instant,
    RequestModel,
    RowErrorView,
    Text,
    Units,
    View,
    just_one,
)
from chalicelib.stock.rules import MAX_SHARDS

MAX_DELTA = 10**9


def _not_nothing(delta: int) -> int:
    if delta == 0:
        raise ValueError("must not be 0")
    return delta


def _not_null(value: Any) -> Any:
    """For a field that may be left out, and has no meaning without a value."""
    if value is None:
        raise ValueError("must not be null")
    return value


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
        Annotated[int, Field(ge=1, le=MAX_SHARDS)] | None, BeforeValidator(_not_null)
    ] = Field(
        default=None,
        description="How many items its stock is spread over: more for a SKU that many want in the "
        "same second.",
    )
    alternate_of: Identifier | None = Field(
        default=None,
        description="The SKU in whose place this one is shipped, where the supplier of that will "
        "not; null for none. Operators only, and not with stock_shards.",
    )
    priority: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=1, description="Of several alternates the lowest is tried first."
    )

    @property
    def names_alternate(self) -> bool:
        return "alternate_of" in self.model_fields_set

    @model_validator(mode="after")
    def _one_thing(self) -> "PatchSku":
        if self.names_alternate == (self.stock_shards is not None):
            raise ValueError("must name either stock_shards or alternate_of")
        if "priority" in self.model_fields_set and not self.alternate_of:
            raise ValueError("must name alternate_of with its priority")
        return self


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
    fulfilment_mode: str
    stock_shards: int
    alternate_of: str | None = Field(description="The SKU in whose place it is shipped.")
    priority: int | None


class AdjustmentView(View):
    id: str
    sku_id: str
    delta: int
    reason: str
    made_by: Role
    created_at: Instant


class ImportedView(View):
    rows: int
    taken: int
    errors: list[RowErrorView]
