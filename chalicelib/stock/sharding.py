"""A hot SKU's stock over many shards: how many, and bringing units to where they are to lie.

Each step is one transaction that leaves the sum right, so that it can die anywhere: the head says
what is still to do, and `stock_tend` goes on with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.catalogue import products
from chalicelib.catalogue import store as catalogue_store
from chalicelib.catalogue.products import SkuWhole
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.sweeping import sweep_each
from chalicelib.platform.transaction import write
from chalicelib.stock import rules
from chalicelib.stock import store as stock
from chalicelib.stock.levels import Stock
from chalicelib.stock.rules import Part

SKUS_A_SWEEP = 200


@dataclass(frozen=True, kw_only=True)
class SkuOnSale(SkuWhole):
    """A SKU with the number of shards that its stock is spread over."""

    stock_shards: int

    @classmethod
    def of(cls, sku: SkuWhole, shards: int) -> "SkuOnSale":
        return cls(**vars(sku), stock_shards=shards)


@retry_stale
def read_sku(sku_id: str, caller: Caller) -> SkuOnSale:
    return SkuOnSale.of(products.sku_whole(sku_id, caller), stock.get_stock(sku_id).shards)


def reshard(sku_id: str, shards: int, caller: Caller) -> SkuOnSale:
    """Spread a SKU's units, and new orders of it, over another number of shards, while on sale.

    What unpaid orders hold in a shard that is taken away comes back to it, and is found there.
    """
    sku = products.sku_whole(sku_id, caller)
    _arrange(sku_id, shards)
    retry_stale(tend)(sku_id)
    return SkuOnSale.of(sku, shards)


def sweep(now: datetime) -> int:
    """Go on with what has not been finished. Returns at how many SKUs it looked."""
    return sweep_each(stock.to_tend(now, SKUS_A_SWEEP), tend)


def tend(sku_id: str) -> None:
    """Bring a SKU's units to where they are to lie, and let its offers know of the shards.

    Stale where orders were quicker: what is not done yet is left to the next time.
    """
    now = clock.now()
    found = finish(sku_id)
    catalogue_store.hint_shards(sku_id, found.shards, now)
    for moving in rules.spreading(found.by_shard, found.shards):
        write(*stock.move(sku_id, moving))
    after = stock.get_stock(sku_id)
    if after.is_settled:
        write(stock.settled(after, now))


@retry_stale
def finish(sku_id: str) -> Stock:
    """Take what is pending to its end, step by step; nothing is pending of what is returned.

    Where units that were to be taken away have been sold meanwhile, all is put back as it was.
    """
    found = stock.get_stock(sku_id)
    if found.available < 0:
        write(stock.undo(found))
        found = stock.get_stock(sku_id)
    for shard, units in _steps(found):
        write(*stock.step(found, shard, units))
        found = found.after_step(shard, units)
    return stock.get_stock(sku_id) if found.is_sharded else found


@retry_stale
def _arrange(sku_id: str, shards: int) -> None:
    before = finish(sku_id)
    if before.shards != shards:
        write(stock.spread_over(before, shards, clock.now()))


def _steps(found: Stock) -> Sequence[Part]:
    """Each shard's part of what is pending."""
    if found.pending < 0:
        away = rules.removal(found.by_shard, -found.pending)
        return [Part(shard, -units) for shard, units in away]
    shares = rules.even(found.pending, found.shards)
    return [Part(shard, units) for shard, units in enumerate(shares) if units]
