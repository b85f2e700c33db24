"""Money that came in is always booked, and goes on or back by itself (contract, section 4)."""

from collections.abc import Mapping
from dataclasses import replace

from chalicelib.cases import service as cases
from chalicelib.cases.rules import CaseKind
from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.rules import Campaign
from chalicelib.kernel import clock, ids
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Busy
from chalicelib.ordering import caps, held_units
from chalicelib.ordering import store as ordering
from chalicelib.ordering.booking import book_paid, keep_unmatched, pay, refund_whole, send_back
from chalicelib.ordering.lines import OrderLine, limited_units
from chalicelib.ordering.placing import PAYABLE_AFTER_CLOSE
from chalicelib.ordering.rules import Order
from chalicelib.payments import refunds
from chalicelib.payments import store as payments
from chalicelib.payments.providers import (
    NeedsPerson,
    OutcomeUnknown,
    PaymentSucceeded,
    ProviderEvent,
    RefundSettled,
    provider,
)
from chalicelib.payments.rules import LEADER_COLLECT, Receipt
from chalicelib.platform.log import logger, metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Transaction
from chalicelib.stock import store as stock
from chalicelib.stock.rules import MOST_ITEMS, Parts
from chalicelib.stock.store import CannotTake
from chalicelib.stock.taking import Pool, StockPool, take

# Items of the transaction that are no stock: order, limits, receipt, entry with its balance,
# the leader's estimate, the event.
OTHER_ITEMS = 7

WHAT_TO_DO = {
    "payment_disputed": "answer the customer's bank there.",
    "foreign_refund": "it was not asked for here: refund such orders by the API only.",
}


def take_event(name: str, event: ProviderEvent | None) -> None:
    """Do what a provider's event says of a payment or a refund."""
    if isinstance(event, PaymentSucceeded):
        receive(name, event)
    elif isinstance(event, RefundSettled):
        refunds.hear(name, event)
    elif isinstance(event, NeedsPerson):
        _call_person(name, event)


def read_event(name: str, headers: Mapping[str, str], body: bytes) -> ProviderEvent | None:
    """Raises NotFound for a provider that this stack has not, InvalidSignature for an event that
    it has not signed, Busy for one that it must send again."""
    try:
        return provider(name).read_event(headers, body)
    except OutcomeUnknown as unknown:
        raise Busy(
            "The provider did not say what its event is about. Send it again.",
            code="provider_unavailable",
        ) from unknown


def _call_person(name: str, event: NeedsPerson) -> None:
    receipt = payments.get_receipt(name, event.reference)
    order = f"order {receipt.order_id}" if receipt else "no order that is known here"
    transaction = Transaction()
    detail = (
        f"{written(event.amount, event.currency)} of the charge {event.reference} at {name}, for "
        f"{order}: {event.subject}. The books do not show it; {WHAT_TO_DO[event.kind]}"
    )
    cases.open_in(transaction, event.kind, event.subject, detail)
    transaction.commit()


def receive(provider_name: str, event: PaymentSucceeded) -> None:
    """Book what a provider took: for its order where it fits, else back to where it came from."""
    order_id = ids.sibling("ord", event.payment_id)
    receipt = Receipt(
        provider=provider_name,
        reference=event.reference,
        payment_id=event.payment_id,
        order_id=order_id,
        amount=event.amount,
        currency=event.currency,
        received_at=clock.now(),
    )
    try:
        _take(receipt)
    except CannotTake:
        _take(receipt, may_revive=False)


@retry_stale
def _take(receipt: Receipt, *, may_revive: bool = True) -> None:
    logger.bind(order_id=receipt.order_id)
    if payments.is_taken(receipt):
        return
    order = ordering.get_order(receipt.order_id or "")
    if order is None or order.payment.id != receipt.payment_id:
        keep_unmatched(replace(receipt, order_id=None))
    elif misfit := _misfit(order, receipt):
        send_back(order, receipt, misfit)
    elif order.status == "pending_payment":
        pay(order, receipt)
    elif may_revive and (campaign := _revivable(order, receipt)):
        _revive(order, campaign, receipt)
    else:
        refund_whole(order, receipt)


def _revive(expired: Order, campaign: Campaign, receipt: Receipt) -> None:
    """The order has expired, but all it needs can be taken again, from other shards maybe.

    Limits and caps are those that its campaign has now. Raises CannotTake where not.
    """
    offers = catalogue.get_offers(campaign.id, [line.sku_id for line in expired.lines])
    order = held_units.with_limits(
        expired, {each.sku_id: each.limit_per_customer for each in offers}
    )
    limits, capped = limited_units(order.lines), caps.of_campaign(campaign, offers)

    def commit(parts: Mapping[str, Parts]) -> None:
        transaction = Transaction()
        revived = held_units.with_parts(order, parts)
        transaction.add(
            *stock.take_again(held_units.parts(revived)),
            *caps.take(revived, capped),
            ordering.count_limits(order.campaign_id, order.customer_id, limits, CannotTake()),
        )
        if campaign.waits_for_its_target:
            # Whoever is counting its orders now must count again.
            transaction.add(catalogue.replace_campaign(campaign.changed()))
        book_paid(transaction, revived, receipt)
        transaction.commit()

    gone = CannotTake()
    pools: list[Pool] = [
        *(_again(line) for line in order.lines),
        *caps.pools(order, capped, lambda sku_id, left: gone, gone),
    ]
    take(pools, MOST_ITEMS - OTHER_ITEMS, commit)
    metric("OrdersPaid")


def _again(line: OrderLine) -> StockPool:
    return StockPool(line.sku_id, line.quantity, line.parts, lambda left: CannotTake())


def _misfit(order: Order, receipt: Receipt) -> CaseKind | None:
    """Why this money cannot be the order's, whatever the order's state; else None."""
    if order.payment_method == LEADER_COLLECT:
        return "wrong_method"
    if receipt.currency != order.currency:
        return "wrong_currency"
    if receipt.amount != order.total:
        return "wrong_amount"
    return "second_payment" if order.paid_at else None


def _revivable(order: Order, receipt: Receipt) -> Campaign | None:
    """The campaign of an expired order, where an order of it can still be fulfilled."""
    if order.status != "expired":
        return None
    campaign = catalogue.get_campaign(order.campaign_id)
    if campaign is None or campaign.gives_up:
        return None
    return campaign if receipt.received_at < campaign.closes_at + PAYABLE_AFTER_CLOSE else None
