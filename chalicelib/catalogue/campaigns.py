"""What can be done with campaigns: made, cloned and read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.catalogue import commissions, product_store, rules
from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.pricing import Terms
from chalicelib.catalogue.rules import (
    Campaign,
    Commission,
    Offer,
    Product,
    Target,
)
from chalicelib.catalogue.store import CampaignRow
from chalicelib.kernel import clock, ids
from chalicelib.kernel.errors import FieldError, Invalid, NotFound
from chalicelib.parties import store as party_store
from chalicelib.parties.rules import Leader
from chalicelib.platform.transaction import Recorder, Transaction, create


@dataclass(frozen=True)
class NewOffer:
    sku_id: str
    terms: Terms
    commission: Commission | None
    limit_per_customer: int | None
    floor_price: int | None
    quantity_cap: int | None


@dataclass(frozen=True)
class NewCampaign:
    title: str
    opens_at: datetime
    closes_at: datetime
    currency: str
    offers: Sequence[NewOffer]
    leader_ids: Sequence[str]
    target: Target | None
    max_orders: int | None


@dataclass(frozen=True)
class CampaignWhole(Campaign):
    """A campaign with its offers and the leaders it names."""

    offers: Sequence[Offer] = ()
    leader_ids: Sequence[str] = ()

    @classmethod
    def of(
        cls, campaign: Campaign, offers: Sequence[Offer], leader_ids: Sequence[str]
    ) -> "CampaignWhole":
        return cls(**vars(campaign), offers=offers, leader_ids=leader_ids)

    def with_caps_laid_out(self) -> "CampaignWhole":
        """Its caps over as many shards as their stocks; nothing may have been taken of them."""
        offers = [each.with_cap_laid_out() for each in self.offers]
        hottest = max((each.stock_shards for each in offers), default=1)
        places = rules.shards_of_cap(self.max_orders, hottest)
        return replace(self, offers=offers, place_shards=places)


def create_campaign(new: NewCampaign, recorder: Recorder | None) -> CampaignWhole:
    """Check and freeze every offer, then open the campaign to its leaders.

    Raises Invalid where its close is past, and naming each SKU or leader that is unknown, not on
    sale, or of another currency.
    """
    now = clock.now()
    check_closes_later(new.closes_at, now)
    campaign = Campaign(
        id=ids.new("cmp"),
        title=new.title,
        opens_at=new.opens_at,
        closes_at=new.closes_at,
        currency=new.currency,
        for_every_leader=not new.leader_ids,
        cancelled=False,
        version=1,
        created_at=now,
        look_at=new.closes_at,
        target=new.target,
        max_orders=new.max_orders,
    )
    leaders = check_leaders(new.leader_ids, new.currency)
    offers = offers_of(new.offers, campaign)
    commissions.check(campaign, offers, leaders)
    whole = CampaignWhole.of(campaign, offers, new.leader_ids).with_caps_laid_out()
    catalogue.lay_out(whole, whole.offers, new.leader_ids)
    transaction = Transaction(recorder)
    transaction.add(create(CampaignRow.of(whole)))
    transaction.commit(whole)
    return whole


def clone_campaign(
    campaign_id: str,
    title: str | None,
    opens_at: datetime,
    closes_at: datetime,
    recorder: Recorder | None,
) -> CampaignWhole:
    """The offers, leaders and target of a campaign in another window. Raises as creating does."""
    model = campaign_whole(campaign_id)
    offers = [
        NewOffer(
            each.sku_id,
            each.terms,
            each.commission,
            each.limit_per_customer,
            each.floor_price,
            each.quantity_cap,
        )
        for each in model.offers
    ]
    new = NewCampaign(
        title or model.title,
        opens_at,
        closes_at,
        model.currency,
        offers,
        model.leader_ids,
        model.target,
        model.max_orders,
    )
    return create_campaign(new, recorder)


def campaign(campaign_id: str) -> Campaign:
    found = catalogue.get_campaign(campaign_id)
    if found is None:
        raise NotFound("There is no such campaign.")
    return found


def campaign_whole(campaign_id: str) -> CampaignWhole:
    return CampaignWhole.of(
        campaign(campaign_id), catalogue.offers(campaign_id), catalogue.leader_ids(campaign_id)
    )


def check_closes_later(closes_at: datetime, now: datetime) -> None:
    if closes_at <= now:
        raise Invalid.field("closes_at", "must lie in the future")


def check_leaders(leader_ids: Sequence[str], currency: str) -> list[Leader]:
    """Raises Invalid naming each that is no leader, or one of another currency."""
    found = {leader.id: leader for leader in party_store.get_leaders(leader_ids)}
    unknown = [
        FieldError(f"leader_ids.{n}", "is not a leader")
        for n, leader_id in enumerate(leader_ids)
        if leader_id not in found
    ]
    if unknown:
        raise Invalid("Some leaders are unknown.", errors=tuple(unknown))
    foreign = [
        FieldError(f"leader_ids.{n}", _foreign(found[leader_id].currency, currency))
        for n, leader_id in enumerate(leader_ids)
        if found[leader_id].currency != currency
    ]
    if foreign:
        raise Invalid(
            "Some leaders have another currency.", code="currency_mismatch", errors=tuple(foreign)
        )
    return list(found.values())


def offers_of(
    new: Sequence[NewOffer], campaign: Campaign, before: Mapping[str, Offer] | None = None
) -> list[Offer]:
    """The offers as the campaign has them from this version on.

    What a SKU had agreed in an offer `before`, its cost above all, stays. Raises Invalid naming
    each other SKU that is unknown, not on sale, or of another currency.
    """
    known = before or {}
    added = {n: offer for n, offer in enumerate(new) if offer.sku_id not in known}
    made = {each.sku_id: each for each in _made(added, campaign)}
    return [
        made.get(offer.sku_id) or _changed(known[offer.sku_id], offer, campaign.version)
        for offer in new
    ]


def _made(new: Mapping[int, NewOffer], campaign: Campaign) -> list[Offer]:
    """New offers, each by its place in the request."""
    skus = product_store.get_skus(offer.sku_id for offer in new.values())
    product_of = {sku_id: row.product_id for sku_id, row in skus.items()}
    products = product_store.get_products(product_of.values())
    wrong: list[FieldError] = []
    foreign: list[FieldError] = []
    for n, offer in new.items():
        product = products.get(product_of.get(offer.sku_id, ""))
        field = f"offers.{n}.sku_id"
        if product is None:
            wrong.append(FieldError(field, "is not a SKU"))
        elif product.status != "active":
            wrong.append(FieldError(field, _not_on_sale(product)))
        elif product.currency != campaign.currency:
            foreign.append(FieldError(field, _foreign(product.currency, campaign.currency)))
    if wrong:
        raise Invalid("Some SKUs cannot be offered.", errors=tuple(wrong))
    if foreign:
        raise Invalid(
            "Some SKUs have another currency.", code="currency_mismatch", errors=tuple(foreign)
        )
    return [
        _offer(
            offer,
            products[product_of[offer.sku_id]],
            campaign,
            skus[offer.sku_id].stock_shards,
        )
        for offer in new.values()
    ]


def _foreign(currency: str, wanted: str) -> str:
    return f"has the currency {currency}, not {wanted}"


def _not_on_sale(product: Product) -> str:
    said = f"belongs to a product that is {product.status}"
    if product.status == "pending":
        return f"{said}: POST /v1/products/{product.id}/approve puts it on sale"
    return said


def _offer(new: NewOffer, product: Product, campaign: Campaign, shards: int) -> Offer:
    sku = product.sku(new.sku_id)
    return Offer(
        campaign_id=campaign.id,
        sku_id=sku.id,
        product_id=product.id,
        supplier_id=product.supplier_id,
        supplier_sku=sku.supplier_sku,
        title=rules.offer_title(product, sku),
        category=product.category,
        unit_cost=sku.cost,
        fulfilment_mode=sku.fulfilment_mode,
        stock_shards=shards,
        priced_at=campaign.version,
        **_asked(new),
    )


def _changed(before: Offer, new: NewOffer, version: int) -> Offer:
    after = replace(before, **_asked(new))
    same_prices = (after.terms, after.floor_price) == (before.terms, before.floor_price)
    return after if same_prices else replace(after, priced_at=version)


def _asked(new: NewOffer) -> dict[str, Any]:
    """The fields of an offer that are asked for; the others follow from its SKU and campaign."""
    return {
        "price": new.terms.price,
        "basis": new.commission.basis if new.commission else None,
        "rate_bps": new.commission.rate_bps if new.commission else None,
        "limit_per_customer": new.limit_per_customer,
        "floor_price": new.floor_price,
        "quantity_cap": new.quantity_cap,
        "price_schedule": tuple(new.terms.schedule),
        "quantity_breaks": tuple(new.terms.breaks),
    }
