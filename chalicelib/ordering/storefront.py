"""What a community can buy now."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.rules import Offer
from chalicelib.kernel import clock
from chalicelib.ordering import store as ordering
from chalicelib.parties import service as parties

CAMPAIGNS_SHOWN = 50


@dataclass(frozen=True)
class OpenOffer:
    """An offer with what is left of it now."""

    sku_id: str
    title: str
    price: int
    limit_per_customer: int | None
    available: int


@dataclass(frozen=True)
class OpenCampaign:
    id: str
    title: str
    closes_at: datetime
    currency: str
    offers: tuple[OpenOffer, ...]


def open_campaigns(leader_id: str) -> tuple[OpenCampaign, ...]:
    """The campaigns now open in the leader's community, the soonest to close first."""
    parties.leader(leader_id)
    now = clock.now()
    campaigns = catalogue.campaigns_of_leader(leader_id, now, CAMPAIGNS_SHOWN)
    return tuple(
        OpenCampaign(each.id, each.title, each.closes_at, each.currency, _offers(each.id))
        for each in campaigns
        if each.status_at(now) == "open"
    )


def _offers(campaign_id: str) -> tuple[OpenOffer, ...]:
    offers = catalogue.offers(campaign_id)
    stocks = ordering.get_stocks([offer.sku_id for offer in offers])
    return tuple(
        _open(offer, stocks[offer.sku_id].available if offer.sku_id in stocks else 0)
        for offer in offers
    )


def _open(offer: Offer, available: int) -> OpenOffer:
    return OpenOffer(offer.sku_id, offer.title, offer.price, offer.limit_per_customer, available)
