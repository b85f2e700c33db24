"""Money that came in is always booked, and goes on or back by itself (contract, section 4)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from chalicelib.cases import service as cases
from chalicelib.cases.rules import CaseKind
from chalicelib.catalogue import store as catalogue
from chalicelib.kernel import clock, events, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, Invalid, NotFound
from chalicelib.kernel.events import Event
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ordering import store as ordering
from chalicelib.ordering.placing import PAYABLE_AFTER_CLOSE
from chalicelib.ordering.rules import Order, OrderLine, limited_units
from chalicelib.payments import refunds
from chalicelib.payments import store as payments
from chalicelib.payments.providers import PaymentSucceeded, RefundSettled, provider
from chalicelib.payments.rules import LEADER_COLLECT, Receipt, Refund
from chalicelib.platform.log import logger, metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.settlement import earning
from chalicelib.stock import store as stock
from chalicelib.stock.rules import MOST_ITEMS, Parts
from chalicelib.stock.store import CannotTake
from chalicelib.stock.taking import StockPool, take

# Items of the transaction that are no stock: order, limits, receipt, entry with its balance,
# the leader's estimate, the event.
OTHER_ITEMS = 7


def take_event(name: str, headers: Mapping[str, str], body: bytes) -> None:
    """Do what a provider's event says. Raises NotFound for a provider that this stack has not,
    InvalidSignature for an event that it has not signed."""
    event = provider(name).read_event(headers, body)
    if isinstance(event, PaymentSucceeded):
        receive(name, event)
    elif isinstance(event, RefundSettled):
        refunds.hear(name, event.refund_id, "succeeded" if event.succeeded else "failed")


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
        _keep_unmatched(replace(receipt, order_id=None))
    elif misfit := _misfit(order, receipt):
        _send_back(order, receipt, misfit)
    elif order.status == "pending_payment":
        _pay(order, receipt)
    elif order.status == "expired" and may_revive and _campaign_lives(order, receipt.received_at):
        _revive(order, receipt)
    else:
        _refund_whole(order, receipt)


@retry_stale
def collect(
    order_id: str, amount: int, reference: str, caller: Caller, recorder: Recorder | None
) -> Receipt:
    """Book money that a leader took in for an order.

    Raises Conflict where the order is not one the leader collects for or not open, Invalid where
    the amount is not the total: nothing is booked then.
    """
    order = ordering.get_order(order_id)
    if order is None:
        raise NotFound("There is no such order.")
    caller.must_be("leader", order.leader_id, "order")
    if order.payment_method != LEADER_COLLECT:
        raise Conflict("The order is paid by card.", code="not_leader_collect")
    if order.status != "pending_payment":
        raise Conflict(f"The order is {order.status}; it cannot be paid.", code="order_not_payable")
    if amount != order.total:
        raise Invalid.field(
            "amount", f"must be the order's total, {order.total}", code="amount_mismatch"
        )
    receipt = Receipt(
        provider=LEADER_COLLECT,
        reference=f"{order.id}:{reference}",
        payment_id=order.payment.id,
        order_id=order.id,
        amount=amount,
        currency=order.currency,
        received_at=clock.now(),
    )
    _pay(order, receipt, recorder)
    return receipt


def _pay(order: Order, receipt: Receipt, recorder: Recorder | None = None) -> None:
    """The order waits for just this money."""
    transaction = Transaction(recorder)
    transaction.add(*stock.commit(order.parts))
    _book_paid(transaction, order, receipt)
    transaction.commit(receipt)
    metric("OrdersPaid")


def _revive(order: Order, receipt: Receipt) -> None:
    """The order has expired, but all it needs can be taken again, from other shards maybe.

    Raises CannotTake where not.
    """
    limits = limited_units(order.lines)

    def commit(parts: Mapping[str, Parts]) -> None:
        transaction = Transaction()
        transaction.add(
            *stock.take_again(parts),
            ordering.count_limits(order.campaign_id, order.customer_id, limits, CannotTake()),
        )
        _book_paid(transaction, order.with_parts(parts), receipt)
        transaction.commit()

    take([_again(line) for line in order.lines], MOST_ITEMS - OTHER_ITEMS, commit)
    metric("OrdersPaid")


def _again(line: OrderLine) -> StockPool:
    return StockPool(line.sku_id, line.quantity, line.parts, lambda left: CannotTake())


def _book_paid(transaction: Transaction, order: Order, receipt: Receipt) -> None:
    paid = replace(
        order.changed("paid"),
        paid_at=receipt.received_at,
        receipt=receipt.reference,
        cash_account=_cash_account(order, receipt),
    )
    transaction.add(
        ordering.replace_order(paid),
        payments.take(receipt),
        *ledger.post(_received(receipt, _cash_account(order, receipt), books.CUSTOMER_PREPAYMENTS)),
        earning.estimate(order.leader_id, order.commission_left),
    )
    transaction.publish(Event(events.ORDER_PAID, order.id))


def _refund_whole(order: Order, receipt: Receipt) -> None:
    """Money for an order that has ended: it goes back, and the order says so."""
    refunded = replace(
        order.after_refund(order.everything_left())
        .with_refund(_refund_id(receipt))
        .changed("refunded"),
        paid_at=receipt.received_at,
        receipt=receipt.reference,
        cash_account=_cash_account(order, receipt),
    )
    transaction = Transaction()
    transaction.add(ordering.replace_order(refunded))
    reason = f"The order was {order.status} when the money came."
    refunds.decide_of_order_in(transaction, _book_and_return(transaction, order, receipt, reason))
    transaction.commit()


def _send_back(order: Order, receipt: Receipt, kind: CaseKind) -> None:
    """Money that the order does not wait for: back in full, the order unchanged, and a case."""
    transaction = Transaction()
    detail = (
        f"{receipt.amount} {receipt.currency} came by {receipt.provider} for order {order.id} "
        f"({order.status}, total {order.total} {order.currency}) and goes back."
    )
    cases.open_in(transaction, kind, receipt.id, detail)
    refunds.decide_in(transaction, _book_and_return(transaction, order, receipt, kind))
    transaction.commit()


def _book_and_return(
    transaction: Transaction, order: Order, receipt: Receipt, reason: str
) -> Refund:
    """Add the money's coming and its going back to the transaction."""
    account = books.cash(receipt.provider)
    refund = Refund(
        id=_refund_id(receipt),
        order_id=order.id,
        leader_id=order.leader_id,
        amount=receipt.amount,
        currency=receipt.currency,
        status="pending",
        method="card",
        provider=receipt.provider,
        receipt=receipt.reference,
        cash_account=account,
        reason=reason,
        decided_at=receipt.received_at,
        completed_at=None,
        version=1,
    )
    decided = books.entry(
        f"refund:{refund.id}",
        receipt.currency,
        order.id,
        receipt.received_at,
        {books.CUSTOMER_PREPAYMENTS: receipt.amount, books.REFUNDS_IN_FLIGHT: -receipt.amount},
    )
    transaction.add(
        payments.take(receipt),
        *ledger.post(_received(receipt, account, books.CUSTOMER_PREPAYMENTS), decided),
    )
    return refund


