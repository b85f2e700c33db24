"""What leaders ask in their communities, at or above the floor of an offer."""

from dataclasses import dataclass

from chalicelib.catalogue import on_sale
from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.rules import Campaign, LeaderPrice, Offer
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.parties import service as parties
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import write


@dataclass(frozen=True)
class LeaderPriceOf:
    """A leader's price of one unit, in the campaign's currency and minor unit."""

    leader_id: str
    campaign_id: str
    sku_id: str
    price: int


@retry_stale
def set_price(leader_id: str, campaign_id: str, sku_id: str, price: int) -> LeaderPriceOf:
    """Orders placed from now on pay this price; those before keep theirs.

    Raises Invalid for a campaign or SKU that is not the leader's to sell, and `below_floor` for a
    price that is too low; Conflict where the campaign is over.
    """
    parties.leader(leader_id)
    campaign = _campaign_of(leader_id, campaign_id)
    offer = catalogue.get_offer(campaign_id, sku_id)
    if offer is None:
        raise Invalid.field("sku_id", "is not offered in this campaign")
    status = campaign.status_at(clock.now())
    if status in ("closed", "cancelled"):
        raise Conflict(f"The campaign is {status}.", code="campaign_not_open")
    _check(offer, price)
    asked = LeaderPrice(sku_id, price, offer.priced_at)
    write(catalogue.set_leader_price(campaign_id, leader_id, asked))
    on_sale.forget(campaign_id)
    return LeaderPriceOf(leader_id, campaign_id, sku_id, price)


def _campaign_of(leader_id: str, campaign_id: str) -> Campaign:
    campaign = catalogue.get_campaign(campaign_id)
    if campaign and (campaign.for_every_leader or catalogue.names_leader(campaign_id, leader_id)):
        return campaign
    raise Invalid.field("campaign_id", "is not a campaign for this leader's community")


def _check(offer: Offer, price: int) -> None:
    if price < offer.lowest_leader_price:
        raise Invalid.field(
            "price", f"must be at least {offer.lowest_leader_price}", code="below_floor"
        )
    if not offer.terms.leaves_a_price(price):
        raise Invalid.field(
            "price", "leaves nothing to pay for a quantity break", code="below_floor"
        )
