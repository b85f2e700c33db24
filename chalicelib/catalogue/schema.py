"""Requests and answers about products and campaigns."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from chalicelib.catalogue.rules import CampaignStatus, CommissionBasis, ProductStatus
from chalicelib.platform.schema import (
    Amount,
    BasisPoints,
    Currency,
    Identifier,
    Instant,
    InstantIn,
    LongText,
    PositiveAmount,
    Quantity,
    RequestModel,
    ShortText,
    Text,
    View,
)

MAX_SKUS = 50
MAX_OFFERS = 1000
MAX_LEADERS = 1000


class SkuIn(RequestModel):
    title: ShortText
    supplier_sku: ShortText | None = None
    list_price: Amount
    cost: Amount


class CreateProduct(RequestModel):
    supplier_id: Identifier
    title: ShortText
    description: LongText | None = None
    category: ShortText | None = None
    currency: Currency
    skus: Annotated[list[SkuIn], Field(min_length=1, max_length=MAX_SKUS)]


class RejectProduct(RequestModel):
    reason: Text


class SkuView(View):
    id: str
    title: str
    supplier_sku: str | None
    list_price: int
    cost: int


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


class CommissionIn(RequestModel):
    basis: CommissionBasis
    rate_bps: BasisPoints


class OfferIn(RequestModel):
    sku_id: Identifier
    price: PositiveAmount
    commission: CommissionIn
    limit_per_customer: Quantity | None = None


class CreateCampaign(RequestModel):
    title: ShortText
    opens_at: InstantIn
    closes_at: InstantIn
    currency: Currency
    offers: Annotated[list[OfferIn], Field(min_length=1, max_length=MAX_OFFERS)]
    leader_ids: Annotated[list[Identifier], Field(min_length=1, max_length=MAX_LEADERS)] | None = (
        Field(default=None, description="The leaders it is for; left out, it is for every leader.")
    )

    @field_validator("closes_at")
    @classmethod
    def _after_it_opens(cls, closes_at: datetime, sent: ValidationInfo) -> datetime:
        if "opens_at" in sent.data and closes_at <= sent.data["opens_at"]:
            raise ValueError("must be after opens_at")
        return closes_at

    @field_validator("offers")
    @classmethod
    def _one_offer_a_sku(cls, offers: list[OfferIn]) -> list[OfferIn]:
        if len({offer.sku_id for offer in offers}) < len(offers):
            raise ValueError("must not name one SKU twice")
        return offers

    @field_validator("leader_ids")
    @classmethod
    def _each_leader_once(cls, leader_ids: list[str] | None) -> list[str] | None:
        if leader_ids and len(set(leader_ids)) < len(leader_ids):
            raise ValueError("must not name one leader twice")
        return leader_ids


class CommissionView(View):
    basis: CommissionBasis
    rate_bps: int


class OfferView(View):
    sku_id: str
    title: str
    price: int
    commission: CommissionView
    limit_per_customer: int | None


class CampaignSummaryView(View):
    id: str
    title: str
    status: CampaignStatus
    opens_at: Instant
    closes_at: Instant
    currency: str
    for_every_leader: bool
    created_at: Instant


class CampaignView(CampaignSummaryView):
    leader_ids: list[str] = Field(description="Empty where it is for every leader.")
    offers: list[OfferView]
