"""A SKU's stock as its supplier sets and reads it."""

from typing import Literal

from chalicelib.catalogue import service as catalogue
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, PreconditionFailed
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import write
from chalicelib.stock import store as stock
from chalicelib.stock.store import Stock

Counted = Literal["on_hand", "physical"]


def read(sku_id: str, caller: Caller) -> Stock:
    catalogue.sku_for(sku_id, caller)
    return stock.get_stock(sku_id)


@retry_stale
def put(sku_id: str, counted: Counted, units: int, if_match: str | None, caller: Caller) -> Stock:
    """Set the unsold units, or what a count of the shelf has found (paid, unshipped units too).

    Raises Conflict where less is left than unpaid orders hold, PreconditionFailed where the stock
    has changed since the caller read its ETag.
    """
    catalogue.sku_for(sku_id, caller)
    before = stock.get_stock(sku_id)
    if if_match not in (None, "*", etag(before)):
        raise PreconditionFailed("The stock has changed since it was read. Read it again.")
    on_hand = units if counted == "on_hand" else units - before.committed
    available = on_hand - before.reserved
    if available < 0:
        raise Conflict(
            f"Unpaid orders hold {before.reserved} units, so on_hand cannot be {on_hand}.",
            code="below_reserved",
        )
    write(stock.set_stock(before, available))
    return stock.get_stock(sku_id)


def etag(found: Stock) -> str:
    return f'"{found.version}"'
