"""Caps: how much of an offer a campaign sells, and how many orders it takes.

They are pools like a hot SKU's stock, so that a campaign's cap is no item that every order writes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from chalicelib.kernel.errors import Stale
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import PLACES, Cap, Order
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
        return ordering.left_of_caps([self.cap])[self.cap.of]

    def move(self, moving: Move) -> None:
        try:
            write(*ordering.move_of_cap(self.cap, moving))
        except ShardShort:
            raise Stale from None


def pools(
    order: Order, max_orders: int | None, sold_out: Callable[[str, int], Exception], full: Exception
) -> list[CapPool]:
    """What an order takes of its campaign's caps, to be taken together with its stock."""
    found = [
        _pool(
            Cap(order.campaign_id, line.sku_id, line.cap),
            line.quantity,
            partial(sold_out, line.sku_id),
        )
        for line in order.lines
        if line.cap is not None
    ]
    if max_orders is not None:
        found.append(_pool(Cap(order.campaign_id, PLACES, max_orders), 1, lambda left: full))
    return found


def take(order: Order, max_orders: int | None) -> list[Update]:
    """Count an order against the caps, in the shards that it keeps. Raises ShardShort."""
    wholes = {line.sku_id: line.cap or 0 for line in order.lines} | {PLACES: max_orders or 0}
    return [
        update
        for of, parts in order.cap_parts.items()
        for update in ordering.take_of_cap(Cap(order.campaign_id, of, wholes[of]), parts)
    ]


def give_back(order: Order) -> list[Update]:
    """An order that lives no longer leaves its part of the caps to others."""
    return [
        update
        for of, parts in order.cap_parts.items()
        for update in ordering.give_back_to_cap(order.campaign_id, of, parts)
    ]


def _pool(cap: Cap, units: int, short: Callable[[int], Exception]) -> CapPool:
    return CapPool(cap, units, at_random(units, len(cap.shares)), short)
