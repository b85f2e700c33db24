"""What a community can buy now."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.pricing import Price, PriceReason, QuantityBreak
from chalicelib.catalogue.rules import Offer
from chalicelib.kernel import clock
from chalicelib.parties import service as parties
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.settings import settings
from chalicelib.stock import store as stock


@dataclass(frozen=True)
class OpenOffer:
    """An offer with what is left of it now."""

    sku_id: str
    title: str
    price: int
    price_reason: tuple[PriceReason, ...]
    quantity_breaks: tuple[QuantityBreak, ...]
    limit_per_customer: int | None
    available: int


@dataclass(frozen=True)
class OpenCampaign:
    id: str
    title: str
    closes_at: datetime
    currency: str
    offers: tuple[OpenOffer, ...]


def open_campaigns(leader_id: str, page: PageRequest) -> Page[OpenCampaign]:
    """The campaigns now open in the leader's community, the soonest to close first."""
    parties.leader(leader_id)
    now = clock.now()
    after = (clock.from_text(page.after[0]), page.after[1]) if page.after else None
    campaigns = catalogue.campaigns_of_leader(leader_id, now, after)
    found = list(
        islice((each for each in campaigns if each.status_at(now) == "open"), page.limit + 1)
    )
    shown = found[: page.limit]
    last = shown[-1] if len(found) > page.limit else None
    return Page(
        tuple(
            OpenCampaign(
                each.id, each.title, each.closes_at, each.currency, _offers(each.id, leader_id, now)
            )
            for each in shown
        ),
        (clock.to_text(last.closes_at), last.id) if last else None,
    )


def _offers(campaign_id: str, leader_id: str, now: datetime) -> tuple[OpenOffer, ...]:
    offers = catalogue.offers(campaign_id)
    asked = catalogue.leader_prices(campaign_id, leader_id)
    stocks = stock.get_stocks([offer.sku_id for offer in offers])
    return tuple(
        _open(
            offer,
            stocks[offer.sku_id].available if offer.sku_id in stocks else 0,
            asked.get(offer.sku_id),
            now,
        )
        for offer in offers
    )


def _open(offer: Offer, available: int, leader_price: int | None, now: datetime) -> OpenOffer:
    def price_of(units: int) -> Price:
        return offer.price_of(units, now, settings().zone, leader_price)

    single = price_of(1)
    return OpenOffer(
        sku_id=offer.sku_id,
        title=offer.title,
        price=single.unit_price,
        price_reason=single.reasons,
        quantity_breaks=tuple(
            QuantityBreak(each.units, price_of(each.units).amount) for each in offer.quantity_breaks
        ),
        limit_per_customer=offer.limit_per_customer,
        available=available,
    )
