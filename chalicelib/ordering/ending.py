"""How an order ends: unpaid, it expires or is cancelled, and stock and limits go back once;
delivered, it is completed when its return window is over."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

from pynamodb.exceptions import PynamoDBException

from chalicelib.cases import service as cases
from chalicelib.kernel.errors import Busy, NotFound
from chalicelib.ordering import caps, charging, held_units, paying
from chalicelib.ordering import store as ordering
from chalicelib.ordering.charging import NotStopped, Stopped
from chalicelib.ordering.lines import limited_units
from chalicelib.ordering.rules import Order
from chalicelib.platform.log import logger, metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.sweeping import sweep_each
from chalicelib.platform.transaction import Recorder, Transaction, Update, write
from chalicelib.stock import store as stock

ORDERS_A_SWEEP = 500
# Of a sweep's time, what it may spend on asking providers.
STOPPING_SECONDS = 30
# How long after a provider did not say that an order can no longer be paid it is asked again, and
# after what time of that a person must look too.
ASK_AGAIN_AFTER = timedelta(minutes=1)
STUCK_AFTER = timedelta(hours=2)


def end_unpaid(
    order: Order,
    status: Literal["expired", "cancelled"],
    stopped: Stopped,
    recorder: Recorder | None = None,
) -> Order:
    """Stale where the order has changed since it was read, as it has where its money came first."""
    if order.provider and stopped.paid:
        paying.receive(order.provider, stopped.paid)
    ended = order.changed(status)
    transaction = Transaction(recorder)
    transaction.add(
        ordering.replace_order(ended),
        *stock.release(held_units.parts(order)),
        *counts_back(order),
    )
    transaction.commit(ended)
    metric("OrdersExpired" if status == "expired" else "OrdersCancelled")
    return ended


def counts_back(order: Order) -> list[Update | None]:
    """The order no longer counts against its customer's limits and its campaign's caps."""
    units = {sku_id: quantity for sku_id, (quantity, _) in limited_units(order.lines).items()}
    limits = ordering.give_limits_back(order.campaign_id, order.customer_id, units)
    return [limits, *caps.give_back(order)]


def sweep(now: datetime) -> int:
    """Do what is due to orders. Returns how many were looked at."""
    due = {each.id: each for each in ordering.due_before(now, ORDERS_A_SWEEP)}
    unpaid = [each for each in due.values() if each.status == "pending_payment"]
    stopped = charging.stop_all(unpaid, seconds=STOPPING_SECONDS)
    return sweep_each(due, lambda order_id: _look_at(due[order_id], stopped.get(order_id), now))


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
        ordering.replace_order(held_units.restocked(order)),
        *stock.put_back(held_units.parts_to_restock(order)),
    )
    transaction.commit()


def _look_at(order: Order, stopped: Callable[[], Stopped] | None, now: datetime) -> None:
    if stopped:
        _expire(order, stopped, now)
    elif order.status == "delivered":
        _complete(order)
    else:
        restock(order.id)


def _expire(order: Order, stopped: Callable[[], Stopped], now: datetime) -> None:
    try:
        end_unpaid(order, "expired", stopped())
    except NotStopped:
        metric("PaymentsNotStopped")
        _keep_waiting(order, now)


def _keep_waiting(order: Order, now: datetime) -> None:
    transaction = Transaction()
    transaction.add(ordering.look_again(order, now + ASK_AGAIN_AFTER))
    if now >= order.expires_at + STUCK_AFTER:
        detail = (
            f"The provider {order.provider} has not said for hours whether order {order.id} can "
            "still be paid. Its units stay held, and it goes on being asked."
        )
        cases.open_in(transaction, "payment_not_stopped", order.id, detail)
    transaction.commit()


def _complete(order: Order) -> None:
    write(ordering.replace_order(order.changed("completed")))
    metric("OrdersCompleted")
