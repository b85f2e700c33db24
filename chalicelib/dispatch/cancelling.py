"""Cancelling an order: before payment by its customer, before shipping by an operator."""

from dataclasses import replace

from chalicelib.dispatch import money_back, rules
from chalicelib.dispatch import store as dispatches
from chalicelib.kernel import clock, events
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, NotFound
from chalicelib.kernel.events import Event
from chalicelib.ordering import charging, ending, held_units
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction


def cancel(order_id: str, reason: str | None, caller: Caller, recorder: Recorder | None) -> Order:
    """Raises NotFound for another's order, Conflict where its state does not allow it, NotStopped
    while its payment may still be under way."""
    cancelled = _cancel(order_id, reason, caller, recorder)
    ending.restock_now(cancelled)
    return cancelled


@retry_stale
def _cancel(order_id: str, reason: str | None, caller: Caller, recorder: Recorder | None) -> Order:
    order = ordering.get_order(order_id)
    if order is None or not (caller.is_operator or caller.id == order.customer_id):
        raise NotFound("There is no such order.")
    if order.status == "pending_payment":
        stopped = charging.stop(order)
        order = replace(order, cancel_reason=reason)
        return ending.end_unpaid(order, "cancelled", stopped, recorder)
    if order.status == "paid" and caller.is_operator:
        return cancel_paid(replace(order, cancel_reason=reason), recorder)
    raise Conflict(f"The order is {order.status}; {_who_may(order)}", code="order_not_cancellable")


def _who_may(order: Order) -> str:
    if order.status == "paid":
        return "only an operator can cancel it now."
    return "it can be cancelled before payment, and by an operator before anything has shipped."


def cancel_paid(order: Order, recorder: Recorder | None) -> Order:
    """What is not refunded goes back, its units are owed to the stock, its dispatches end.

    Stale where the order, or a dispatch of it, has changed since it was read.
    """
    now = clock.now()
    open_ids = [each.id for each in order.dispatches if each.status in rules.OPEN]
    ended = [each.moved("cancelled", now) for each in dispatches.get_dispatches(open_ids)]
    transaction = Transaction(recorder)
    transaction.add(*(dispatches.replace_dispatch(each) for each in ended))
    refunded = money_back.undelivered_in(
        transaction,
        held_units.to_restock(order, now),
        order.everything_left(),
        reason=order.cancel_reason or "order cancelled",
        now=now,
    )
    for each in ended:
        refunded = refunded.with_dispatch(each.summary)
    refunded = refunded.changed("refunded")
    transaction.add(ordering.replace_order(refunded))
    money_back.close_limits(transaction, order)
    if ended:
        transaction.publish(Event(events.DISPATCH_CANCELLED, order.id))
    transaction.commit(refunded)
    return refunded
