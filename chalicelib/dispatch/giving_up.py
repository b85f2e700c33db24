"""Units that a supplier will not ship: an alternate takes their place, or their money goes back.
Nothing of them goes back on sale."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.dispatch import money_back, rules, service, substituting
from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.substituting import Alternate, NoneLeft
from chalicelib.kernel import events
from chalicelib.kernel.events import Event
from chalicelib.ordering import held_units
from chalicelib.ordering.rules import Order
from chalicelib.parties import store as parties
from chalicelib.platform.transaction import WRITE_LIMIT, Transaction
from chalicelib.stock import store as stock
from chalicelib.stock.rules import Parts
from chalicelib.stock.taking import take

REASON = "dispatch rejected"
# Of the transaction: the answer's record, both events, dispatch, order, entry with its balance,
# estimates, refund, limits, a bonus that is taken back, and the shards of the campaign's caps.
OTHER_ITEMS = 33
# A substitute's own dispatch with its event, and two shards of its stock.
ITEMS_A_SUBSTITUTE = 4
Begin = Callable[[], Transaction]


@dataclass(frozen=True)
class GivenUp:
    """Units of an order that waited to be shipped, and their dispatch as it is without them."""

    order: Order
    dispatch: Dispatch
    units: Mapping[str, int]
    now: datetime
    reason: str = REASON


def give_up(given_up: GivenUp, begin: Begin = Transaction) -> Dispatch:
    """Commit it, with whatever else is in a transaction as `begin` begins it. Each line's units are
    replaced whole by the first alternate that has as many, or refunded."""
    short: frozenset[str] = frozenset()
    while True:
        found = substituting.find(given_up.order, given_up.units, short)[: _most(given_up)]
        try:
            return _commit(given_up, found, begin)
        except NoneLeft as none_left:
            short |= {none_left.sku_id}


def _most(given_up: GivenUp) -> int:
    """How many substitutes the transaction has room for."""
    return max(0, _room(given_up)) // ITEMS_A_SUBSTITUTE


def _room(given_up: GivenUp) -> int:
    leaving = held_units.next_parts(given_up.order, given_up.units).values()
    return WRITE_LIMIT - OTHER_ITEMS - sum(len(parts) for parts in leaving)


def _commit(given_up: GivenUp, found: Sequence[Alternate], begin: Begin) -> Dispatch:
    """Raises NoneLeft where an alternate's units were sold meanwhile."""

    def commit(parts: Mapping[str, Parts]) -> Dispatch:
        transaction = begin()
        leaving = held_units.next_parts(given_up.order, given_up.units)
        transaction.add(*stock.let_go(leaving), *stock.take_again(parts))
        replaced = _replace_in(transaction, given_up, found, parts)
        refunded = _refund_in(transaction, given_up, found, replaced)
        changed = rules.ended(refunded, given_up.dispatch)
        transaction.publish(*_told(changed))
        return service.commit(transaction, changed, refunded)

    if not found:
        return commit({})
    # The dispatch of a substitute, and its event, are no stock.
    return take([each.pool for each in found], _room(given_up) - 2 * len(found), commit)


def _replace_in(
    transaction: Transaction,
    given_up: GivenUp,
    found: Sequence[Alternate],
    parts: Mapping[str, Parts],
) -> Order:
    """Add the dispatches of the substitutes. Returns the order with them in place."""
    order = given_up.order
    for each in found:
        order = each.in_place(order, parts[each.sku.id])
    names = {each.sku.id for each in found}
    in_place = [line for line in order.lines if line.sku_id in names]
    terms = parties.terms_of([line.supplier_id for line in in_place])
    made = [
        rules.dispatch_in_place(order, line, terms[line.supplier_id], given_up.now)
        for line in in_place
    ]
    transaction.add(*(dispatches.add_dispatch(each) for each in made))
    transaction.publish(*(Event(events.DISPATCH_CREATED, each.id) for each in made))
    return replace(order, dispatches=(*order.dispatches, *(each.summary for each in made)))


def _refund_in(
    transaction: Transaction, given_up: GivenUp, found: Sequence[Alternate], order: Order
) -> Order:
    """Add the refund of the units that nobody ships. Returns the order after it."""
    units = rules.less(given_up.units, {each.ordered: each.units for each in found})
    if not units:
        return order
    return money_back.undelivered_in(
        transaction, order, units, reason=given_up.reason, now=given_up.now
    )


def _told(given_up: Dispatch) -> list[Event]:
    """A supplier that has rejected all of it needs not be told."""
    if given_up.status == "cancelled":
        return [Event(events.DISPATCH_CANCELLED, given_up.order_id)]
    if given_up.status == "rejected":
        return []
    return [Event(events.DISPATCH_UPDATED, given_up.id)]
