"""Caps: how much of an offer a campaign sells, and how many orders it takes.

They are pools like a hot SKU's stock, so that a campaign's cap is no item that every order writes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from chalicelib.catalogue.rules import Campaign, Offer
from chalicelib.kernel.errors import Stale
from chalicelib.ordering import held_units
from chalicelib.ordering import store as ordering
from chalicelib.ordering.held_units import PLACES, Cap
from chalicelib.ordering.rules import Order
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Update, write
from chalicelib.stock.rules import Move, Parts, ShardShort
from chalicelib.stock.taking import at_random


@dataclass(frozen=True)
class CapPool:
    """Units wanted of a cap."""

    cap: Cap
    units: int
    first: Parts
    short: Callable[[int], Exception]

    @property
    def id(self) -> str:
        return self.cap.id

    def look(self) -> Mapping[int, int]:
        return _left_of(self.cap)

    def move(self, moving: Move) -> None:
        try:
            write(*ordering.move_of_cap(self.cap, moving))
        except ShardShort:
            raise Stale from None


def of_campaign(campaign: Campaign, offers: Sequence[Offer]) -> dict[str, Cap]:
    """The caps of a campaign and of these of its offers, by what each is of."""
    found = [
        Cap(campaign.id, each.sku_id, each.quantity_cap, each.cap_raises, each.cap_shards)
        for each in offers
        if each.quantity_cap is not None
    ]
    if campaign.max_orders is not None:
        places, raises = campaign.max_orders, campaign.max_orders_raises
        found.append(Cap(campaign.id, PLACES, places, raises, campaign.place_shards))
    return {cap.of: cap for cap in found}


def pools(
    order: Order,
    caps: Mapping[str, Cap],
    sold_out: Callable[[str, int], Exception],
    full: Exception,
) -> list[CapPool]:
    """What an order takes of its campaign's caps, to be taken together with its stock."""
    found = [
        _pool(caps[line.sku_id], line.quantity, partial(sold_out, line.sku_id))
        for line in order.lines
        if line.sku_id in caps
    ]
    if PLACES in caps:
        found.append(_pool(caps[PLACES], 1, lambda left: full))
    return found


def take(order: Order, caps: Mapping[str, Cap]) -> list[Update]:
    """Count an order against the caps, in the shards that it keeps. Raises ShardShort."""
    return [
        update
        for of, parts in held_units.cap_parts(order).items()
        for update in ordering.take_of_cap(caps[of], parts)
    ]


def give_back(order: Order) -> list[Update]:
    """An order that lives no longer leaves its part of the caps to others."""
    return [
        update
        for of, parts in held_units.cap_parts(order).items()
        for update in ordering.give_back_to_cap(order.campaign_id, of, parts)
    ]


@retry_stale
def _left_of(cap: Cap) -> Mapping[int, int]:
    return ordering.left_of_cap(cap)


def _pool(cap: Cap, units: int, short: Callable[[int], Exception]) -> CapPool:
    return CapPool(cap, units, at_random(units, len(cap.shares)), short)
