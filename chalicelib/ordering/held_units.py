"""What an order holds of the stock and of its campaign's caps, and what it owes to them. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.ordering.rules import Order
from chalicelib.stock.rules import Part, Parts, even, kept

# What a cap on orders, instead of on a SKU's units, is of.
PLACES = "places"


def parts(order: Order) -> dict[str, Parts]:
    """Where all its units were taken from, by SKU."""
    return {line.sku_id: line.parts for line in order.lines}


def next_parts(order: Order, units: Mapping[str, int]) -> dict[str, Parts]:
    """Where the next `units` of each SKU to be shipped were taken from."""
    return {
        line.sku_id: line.next_parts(units[line.sku_id])
        for line in order.lines
        if line.sku_id in units
    }


def shipped_parts(order: Order, units: Mapping[str, int]) -> dict[str, Parts]:
    """Where some `units` of each SKU that left the stock were taken from."""
    return {
        line.sku_id: line.shipped_parts(units[line.sku_id])
        for line in order.lines
        if line.sku_id in units
    }


def parts_to_restock(order: Order) -> dict[str, Parts]:
    return {line.sku_id: line.parts_to_restock for line in order.lines}


def with_parts(order: Order, parts: Mapping[str, Parts]) -> Order:
    """The order with its units taken from these shards of its pools: stocks, caps, places."""
    lines = tuple(
        replace(
            line,
            taken=kept(parts[line.sku_id]),
            cap_taken=parts.get(cap_id(line.sku_id), ()),
        )
        for line in order.lines
    )
    place = next((part.shard for part in parts.get(cap_id(PLACES), ())), None)
    return replace(order, lines=lines, place=place)


def with_limits(order: Order, limits: Mapping[str, int | None]) -> Order:
    """The order as its customer's limits count it, by SKU."""
    lines = tuple(replace(line, limit=limits.get(line.sku_id)) for line in order.lines)
    return replace(order, lines=lines)


def cap_parts(order: Order) -> dict[str, Parts]:
    """Where the order counts against caps of its campaign, by pool."""
    places = {} if order.place is None else {PLACES: (Part(order.place, 1),)}
    return {line.sku_id: line.cap_parts for line in order.lines if line.cap_taken} | places


def to_restock(order: Order, at: datetime) -> Order:
    """The order with all unrefunded units owed to the stock: ask before they are refunded."""
    lines = tuple(replace(line, restock_quantity=line.units_left) for line in order.lines)
    return replace(order, lines=lines, restock_at=at)


def restocked(order: Order) -> Order:
    lines = tuple(
        replace(
            line,
            restock_quantity=0,
            restocked_quantity=line.restocked_quantity + line.restock_quantity,
        )
        for line in order.lines
    )
    return replace(order, lines=lines, restock_at=None, version=order.version + 1)


def with_restocked(order: Order, units: Mapping[str, int]) -> Order:
    """The order after refunded units have come back on sale."""
    lines = tuple(
        replace(line, restocked_quantity=line.restocked_quantity + units.get(line.sku_id, 0))
        for line in order.lines
    )
    return replace(order, lines=lines)


@dataclass(frozen=True)
class Held:
    """Units of one shard of a SKU that orders hold: unpaid, and paid but not shipped."""

    reserved: int = 0
    committed: int = 0

    def __add__(self, other: "Held") -> "Held":
        return Held(self.reserved + other.reserved, self.committed + other.committed)


def held(order: Order) -> Iterator[tuple[str, int, Held]]:
    """What the order holds of the stock: SKU, shard and units."""
    if order.status == "pending_payment":
        for line in order.lines:
            yield from ((line.sku_id, n, Held(reserved=units)) for n, units in line.parts)
        return
    for line in order.lines:
        parts = line.next_parts(line.waiting) if order.is_open else line.parts_to_restock
        yield from ((line.sku_id, n, Held(committed=units)) for n, units in parts)


@dataclass(frozen=True)
class Cap:
    """A pool of a campaign beside the stock: units of a SKU that it sells, or orders it takes.

    It is kept in `shards` like a hot stock, in fewer where it has fewer units, and shard n begins
    with `shares[n]`. What it was raised by lies in shards behind the others, so that no share ever
    changes.
    """

    campaign_id: str
    of: str
    whole: int
    raises: tuple[int, ...] = ()
    shards: int = 1

    @property
    def id(self) -> str:
        return cap_id(self.of)

    @property
    def shares(self) -> list[int]:
        steps = (self.whole - sum(self.raises), *self.raises)
        return [share for step in steps for share in even(step, min(step, self.shards))]


def cap_id(of: str) -> str:
    """The id of a pool that is told from the stock of the same SKU."""
    return f"cap:{of}"
