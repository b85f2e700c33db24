"""Requests and answers about products and their SKUs."""

from typing import Annotated

from pydantic import Field, field_validator

from chalicelib.catalogue.rules import ProductStatus
from chalicelib.parties.terms import STANDARD
from chalicelib.platform.schema import (
    Amount,
    Currency,
    EditModel,
    Identifier,
    Instant,
    LongText,
    ModeName,
    RequestModel,
    ShortText,
    Text,
    View,
    stays,
)

MAX_SKUS = 50


class SkuIn(RequestModel):
    title: ShortText
    supplier_sku: ShortText | None = None
    list_price: Amount
    cost: Amount
    fulfilment_mode: ModeName = Field(
        default=STANDARD, description="By which of its supplier's clocks it is shipped."
    )


class CreateProduct(RequestModel):
    supplier_id: Identifier | None = Field(
        default=None, description="Required of an operator; a supplier's is its own."
    )
    title: ShortText
    description: LongText | None = None
    category: ShortText | None = None
    currency: Currency
    skus: Annotated[list[SkuIn], Field(min_length=1, max_length=MAX_SKUS)]


class EditSku(RequestModel):
    """What is left out stays as it is."""

    id: Identifier
    title: ShortText = stays()
    list_price: Amount = stays()
    cost: Amount = stays("What its supplier is paid a unit by offers made from now on.")


class EditProduct(EditModel):
    """What is left out stays as it is."""

    title: ShortText = stays()
    description: LongText | None = stays("Null takes it away.")
    category: ShortText | None = stays("Null takes it away.")
    skus: Annotated[list[EditSku], Field(min_length=1, max_length=MAX_SKUS)] = stays(
        "Those that change; the others stay as they are."
    )

    @field_validator("skus")
    @classmethod
    def _each_once(cls, skus: list[EditSku]) -> list[EditSku]:
        if len({sku.id for sku in skus}) < len(skus):
            raise ValueError("must not name one SKU twice")
        return skus


class RejectProduct(RequestModel):
    reason: Text


class SkuView(View):
    id: str
    title: str
    supplier_sku: str | None
    list_price: int
    cost: int
    fulfilment_mode: str


class ProductView(View):
    id: str
    supplier_id: str
    title: str
    description: str | None
    category: str | None
    currency: str
    status: ProductStatus
    rejection_reason: str | None
    skus: list[SkuView]
    created_at: Instant
