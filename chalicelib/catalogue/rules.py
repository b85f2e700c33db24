"""Products, campaigns and offers, and what is true of them at an instant."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.kernel import clock

ProductStatus = Literal["pending", "active", "rejected"]
CampaignStatus = Literal["scheduled", "open", "closed", "cancelled"]
CommissionBasis = Literal["sales", "gross_profit"]

EVERY_LEADER = "*"


@dataclass(frozen=True)
class Sku:
    """A sellable unit. `list_price` and `cost` are in the product's currency, minor units."""

    id: str
    title: str
    supplier_sku: str | None
    list_price: int
    cost: int


@dataclass(frozen=True)
class Product:
    id: str
    supplier_id: str
    title: str
    description: str | None
    category: str | None
    currency: str
    status: ProductStatus
    rejection_reason: str | None
    skus: tuple[Sku, ...]
    version: int
    created_at: datetime

    def sku(self, sku_id: str) -> Sku:
        return next(sku for sku in self.skus if sku.id == sku_id)


@dataclass(frozen=True)
class Commission:
    """A leader's share: of what a line brings (`sales`) or of what it leaves over its cost."""

    basis: CommissionBasis
    rate_bps: int


@dataclass(frozen=True)
class Offer:
    """A SKU at a price with a commission. The supplier's cost is the one agreed at its making."""

    campaign_id: str
    sku_id: str
    product_id: str
    supplier_id: str
    supplier_sku: str | None
    title: str
    price: int
    unit_cost: int
    basis: CommissionBasis
    rate_bps: int
    limit_per_customer: int | None
    # Over how many shards its SKU's stock is spread, as a hint: wrong, it costs only time.
    stock_shards: int = 1
    # Whoever found that nothing was left of a hot SKU spares others the search for a moment.
    sold_out_until: datetime | None = None

    def is_sold_out_at(self, now: datetime) -> bool:
        return self.sold_out_until is not None and now < self.sold_out_until

    @property
    def commission(self) -> Commission:
        return Commission(self.basis, self.rate_bps)


@dataclass(frozen=True)
class Campaign:
    """A window in which offers are open to communities: to all of them, or to those named."""

    id: str
    title: str
    opens_at: datetime
    closes_at: datetime
    currency: str
    for_every_leader: bool
    cancelled: bool
    version: int
    created_at: datetime

    def status_at(self, now: datetime) -> CampaignStatus:
        if self.cancelled:
            return "cancelled"
        if now < self.opens_at:
            return "scheduled"
        return "open" if now < self.closes_at else "closed"

    @property
    def status(self) -> CampaignStatus:
        """The status now: a campaign opens and closes by the clock alone."""
        return self.status_at(clock.now())


def offer_title(product: Product, sku: Sku) -> str:
    """What a resident reads on the order line."""
    return product.title if sku.title == product.title else f"{product.title}, {sku.title}"
