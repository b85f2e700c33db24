"""How dispatches come to be, who sees them, and how a change of one is written: in one transaction
on condition of its version, with what its order shows of it."""

from dataclasses import replace

from chalicelib.dispatch import money_back, rules
from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.parcels import Parcel
from chalicelib.dispatch.rules import Dispatch
from chalicelib.kernel import clock, events
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import NotFound, Stale
from chalicelib.kernel.events import Event
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order, advanced
from chalicelib.parties import store as parties
from chalicelib.platform.log import logger, metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Transaction


@retry_stale
def create_for(order_id: str) -> None:
    """Make the dispatches of a paid order, once, and only while it is paid.

    Suppliers' clocks begin now and keep the terms of this moment.
    """
    order = ordering.get_order(order_id)
    if order is None or order.status != "paid" or order.dispatches:
        logger.info("no dispatches to make", order_id=order_id)
        return
    terms = parties.terms_of(order.supplier_ids())
    made = rules.dispatches_of(order, clock.now(), terms)
    shown = replace(order.changed("paid"), dispatches=tuple(each.summary for each in made))
    transaction = Transaction()
    transaction.add(
        ordering.replace_order(shown), *(dispatches.add_dispatch(each) for each in made)
    )
    transaction.publish(Event(events.DISPATCHES_CREATED, order.id))
    transaction.commit()
    metric("DispatchesCreated", len(made))


def dispatch_for(dispatch_id: str, caller: Caller, *, leader_too: bool = False) -> Dispatch:
    """The dispatch, where it is the caller's. Raises NotFound."""
    dispatch = dispatches.get_dispatch(dispatch_id)
    if dispatch is None:
        raise NotFound("There is no such dispatch.")
    if not (leader_too and (caller.role, caller.id) == ("leader", dispatch.leader_id)):
        caller.must_be("supplier", dispatch.supplier_id, "dispatch")
    logger.bind(dispatch_id=dispatch.id, order_id=dispatch.order_id)
    return dispatch


def parcel_for(dispatch: Dispatch, parcel_id: str) -> Parcel:
    """Raises NotFound where the dispatch has no such parcel."""
    parcel = dispatch.parcel(parcel_id)
    if parcel is None:
        raise NotFound("The dispatch has no such parcel.")
    return parcel


def order_of(dispatch: Dispatch) -> Order:
    """The dispatch's order. Stale where the dispatch has changed since it was read: each is read
    by itself, and what one says must hold for the other."""
    order = ordering.get_order(dispatch.order_id)
    if order is None:
        raise LookupError(f"order {dispatch.order_id} of {dispatch.id} is not stored")
    if not rules.is_as_shown(dispatch, order):
        raise Stale
    return order


def commit(transaction: Transaction, changed: Dispatch, order: Order) -> Dispatch:
    """Commit the dispatch with what its order shows of it; the answer is the dispatch."""
    write(transaction, changed, order)
    transaction.commit(changed)
    return changed


def write(transaction: Transaction, changed: Dispatch, order: Order) -> None:
    """Add the dispatch, and what its order shows of it."""
    shown = order.with_dispatch(changed.summary)
    after = advanced(shown, changed.updated_at, settings().return_window)
    transaction.add(dispatches.replace_dispatch(changed), ordering.replace_order(after))
    if after.status == "refunded" and order.status != "refunded":
        money_back.close_limits(transaction, order)
