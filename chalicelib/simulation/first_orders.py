"""Which of a customer's orders was its first: the one whose goods arrived before those of any."""

from chalicelib.dispatch import store as dispatches
from chalicelib.kernel import clock
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.settlement import bonus_store

ORDERS_AT_ONCE = 10


def is_first(order: Order) -> bool:
    """Whether nothing had been delivered to its customer before it, of whichever month."""
    if not order.has_arrived:
        return False
    known = bonus_store.first_order_of(order.customer_id)
    if known and known.is_rewarded:
        return known.order_id == order.id
    return _first_of(order.customer_id) == order.id


def _first_of(customer_id: str) -> str | None:
    """Read as far as the first arrival: what was placed behind that did not come before it."""
    first: tuple[str, str] | None = None
    for order in ordering.all_of_customer(customer_id, ORDERS_AT_ONCE):
        if first and clock.to_text(order.created_at) > first[0]:
            break
        if order.has_arrived:
            arrived = (_arrived_at(order), order.id)
            first = min(first or arrived, arrived)
    return first[1] if first else None


def _arrived_at(order: Order) -> str:
    found = dispatches.get_dispatches(each.id for each in order.dispatches)
    parcels = (parcel for dispatch in found for parcel in dispatch.parcels)
    return min(parcel.delivered_at for parcel in parcels if parcel.delivered_at)
