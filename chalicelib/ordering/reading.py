"""Who sees which orders."""

from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import NotFound
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.platform.pages import Page, PageRequest, matching


def order_for(order_id: str, caller: Caller) -> Order:
    """The order, for its customer, its leader and operators. Raises NotFound for anyone else."""
    order = ordering.get_order(order_id)
    if order is None or not _sees(caller, order):
        raise NotFound("There is no such order.")
    return order


def orders_for(caller: Caller, campaign_id: str | None, page: PageRequest) -> Page[Order]:
    """A customer's own orders, a leader's community's, or for an operator all; those of one
    campaign, or of any."""
    if caller.is_operator:
        if campaign_id:
            return ordering.orders_of_campaign(campaign_id, page)
        return ordering.all_orders(page)

    def read(some: PageRequest) -> Page[Order]:
        if caller.role == "customer":
            return ordering.orders_of_customer(caller.id, some)
        return ordering.orders_of_leader(caller.id, some)

    if campaign_id is None:
        return read(page)
    return matching(
        read, lambda order: order.campaign_id == campaign_id, lambda order: order.id, page
    )


def order_as_placed(order_id: str) -> Order:
    """An order with the lines, address and note that it was placed with. The rest is of now."""
    order = ordering.get_order(order_id)
    if order is None:
        raise LookupError(f"order {order_id} is not stored")
    return order.as_placed()


def _sees(caller: Caller, order: Order) -> bool:
    mine = {("customer", order.customer_id), ("leader", order.leader_id)}
    return caller.is_operator or (caller.role, caller.id) in mine
