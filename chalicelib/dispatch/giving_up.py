"""Units that a supplier will not ship: their money goes back, and nothing goes back on sale."""

from collections.abc import Mapping
from datetime import datetime

from chalicelib.dispatch import money_back, rules, service
from chalicelib.dispatch.rules import Dispatch
from chalicelib.kernel import events
from chalicelib.kernel.events import Event
from chalicelib.ordering.rules import Order
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.stock import store as stock

REASON = "dispatch rejected"


def give_up(
    order: Order,
    given_up: Dispatch,
    units: Mapping[str, int],
    now: datetime,
    recorder: Recorder | None,
    *,
    reason: str = REASON,
) -> Dispatch:
    """Commit `given_up`, a dispatch of the order as it is without these units that were waiting."""
    transaction = Transaction(recorder)
    transaction.add(*stock.let_go(order.next_parts(units)))
    refunded = money_back.undelivered_in(transaction, order, units, reason=reason, now=now)
    changed = rules.ended(refunded, given_up)
    transaction.publish(*_told(changed))
    return service.commit(transaction, changed, refunded)


def _told(given_up: Dispatch) -> list[Event]:
    """A supplier that has rejected all of it needs not be told."""
    if given_up.status == "cancelled":
        return [Event(events.DISPATCH_CANCELLED, given_up.order_id)]
    if given_up.status == "rejected":
        return []
    return [Event(events.DISPATCH_UPDATED, given_up.id)]
