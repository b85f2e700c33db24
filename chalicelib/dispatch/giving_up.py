"""Units that a supplier will not ship: an alternate takes their place, or their money goes back.
Nothing of them goes back on sale."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime

from chalicelib.dispatch import money_back, rules, service, substituting
from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.substituting import Alternate, NoneLeft
from chalicelib.kernel import events
from chalicelib.kernel.events import Event
from chalicelib.ordering.rules import Order
from chalicelib.parties import store as parties
from chalicelib.platform.transaction import WRITE_LIMIT, Transaction
from chalicelib.stock import store as stock
from chalicelib.stock.rules import Parts
from chalicelib.stock.taking import take

REASON = "dispatch rejected"
# Of the transaction: the answer's record, both events, dispatch, order, entry with its balance,
# estimate, refund, limits, and the shards of the campaign's caps.
OTHER_ITEMS = 24
# A substitute's own dispatch with its event, and two shards of its stock.
ITEMS_A_SUBSTITUTE = 4


def give_up(
    order: Order,
    given_up: Dispatch,
    units: Mapping[str, int],
    now: datetime,
    begin: Callable[[], Transaction],
    *,
    reason: str = REASON,
) -> Dispatch:
    """Commit `given_up`, a dispatch of the order as it is without these units that were waiting,
    with all else that belongs to a transaction that `begin` begins.

    Each line's units are replaced whole by the first alternate that has as many, or refunded.
    """
    leaving = order.next_parts(units)
    spare = WRITE_LIMIT - OTHER_ITEMS - sum(len(parts) for parts in leaving.values())
    gone: frozenset[str] = frozenset()
    while True:
        found = substituting.find(order, units, gone)[: max(0, spare) // ITEMS_A_SUBSTITUTE]

        def commit(parts: Mapping[str, Parts], found: list[Alternate] = found) -> Dispatch:
            transaction = begin()
            transaction.add(*stock.let_go(leaving), *stock.take_again(parts))
            replaced = _replace_in(transaction, order, found, parts, now)
            rest = rules.less(units, {each.ordered: each.units for each in found})
            refunded = _refund_in(transaction, replaced, rest, reason, now)
            changed = rules.ended(refunded, given_up)
            transaction.publish(*_told(changed))
            return service.commit(transaction, changed, refunded)

        try:
            room = spare - 2 * len(found)
            return take([each.pool for each in found], room, commit) if found else commit({})
        except NoneLeft as short:
            gone |= {short.sku_id}


def _replace_in(
    transaction: Transaction,
    order: Order,
    found: list[Alternate],
    parts: Mapping[str, Parts],
    now: datetime,
) -> Order:
    """Add the dispatches of the substitutes. Returns the order with them in place."""
    for each in found:
        order = each.in_place(order, parts[each.sku.id])
    in_place = {each.sku.id for each in found}
    lines = [line for line in order.lines if line.sku_id in in_place]
    terms = parties.terms_of([line.supplier_id for line in lines])
    made = [rules.dispatch_in_place(order, line, terms[line.supplier_id], now) for line in lines]
    transaction.add(*(dispatches.add_dispatch(each) for each in made))
    transaction.publish(*(Event(events.DISPATCH_CREATED, each.id) for each in made))
    return replace(order, dispatches=(*order.dispatches, *(each.summary for each in made)))


def _refund_in(
    transaction: Transaction, order: Order, units: Mapping[str, int], reason: str, now: datetime
) -> Order:
    if not units:
        return order
    return money_back.undelivered_in(transaction, order, units, reason=reason, now=now)


def _told(given_up: Dispatch) -> list[Event]:
    """A supplier that has rejected all of it needs not be told."""
    if given_up.status == "cancelled":
        return [Event(events.DISPATCH_CANCELLED, given_up.order_id)]
    if given_up.status == "rejected":
        return []
    return [Event(events.DISPATCH_UPDATED, given_up.id)]
