"""A SKU's stock as its supplier sets and reads it."""

import hashlib
from dataclasses import dataclass
from typing import Literal

from chalicelib.catalogue import products
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Busy, Conflict, PreconditionFailed
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Check, Update, write
from chalicelib.stock import rules, sharding
from chalicelib.stock import store as stock
from chalicelib.stock.levels import Stock

Counted = Literal["on_hand", "physical"]


@retry_stale
def read(sku_id: str, caller: Caller) -> Stock:
    products.sku_for(sku_id, caller)
    return stock.get_stock(sku_id)


def put(sku_id: str, counted: Counted, units: int, if_match: str | None, caller: Caller) -> Stock:
    """Set the unsold units, or what a count of the shelf has found (paid, unshipped units too).

    Raises Conflict where less is left than unpaid orders hold, PreconditionFailed where the stock
    has changed since the caller read its ETag.
    """
    products.sku_for(sku_id, caller)
    return set_units(sku_id, counted, units, if_match)


def set_units(sku_id: str, counted: Counted, units: int, if_match: str | None = None) -> Stock:
    """The same of a SKU that is known to be the caller's."""
    aimed = _set(sku_id, counted, units, if_match)
    found = sharding.finish(sku_id)
    if aimed is not None:
        _check_reached(aimed, found)
    return found


@dataclass(frozen=True)
class Asked:
    """What was sent: so many units, counted in this way."""

    counted: Counted
    units: int

    def on_hand(self, before: Stock) -> int:
        return self.units if self.counted == "on_hand" else self.units - before.committed


@dataclass(frozen=True)
class Aimed:
    """What the stock is to come to by steps."""

    aim: int
    asked: Asked


@retry_stale
def _set(sku_id: str, counted: Counted, units: int, if_match: str | None) -> Aimed | None:
    before = sharding.finish(sku_id)
    if if_match not in (None, "*", etag(before)):
        raise PreconditionFailed("The stock has changed since it was read. Read it again.")
    asked = Asked(counted, units)
    on_hand = asked.on_hand(before)
    if on_hand < before.reserved:
        raise _below_reserved(before, asked)
    if before.is_sharded and if_match in (None, "*"):
        # On sale no moment comes at which all shards stand still.
        write(stock.aim_at(before, on_hand - before.on_hand, clock.now()))
        return Aimed(stock.next_aim(before), asked)
    write(*set_at_once(before, on_hand))
    return None


def set_at_once(before: Stock, on_hand: int) -> list[Check | Update]:
    """All shards in one transaction, on condition that nothing has changed since it was read."""
    shares = rules.even(on_hand - before.reserved, before.shards)
    drained = [0] * (len(before.levels) - before.shards)
    return stock.set_levels(before, [*shares, *drained])


def _below_reserved(found: Stock, asked: Asked) -> Conflict:
    """Fewer units are to be left than unpaid orders hold."""
    held = f"Unpaid orders hold {found.reserved} units"
    if asked.counted == "physical":
        held += f" and paid ones {found.committed}"
    return Conflict(
        f"{held}, so {asked.counted} cannot be {asked.units}.",
        code="below_reserved",
    )


def etag(found: Stock) -> str:
    """The version of a stock of one shard, or what stands for the versions of all."""
    versions = ",".join(str(level.version) for level in found.levels)
    if not found.is_sharded:
        return f'"{versions}"'
    return f'"{hashlib.sha256(versions.encode()).hexdigest()[:32]}"'


def _check_reached(aimed: Aimed, found: Stock) -> None:
    """Raise Conflict where orders took units meanwhile that were to be taken away."""
    if found.refused_aim == aimed.aim:
        raise _below_reserved(found, aimed.asked)
    if found.refused_aim > aimed.aim:
        raise Busy("The stock is being set by others too. Send the same request again shortly.")