def _refund_id(receipt: Receipt) -> str:
    return ids.derived("rfd", receipt.id)


def _keep_unmatched(receipt: Receipt) -> None:
    """No order fits: the money is booked, and a person must find out whose it is."""
    transaction = Transaction()
    transaction.add(
        payments.take(receipt),
        *ledger.post(_received(receipt, books.cash(receipt.provider), books.UNMATCHED_RECEIPTS)),
    )
    detail = (
        f"{receipt.amount} {receipt.currency} came by {receipt.provider} "
        f"for {receipt.payment_id}, which no order has."
    )
    cases.open_in(transaction, "unmatched_receipt", receipt.id, detail)
    transaction.commit()


def _received(receipt: Receipt, cash_account: str, credited: str) -> books.Entry:
    return books.entry(
        f"receipt:{receipt.id}",
        receipt.currency,
        receipt.order_id or receipt.payment_id,
        receipt.received_at,
        {cash_account: receipt.amount, credited: -receipt.amount},
    )


def _cash_account(order: Order, receipt: Receipt) -> str:
    if receipt.provider == LEADER_COLLECT:
        return books.leader_account(order.leader_id, "collected")
    return books.cash(receipt.provider)


def _misfit(order: Order, receipt: Receipt) -> CaseKind | None:
    """Why this money cannot be the order's, whatever the order's state; else None."""
    if order.payment_method == LEADER_COLLECT:
        return "wrong_method"
    if receipt.currency != order.currency:
        return "wrong_currency"
    if receipt.amount != order.total:
        return "wrong_amount"
    return "second_payment" if order.paid_at else None


def _campaign_lives(order: Order, now: datetime) -> bool:
    campaign = catalogue.get_campaign(order.campaign_id)
    return bool(
        campaign and not campaign.cancelled and now < campaign.closes_at + PAYABLE_AFTER_CLOSE
    )
