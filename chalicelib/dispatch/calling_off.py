"""Ending one dispatch of an order before it ships: by an operator, or because a clock ran out."""

from datetime import datetime

from chalicelib.dispatch import money_back, moves, rules
from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.giving_up import Begin, GivenUp, give_up
from chalicelib.dispatch.refunding import write_order
from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.service import dispatch_for, order_of
from chalicelib.kernel import clock, events
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict
from chalicelib.kernel.events import Event
from chalicelib.ordering import held_units
from chalicelib.ordering.rules import Order
from chalicelib.platform.log import metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.stock import store as stock

SHIPPED = ("shipped", "delivered")


@retry_stale
def call_off(dispatch_id: str, reason: str, caller: Caller, recorder: Recorder | None) -> Dispatch:
    """Cancel a dispatch, refund its lines and put their units back on sale.

    Raises NotFound, and Conflict `already_shipped`, `already_cancelled` or `invalid_transition`.
    """
    dispatch = dispatch_for(dispatch_id, caller)
    _check_not_shipped(dispatch)
    if moves.repeats(dispatch, "cancelled", {"reason": reason}):
        return dispatch
    order, now, transaction = order_of(dispatch), clock.now(), Transaction(recorder)
    units = rules.units(dispatch.lines)
    transaction.add(*stock.put_back(held_units.next_parts(order, units)))
    cancelled = dispatch.moved("cancelled", now, reason=reason)
    _end_in(transaction, order, held_units.with_restocked(order, units), cancelled, now)
    transaction.commit(cancelled)
    metric("DispatchesCancelled")
    return cancelled


def expire(
    before: Dispatch,
    missed: Dispatch,
    reason: str,
    now: datetime,
    begin: Begin,
) -> Dispatch:
    """Its supplier let a clock run out, as `missed` says: what waits to be shipped is given to an
    alternate or refunded, and as after a rejection nothing goes back on sale."""
    expired = missed.expired(reason, now)
    return give_up(
        GivenUp(order_of(before), expired, before.waiting, now, f"dispatch {reason}"), begin
    )


def _end_in(
    transaction: Transaction, before: Order, order: Order, ended: Dispatch, now: datetime
) -> None:
    refunded = money_back.undelivered_in(
        transaction, order, rules.units(ended.lines), reason=f"dispatch {ended.status}", now=now
    )
    transaction.add(dispatches.replace_dispatch(ended))
    write_order(transaction, before, refunded, [ended], now)
    transaction.publish(Event(events.DISPATCH_CANCELLED, ended.order_id))


def _check_not_shipped(dispatch: Dispatch) -> None:
    if dispatch.status in SHIPPED:
        raise Conflict(
            f"The dispatch is {dispatch.status}: refund the order's lines with POST "
            f"/v1/orders/{dispatch.order_id}/refunds, or let the customer ask for after-sales.",
            code="already_shipped",
        )
