"""How an order goes on by what its campaign says: it is shipped, or undone and refunded whole."""

from dataclasses import replace
from datetime import datetime

from chalicelib.cases import service as cases
from chalicelib.catalogue import store as catalogue
from chalicelib.dispatch import cancelling, refunding, service
from chalicelib.dispatch.refunding import Asked
from chalicelib.kernel import clock
from chalicelib.ordering import charging, ending
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.platform.log import logger
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Transaction

# Why an order is undone, as it and its refunds say.
CANCELLED = "the campaign was cancelled"
MISSED = "the campaign missed its target"
HAS_SHIPPED = ("shipped", "delivered", "completed")


def go_on(order_id: str) -> None:
    """Let an order go its way, by its own state and its campaign's: ship it, or undo it.

    Nothing happens to one that waits for its payment or for its campaign's target.
    """
    order = ordering.get_order(order_id)
    if order is None:
        raise LookupError(f"order {order_id} is not stored")
    campaign = catalogue.get_campaign(order.campaign_id)
    if campaign and campaign.gives_up:
        undo(order_id, CANCELLED if campaign.cancelled else MISSED)
    elif campaign and campaign.waits_for_its_target:
        logger.info("waits for its campaign's target", order_id=order_id)
    else:
        service.create_for(order_id)


def undo(order_id: str, why: str = CANCELLED) -> None:
    """Let a customer keep nothing of an order and pay nothing for it, however far it has come."""
    ended = _end_unshipped(order_id, why)
    if ended:
        ending.restock_now(ended)
    while _refund_shipped(order_id, why):
        pass  # one refund holds only so many lines


@retry_stale
def _end_unshipped(order_id: str, why: str) -> Order | None:
    order = ordering.get_order(order_id)
    if order and order.status == "pending_payment":
        stopped = charging.stop(order)
        return ending.end_unpaid(replace(order, cancel_reason=why), "cancelled", stopped)
    if order and order.status == "paid":
        return cancelling.cancel_paid(replace(order, cancel_reason=why), None)
    return None


@retry_stale
def _refund_shipped(order_id: str, why: str) -> bool:
    """Refund what is left of an order of which something has shipped, or as much as one
    transaction holds; a person then talks to its supplier and customer. False if nothing is left.
    """
    order = ordering.get_order(order_id)
    if order is None or order.status not in HAS_SHIPPED:
        return False
    _refund_that_fits(order, why, clock.now()).commit()
    return True


def _refund_that_fits(order: Order, why: str, now: datetime) -> Transaction:
    left = list(order.everything_left().items())
    while True:
        transaction = Transaction()
        asked = Asked(dict(left), restock="waiting", cause="given_up")
        refunding.refund_in(transaction, order, asked, why, now)
        detail = (
            f"Order {order.id} had shipped when {why} ({order.campaign_id}), and is refunded "
            "whole. Its goods are with the customer or on their way there."
        )
        cases.open_in(transaction, "shipped_of_given_up", order.id, detail)
        if transaction.fits or len(left) == 1:
            return transaction
        left = left[: len(left) // 2]
