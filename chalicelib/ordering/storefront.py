"""What a community can buy now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Literal

from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.pricing import Price, PriceReason, PriceStep, QuantityBreak, later_today
from chalicelib.catalogue.rules import Campaign, Commission, Offer, Target
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.ordering import caps, earning_by
from chalicelib.ordering import store as ordering
from chalicelib.ordering.held_units import PLACES
from chalicelib.parties import service as parties
from chalicelib.parties.rules import Leader, PickupPoint
from chalicelib.plans import service as plans
from chalicelib.plans.rules import Plan
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.settings import settings
from chalicelib.stock import store as stock
from chalicelib.stock.levels import Stock

OpenStatus = Literal["open", "full"]
UnavailableReason = Literal["campaign_full", "sold_out"]


@dataclass(frozen=True)
class LaterPrice:
    """What one unit will cost from a time of day on (`HH:MM` where the platform is at home)."""

    at: str
    price: int


@dataclass(frozen=True)
class OfferTerms:
    """On what terms a leader sells an offer: its own price in the place of the offer's, and what
    it earns."""

    price: int
    leader_price: int | None
    floor_price: int | None
    price_schedule: tuple[PriceStep, ...]
    commission: Commission | None


@dataclass(frozen=True)
class OpenOffer:
    """An offer with what is left of it now."""

    sku_id: str
    title: str
    price: int
    price_reason: tuple[PriceReason, ...]
    quantity_breaks: tuple[QuantityBreak, ...]
    later_today: tuple[LaterPrice, ...]
    limit_per_customer: int | None
    available: int
    unavailable_reason: UnavailableReason | None
    terms: OfferTerms | None


@dataclass(frozen=True)
class OpenCampaign:
    """A campaign that is open; full while it has all the orders it can take."""

    id: str
    title: str
    status: OpenStatus
    closes_at: datetime
    currency: str
    orders_left: int | None
    target: Target | None
    pickup_point: PickupPoint
    offers: tuple[OpenOffer, ...]


def open_campaigns(leader_id: str, caller: Caller, page: PageRequest) -> Page[OpenCampaign]:
    """The campaigns now open in the leader's community, the soonest to close first.

    The terms of their offers are shown to the leader itself and to operators.
    """
    leader = parties.leader(leader_id)
    if not leader.takes_orders:
        return Page(())
    with_terms = caller.is_operator or (caller.role, caller.id) == ("leader", leader_id)
    plan = plans.plan_of_leader(leader) if with_terms else None
    now = clock.now()
    after = (clock.from_text(page.after[0]), page.after[1]) if page.after else None
    campaigns = catalogue.campaigns_of_leader(leader_id, now, after)
    found = list(
        islice((each for each in campaigns if each.status_at(now) == "open"), page.limit + 1)
    )
    shown = found[: page.limit]
    last = shown[-1] if len(found) > page.limit else None
    return Page(
        tuple(_open(each, leader, now, _Shown(with_terms, leader, plan, now)) for each in shown),
        (clock.to_text(last.closes_at), last.id) if last else None,
    )


def _open(campaign: Campaign, leader: Leader, now: datetime, terms: "_Shown") -> OpenCampaign:
    offers = catalogue.offers(campaign.id)
    stocks = stock.get_stocks([offer.sku_id for offer in offers])
    asked = catalogue.leader_prices(campaign.id, leader.id)
    left = _left_of_caps(campaign, offers)
    is_full = left.get(PLACES) == 0
    return OpenCampaign(
        id=campaign.id,
        title=campaign.title,
        status="full" if is_full else "open",
        closes_at=campaign.closes_at,
        currency=campaign.currency,
        orders_left=left.get(PLACES),
        target=campaign.target,
        pickup_point=leader.pickup_point,
        offers=tuple(
            _on_sale(
                offer,
                0 if is_full else _available(stocks.get(offer.sku_id), left.get(offer.sku_id)),
                "campaign_full" if is_full else "sold_out",
                _Asked(offer.price_asked(asked.get(offer.sku_id)), now, campaign.closes_at),
                terms,
            )
            for offer in offers
        ),
    )


def _left_of_caps(campaign: Campaign, offers: Sequence[Offer]) -> dict[str, int]:
    """What the campaign's caps have left, by what each is of."""
    found = ordering.left_of_caps(list(caps.of_campaign(campaign, offers).values()))
    return {of: sum(shards.values()) for of, shards in found.items()}


def _available(found: Stock | None, left_of_cap: int | None) -> int:
    in_stock = found.available if found else 0
    return in_stock if left_of_cap is None else min(in_stock, left_of_cap)


@dataclass(frozen=True)
class _Asked:
    """Under what an offer's prices are asked: the leader's own, at an instant, until the close."""

    leader_price: int | None
    now: datetime
    closes_at: datetime


def _on_sale(
    offer: Offer,
    available: int,
    otherwise: UnavailableReason,
    asked: _Asked,
    terms: "_Shown",
) -> OpenOffer:
    """The offer as it is sold now; `otherwise` is why, where nothing is available."""

    def price_of(units: int) -> Price:
        return offer.price_of(units, asked.now, settings().zone, asked.leader_price)

    single = price_of(1)
    return OpenOffer(
        sku_id=offer.sku_id,
        title=offer.title,
        price=single.unit_price,
        price_reason=single.reasons,
        quantity_breaks=tuple(
            QuantityBreak(each.units, price_of(each.units).amount) for each in offer.quantity_breaks
        ),
        later_today=_later_today(offer, asked),
        limit_per_customer=offer.limit_per_customer,
        available=available,
        unavailable_reason=None if available else otherwise,
        terms=terms.of(offer, asked.leader_price),
    )


def _later_today(offer: Offer, asked: _Asked) -> tuple[LaterPrice, ...]:
    def price(percent: int) -> int:
        own = asked.leader_price
        return offer.terms.price_of(1, percent=percent, leader_price=own).unit_price

    steps = later_today(offer.price_schedule, asked.now, asked.closes_at, settings().zone)
    return tuple(LaterPrice(step.at, price(step.percent)) for step in steps)


@dataclass(frozen=True)
class _Shown:
    """Whether the terms of offers are shown, and by which plan the leader earns."""

    are_shown: bool
    leader: Leader
    plan: Plan | None
    now: datetime

    def of(self, offer: Offer, leader_price: int | None) -> OfferTerms | None:
        if not self.are_shown:
            return None
        return OfferTerms(
            offer.price,
            leader_price,
            offer.floor_price,
            offer.price_schedule,
            offer.commission or self._of_plan(offer),
        )

    def _of_plan(self, offer: Offer) -> Commission | None:
        terms = earning_by.terms_by(self.plan, earning_by.seller(self.leader), offer, self.now)
        return Commission(terms.basis, terms.rate_bps) if terms else None
