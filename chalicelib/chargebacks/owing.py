"""What a customer is owed again once a chargeback is won: its bank has taken from it what was to be
refunded, or what it had paid for goods that never came."""

from datetime import datetime

from chalicelib.dispatch import money_back
from chalicelib.ledger import rules as books
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.payments import refund_store, refunds
from chalicelib.payments.rules import Chargeback, Refund
from chalicelib.platform.transaction import Transaction


def refund_again_in(
    transaction: Transaction, won: Chargeback, amount: int, order: Order | None, now: datetime
) -> Order | None:
    """Add a refund of what won money is the customer's, which is sent as any other. Returns the
    order with it."""
    before = _before(won)
    refund = Refund(
        id=won.again_refund_id,
        order_id=before.order_id,
        leader_id=before.leader_id,
        amount=amount,
        currency=won.currency,
        status="pending",
        method="card",
        provider=won.provider,
        receipt=won.charge,
        cash_account=won.cash_account,
        reason=f"chargeback {won.id} was won",
        decided_at=now,
        completed_at=None,
        version=1,
        customer_id=before.customer_id,
    )
    transaction.add(*money_back.booked(refund, {books.UNMATCHED_RECEIPTS: amount}))
    refunds.decide_in(transaction, refund)
    order = order or ordering.get_order(before.order_id)
    return order.with_refund(refund.id) if order else None


def _before(won: Chargeback) -> Refund:
    """One of the refunds that the bank had taken. Raises LookupError."""
    refund_id = won.refund_id or next(each.refund_id for each in won.paid)
    found = refund_store.get_refund(refund_id)
    if found is None:
        raise LookupError(f"refund {refund_id} is not stored")
    return found
