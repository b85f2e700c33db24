"""What leaders ask in their communities: at or above the floor of an offer, and not boundless."""

from dataclasses import dataclass

from chalicelib.catalogue import on_sale
from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.rules import Campaign, LeaderPrice, Offer
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.parties import service as parties
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import write

# Of the offer's price: more is a slip of the pen, such as a comma that was left out.
MOST_TIMES = 10


@dataclass(frozen=True)
class LeaderPriceOf:
    """A leader's price of one unit, in the campaign's currency and minor unit; None where it asks
    the offer's."""

    leader_id: str
    campaign_id: str
    sku_id: str
    price: int | None


@retry_stale
def set_price(leader_id: str, campaign_id: str, sku_id: str, price: int | None) -> LeaderPriceOf:
    """Orders placed from now on pay this price, or without one the offer's; those before keep
    theirs.

    Raises Invalid for what is not offered, `below_floor` and `above_ceiling` for a price that is
    too low or too high; Conflict where the campaign is over or not for the leader's community.
    """
    parties.leader(leader_id)
    campaign = _campaign_of(leader_id, campaign_id)
    offer = catalogue.get_offer(campaign_id, sku_id)
    if offer is None:
        raise Invalid.field("sku_id", "is not offered in this campaign")
    status = campaign.status_at(clock.now())
    if status in ("closed", "cancelled"):
        raise Conflict(f"The campaign is {status}.", code="campaign_not_open")
    asked = None if price is None else _checked(offer, price)
    write(catalogue.set_leader_price(campaign_id, leader_id, sku_id, asked))
    on_sale.forget(campaign_id)
    return LeaderPriceOf(leader_id, campaign_id, sku_id, price)


def _campaign_of(leader_id: str, campaign_id: str) -> Campaign:
    campaign = catalogue.get_campaign(campaign_id)
    if campaign is None:
        raise Invalid.field("campaign_id", "is not a campaign")
    if not (campaign.for_every_leader or catalogue.names_leader(campaign_id, leader_id)):
        raise Conflict("The campaign is not for this leader's community.", code="campaign_not_open")
    return campaign


def _checked(offer: Offer, price: int) -> LeaderPrice:
    most = offer.price * MOST_TIMES
    if price < offer.lowest_leader_price:
        raise Invalid.field(
            "price", f"must be at least {offer.lowest_leader_price}", code="below_floor"
        )
    if not offer.terms.leaves_a_price(price):
        raise Invalid.field(
            "price", "leaves nothing to pay for a quantity break", code="below_floor"
        )
    if price > most:
        raise Invalid.field(
            "price",
            f"must be at most {most}, {MOST_TIMES} times the offer's",
            code="above_ceiling",
        )
    return LeaderPrice(offer.sku_id, price, offer.priced_at)
