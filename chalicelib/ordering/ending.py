"""How an order ends: unpaid, it expires or is cancelled, and stock and limits go back once;
delivered, it is completed when its return window is over."""

from datetime import datetime
from typing import Literal

from pynamodb.exceptions import PynamoDBException

from chalicelib.kernel.errors import Busy, NotFound
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order, limited_units
from chalicelib.platform.log import logger, metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.sweeping import sweep_each
from chalicelib.platform.transaction import Recorder, Transaction, Update, write
from chalicelib.stock import store as stock

ORDERS_A_SWEEP = 500


def end_unpaid(
    order: Order, status: Literal["expired", "cancelled"], recorder: Recorder | None = None
) -> Order:
    """Stale where the order has changed since it was read."""
    ended = order.changed(status)
    transaction = Transaction(recorder)
    transaction.add(
        ordering.replace_order(ended),
        *stock.release(order.parts),
        limits_back(order),
    )
    transaction.commit(ended)
    metric("OrdersExpired" if status == "expired" else "OrdersCancelled")
    return ended


def limits_back(order: Order) -> Update | None:
    units = {sku_id: quantity for sku_id, (quantity, _) in limited_units(order.lines).items()}
    return ordering.give_limits_back(order.campaign_id, order.customer_id, units)


def sweep(now: datetime) -> int:
    """Do what is due to orders. Returns how many were looked at."""
    due = ordering.due_before(now, ORDERS_A_SWEEP)
    return sweep_each(due, lambda order_id: _look_at(order_id, now))


def restock_now(order: Order) -> None:
    """Put the stock of a cancelled order back at once, if it can be: the order is cancelled
    whatever happens here, and what it owes the stock stands in it until a sweep has paid."""
    if order.restock_at is None:
        return
    try:
        restock(order.id)
    except (Busy, PynamoDBException) as error:
        logger.warning("stock is left to the sweep", reason=type(error).__name__)


@retry_stale
def restock(order_id: str) -> None:
    """Put the committed stock of a cancelled order back on sale, once."""
    order = ordering.get_order(order_id)
    if order is None:
        raise NotFound("There is no such order.")
    if order.restock_at is None:
        return
    transaction = Transaction()
    transaction.add(
        ordering.replace_order(order.restocked()), *stock.put_back(order.parts_to_restock)
    )
    transaction.commit()


def _look_at(order_id: str, now: datetime) -> None:
    order = ordering.get_order(order_id)
    if order is None or order.due_at is None or order.due_at > now:
        return
    if order.status == "pending_payment":
        end_unpaid(order, "expired")
    elif order.status == "delivered":
        _complete(order)
    else:
        restock(order.id)


def _complete(order: Order) -> None:
    write(ordering.replace_order(order.changed("completed")))
    metric("OrdersCompleted")
