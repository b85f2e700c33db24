"""How an unpaid order ends: it expires, or is cancelled. Stock and limits go back once."""

from datetime import datetime
from typing import Literal

from chalicelib.kernel.errors import NotFound
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order, limited_units
from chalicelib.platform.log import metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.sweeping import sweep_each
from chalicelib.platform.transaction import Recorder, Transaction, Update

ORDERS_A_SWEEP = 500


def end_unpaid(
    order: Order, status: Literal["expired", "cancelled"], recorder: Recorder | None = None
) -> Order:
    """Stale where the order has changed since it was read."""
    ended = order.changed(status)
    transaction = Transaction(recorder)
    transaction.add(
        ordering.replace_order(ended),
        *(ordering.release(line.sku_id, line.quantity) for line in order.lines),
        limits_back(order),
    )
    transaction.commit(ended)
    metric("OrdersExpired" if status == "expired" else "OrdersCancelled")
    return ended


def limits_back(order: Order) -> Update | None:
    units = {sku_id: quantity for sku_id, (quantity, _) in limited_units(order.lines).items()}
    return ordering.give_limits_back(order.campaign_id, order.customer_id, units)


def sweep(now: datetime) -> int:
    """Let unpaid orders expire and put stock back that is owed. Returns how many were looked at."""
    due = ordering.due_before(now, ORDERS_A_SWEEP)
    return sweep_each(due, lambda order_id: _look_at(order_id, now))


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
        ordering.replace_order(order.restocked()),
        *(ordering.put_back(sku_id, units) for sku_id, units in order.units_to_restock().items()),
    )
    transaction.commit()


def _look_at(order_id: str, now: datetime) -> None:
    order = ordering.get_order(order_id)
    if order is None or order.due_at is None or order.due_at > now:
        return
    if order.status == "pending_payment":
        end_unpaid(order, "expired")
    else:
        restock(order.id)
