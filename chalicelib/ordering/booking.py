"""What money for an order comes to: the order is paid, or it goes back (contract, section 6)."""

from dataclasses import replace

from chalicelib.cases import service as cases
from chalicelib.cases.rules import CaseKind
from chalicelib.kernel import events
from chalicelib.kernel.currencies import written
from chalicelib.kernel.events import Event
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Bound
from chalicelib.ordering import held_units
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.payments import refunds
from chalicelib.payments import store as payments
from chalicelib.payments.rules import LEADER_COLLECT, Receipt, Refund
from chalicelib.platform.log import metric
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.settlement import earning
from chalicelib.stock import store as stock


def pay(
    order: Order, receipt: Receipt, recorder: Recorder | None = None, within: Bound | None = None
) -> None:
    """The order waits for just this money. Raises OutOfBounds where it may not be held."""
    transaction = Transaction(recorder)
    transaction.add(*stock.commit(held_units.parts(order)))
    book_paid(transaction, order, receipt, within)
    transaction.commit(receipt)
    metric("OrdersPaid")


def book_paid(
    transaction: Transaction, order: Order, receipt: Receipt, within: Bound | None = None
) -> None:
    """Add to a transaction that the order is paid: its state, the receipt, the entry, what the
    leader may expect to earn, and the event. Raises OutOfBounds like `pay`."""
    account = _cash_account(order, receipt)
    paid = replace(
        order.changed("paid"),
        paid_at=receipt.received_at,
        receipt=receipt.reference,
        cash_account=account,
    )
    received = _received(receipt, account, books.CUSTOMER_PREPAYMENTS)
    transaction.add(
        ordering.replace_order(paid),
        payments.take(receipt),
        *ledger.post(received, within=within),
        *earning.estimate(order.earnings_to_come),
    )
    transaction.publish(Event(events.ORDER_PAID, order.id))


def refund_whole(order: Order, receipt: Receipt) -> None:
    """Money for an order that has ended: it goes back, and the order says so."""
    refunded = replace(
        order.after_refund(order.everything_left())
        .with_refund(receipt.refund_id)
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


def send_back(order: Order, receipt: Receipt, kind: CaseKind) -> None:
    """Money that the order does not wait for: back in full, the order unchanged, and a case."""
    transaction = Transaction()
    refund = _book_and_return(transaction, order, receipt, kind)
    detail = (
        f"{written(receipt.amount, receipt.currency)} came by {receipt.provider} for order "
        f"{order.id} ({order.status}, total {written(order.total, order.currency)}) and goes back "
        f"as refund {refund.id}."
    )
    cases.open_in(transaction, kind, receipt.id, detail)
    refunds.decide_in(transaction, refund)
    transaction.commit()


def _book_and_return(
    transaction: Transaction, order: Order, receipt: Receipt, reason: str
) -> Refund:
    """Add the money's coming and its going back to the transaction."""
    account = books.cash(receipt.provider)
    refund = Refund(
        id=receipt.refund_id,
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
        customer_id=order.customer_id,
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


def keep_unmatched(receipt: Receipt) -> None:
    """No order fits: the money is booked, and a person must find out whose it is."""
    transaction = Transaction()
    transaction.add(
        payments.take(receipt),
        *ledger.post(_received(receipt, books.cash(receipt.provider), books.UNMATCHED_RECEIPTS)),
    )
    detail = (
        f"{written(receipt.amount, receipt.currency)} came by {receipt.provider} "
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
