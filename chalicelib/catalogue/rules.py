"""Products, campaigns and offers, and what is true of them at an instant."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo

from chalicelib.catalogue.pricing import Price, PriceStep, QuantityBreak, Terms, percent_at
from chalicelib.kernel import clock
from chalicelib.parties.terms import STANDARD
from chalicelib.plans.rules import Sold

ProductStatus = Literal["pending", "active", "rejected"]
CampaignStatus = Literal["scheduled", "open", "closed", "cancelled"]
CommissionBasis = Literal["sales", "gross_profit"]
TargetKind = Literal["buyers", "units"]
Outcome = Literal["met", "missed"]

EVERY_LEADER = "*"
# How often a cap, or a campaign's room for orders, can be raised: each time adds to the shards that
# are looked through for its last units.
MOST_RAISES = 20
# However cool its SKU, a cap has a shard for so many units, up to so many shards: a SKU may become
# hot when its caps can no longer be laid out anew.
UNITS_A_CAP_SHARD = 100
MOST_CAP_SHARDS = 50
# Orders are counted through an index, which is a little behind the last order before the close.
JUDGED_AFTER = timedelta(minutes=1)
# An order that the index did not know yet when all were asked to go on is found then.
ASKED_AGAIN_AFTER = timedelta(minutes=2)


@dataclass(frozen=True)
class Sku:
    """A sellable unit. `list_price` and `cost` are in the product's currency, minor units.

    Its fulfilment mode says by which of its supplier's clocks it is shipped.
    """

    id: str
    title: str
    supplier_sku: str | None
    list_price: int
    cost: int
    fulfilment_mode: str = STANDARD


@dataclass(frozen=True)
class AlternateSku:
    """A SKU that is shipped in place of another; the lowest priority is tried first."""

    sku_id: str
    priority: int


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
    """A SKU at a price, with a commission or by the leader's plan. The supplier's cost is the one
    agreed at its making."""

    campaign_id: str
    sku_id: str
    product_id: str
    supplier_id: str
    supplier_sku: str | None
    title: str
    price: int
    unit_cost: int
    # Its own commission; none is what the leader's plan says.
    basis: CommissionBasis | None
    rate_bps: int | None
    limit_per_customer: int | None
    # The lowest price that a leader may set; None where none may set one below the offer's.
    floor_price: int | None = None
    price_schedule: tuple[PriceStep, ...] = ()
    quantity_breaks: tuple[QuantityBreak, ...] = ()
    # How many units the campaign sells of it, whatever the stock holds, and by how much that was
    # raised, step by step, while they were sold.
    quantity_cap: int | None = None
    cap_raises: tuple[int, ...] = ()
    # Over how many shards its cap is spread, from when it was set: what each holds follows from it.
    cap_shards: int = 1
    # The version of the campaign at which its prices became what they are.
    priced_at: int = 1
    fulfilment_mode: str = STANDARD
    # Over how many shards its SKU's stock is spread, as a hint: wrong, it costs only time.
    stock_shards: int = 1
    # Whoever found that nothing was left of a hot SKU spares others the search for a moment.
    sold_out_until: datetime | None = None
    category: str | None = None

    def with_cap_laid_out(self) -> "Offer":
        """Its cap over as many shards as its stock; nothing may have been taken of it."""
        return replace(self, cap_shards=shards_of_cap(self.quantity_cap, self.stock_shards))

    def is_sold_out_at(self, now: datetime) -> bool:
        return self.sold_out_until is not None and now < self.sold_out_until

    @property
    def commission(self) -> Commission | None:
        if self.basis is None or self.rate_bps is None:
            return None
        return Commission(self.basis, self.rate_bps)

    def sold_at(self, level: str | None) -> Sold:
        """What a plan's rules look at where a leader of that level sells it."""
        return Sold(self.sku_id, self.product_id, self.campaign_id, self.category, level)

    @property
    def terms(self) -> Terms:
        return Terms(self.price, self.price_schedule, self.quantity_breaks)

    def price_of(
        self, units: int, now: datetime, zone: ZoneInfo, leader_price: int | None = None
    ) -> Price:
        """What `units` cost at an instant by the clock of `zone`, at the leader's price if set."""
        percent = percent_at(self.price_schedule, now, zone)
        return self.terms.price_of(units, percent=percent, leader_price=leader_price)

    @property
    def lowest_leader_price(self) -> int:
        return self.price if self.floor_price is None else self.floor_price

    def price_asked(self, asked: "LeaderPrice | None") -> int | None:
        """The leader's own price, if it set one under the prices that the offer has now."""
        return asked.price if asked and asked.priced_at == self.priced_at else None


@dataclass(frozen=True)
class LeaderPrice:
    """What a leader asks for one unit of a SKU in its community, in minor units.

    `priced_at` is the offer's own when it was set: once the offer has other prices it is void.
    """

    sku_id: str
    price: int
    priced_at: int = 1


@dataclass(frozen=True)
class Target:
    """What a campaign must sell for its orders to go on: so many buyers, or so many units."""

    kind: TargetKind
    count: int


@dataclass(frozen=True)
class Campaign:
    """A window in which offers are open to communities: to all of them, or to those named.

    `look_at` is when the next thing is due to it: to tell that it has closed, to judge it by its
    target, or to look whether all its orders are undone.
    """

    id: str
    title: str
    opens_at: datetime
    closes_at: datetime
    currency: str
    for_every_leader: bool
    cancelled: bool
    version: int
    created_at: datetime
    look_at: datetime | None = None
    closing_told: bool = False
    target: Target | None = None
    outcome: Outcome | None = None
    judged_at: datetime | None = None
    # How many live orders it takes, since a pick-up point has only so much room, and by how much
    # that was raised, step by step, while it took them.
    max_orders: int | None = None
    max_orders_raises: tuple[int, ...] = ()
    # Over how many shards its room for orders is spread, from when that was set.
    place_shards: int = 1
    # Whoever found that it takes no more orders spares others the search for a moment.
    full_until: datetime | None = None

    def is_full_at(self, now: datetime) -> bool:
        return self.full_until is not None and now < self.full_until

    @property
    def gives_up(self) -> bool:
        """Whether its orders are undone instead of shipped."""
        return self.cancelled or self.outcome == "missed"

    @property
    def waits_for_its_target(self) -> bool:
        return self.target is not None and self.outcome is None and not self.cancelled

    def told_closed(self, now: datetime) -> "Campaign":
        look_at = now + JUDGED_AFTER if self.waits_for_its_target else None
        return self.changed(closing_told=True, look_at=look_at)

    def judged(self, outcome: Outcome, now: datetime) -> "Campaign":
        return self.changed(outcome=outcome, judged_at=now, look_at=now + ASKED_AGAIN_AFTER)

    def changed(self, **changes: Any) -> Self:
        return replace(self, version=self.version + 1, **changes)

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


def raised(raises: tuple[int, ...], before: int | None, after: int | None) -> tuple[int, ...]:
    """The steps by which a number was raised once it goes from `before` to `after`; None lifts it.

    Each step is a pool of its own, so that what has been taken of the others needs no look.
    """
    if before is None or after is None:
        return ()
    return raises if after == before else (*raises, after - before)


def shards_of_cap(units: int | None, stock_shards: int) -> int:
    """Over how many shards a cap is spread: no order waits longer for it than for the stock."""
    by_units = min((units or 0) // UNITS_A_CAP_SHARD, MOST_CAP_SHARDS)
    return max(stock_shards, by_units)


def offer_title(product: Product, sku: Sku) -> str:
    """What a resident reads on the order line."""
    return product.title if sku.title == product.title else f"{product.title}, {sku.title}"
