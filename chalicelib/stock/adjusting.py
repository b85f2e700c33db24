"""Adjusting a SKU's stock by a number of units, with the reason on record."""

from collections.abc import Mapping

from pynamodb.exceptions import PynamoDBException

from chalicelib.catalogue import products
from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Busy, Conflict
from chalicelib.platform.log import logger
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.stock import sharding
from chalicelib.stock import store as stock
from chalicelib.stock.counts import MAX_UNITS
from chalicelib.stock.levels import Adjustment
from chalicelib.stock.rules import MOST_ITEMS, Parts, from_first
from chalicelib.stock.taking import StockPool, take

# Items of its transaction that are no stock: the adjustment and the recorded answer.
OTHER_ITEMS = 2


def adjust(
    sku_id: str, delta: int, reason: str, caller: Caller, recorder: Recorder | None
) -> Adjustment:
    """Add units or, where `delta` is below zero, take some away that nobody holds.

    Raises Conflict where unpaid orders hold what would be taken away, or where there would be more
    units than a stock can have.
    """
    products.sku_for(sku_id, caller)
    adjustment = Adjustment(ids.new("adj"), sku_id, delta, reason, caller.role, clock.now())
    if delta < 0:
        _take_away(adjustment, recorder)
    else:
        _add(adjustment, recorder)
        _finish_now(sku_id)
    return adjustment


def adjustments_of(sku_id: str, caller: Caller, page: PageRequest) -> Page[Adjustment]:
    products.sku_for(sku_id, caller)
    return stock.adjustments(sku_id, page)


def _take_away(adjustment: Adjustment, recorder: Recorder | None) -> None:
    units = -adjustment.delta

    def commit(parts: Mapping[str, Parts]) -> None:
        transaction = Transaction(recorder)
        transaction.add(stock.add_adjustment(adjustment), *stock.remove(parts))
        transaction.commit(adjustment)

    def short(left: int) -> Conflict:
        return Conflict(
            f"Only {left} units are free, so {units} cannot be taken away.", code="below_reserved"
        )

    pool = StockPool(adjustment.sku_id, units, from_first(units), short)
    take([pool], MOST_ITEMS - OTHER_ITEMS, commit)


@retry_stale
def _add(adjustment: Adjustment, recorder: Recorder | None) -> None:
    before = sharding.finish(adjustment.sku_id)
    if before.on_hand + adjustment.delta > MAX_UNITS:
        raise Conflict(
            f"{before.on_hand} units and {adjustment.delta} more are more than the {MAX_UNITS} "
            "that a stock can have.",
            code="too_many_units",
        )
    transaction = Transaction(recorder)
    transaction.add(
        stock.add_adjustment(adjustment),
        stock.aim_at(before, adjustment.delta, clock.now())
        if before.is_sharded
        else stock.add(before, adjustment.delta, MAX_UNITS),
    )
    transaction.commit(adjustment)


def _finish_now(sku_id: str) -> None:
    """Spread what was added at once, if it can be: it is on record whatever happens here, and
    what is not spread yet stands in the head until a sweep has done it."""
    try:
        sharding.finish(sku_id)
    except (Busy, PynamoDBException) as error:
        logger.warning("stock is left to the sweep", reason=type(error).__name__)
