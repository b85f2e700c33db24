"""Money back for lines of a paid order: before delivery from what the customer prepaid, after it
from the shares as they were credited (contract, section 6)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.kernel import ids
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ordering.ending import counts_back
from chalicelib.ordering.rules import Order
from chalicelib.payments import refunds
from chalicelib.payments.rules import LEADER_COLLECT, Refund
from chalicelib.platform.transaction import Transaction, Write
from chalicelib.settlement import earning


def undelivered_in(
    transaction: Transaction, order: Order, units: Mapping[str, int], *, reason: str, now: datetime
) -> Order:
    """Add the refund of units that were never delivered. Returns the order after it."""
    after = order.after_refund(units)
    refund = replace(new_refund(order, after, reason, now), cause="not_shipped")
    transaction.add(
        *booked(refund, {books.CUSTOMER_PREPAYMENTS: refund.amount}),
        *earning.estimate({each: -lost for each, lost in after.earnings_lost(order).items()}),
    )
    refunds.decide_of_order_in(transaction, refund)
    return after.with_refund(refund.id)


def new_refund(order: Order, after: Order, reason: str, now: datetime) -> Refund:
    """A refund whose id follows from the order and what is refunded of it: the same step, once.

    Units may be worth nothing any more, by rounding: then there is nothing to send.
    """
    step = ",".join(
        f"{line.sku_id}:{line.refunded_quantity}:{line.refunded_amount}" for line in after.lines
    )
    amount = after.refunded_amount - order.refunded_amount
    return Refund(
        id=ids.derived("rfd", order.id, step),
        order_id=order.id,
        leader_id=order.leader_id,
        amount=amount,
        currency=order.currency,
        status="pending" if amount else "succeeded",
        method=order.payment_method,
        provider=_provider(order),
        receipt=order.receipt or "",
        cash_account=order.cash_account or "",
        reason=reason,
        decided_at=now,
        completed_at=None if amount else now,
        version=1,
        customer_id=order.customer_id,
    )


def booked(
    refund: Refund,
    debits: Mapping[str, int],
    of: Mapping[str, Sequence[str]] | None = None,
    also: Sequence[books.Entry] = (),
) -> list[Write]:
    """What is decided to go back lies in flight until it has arrived; `of` says for what of theirs
    some accounts give, and `also` is what else is posted with it."""
    amounts: dict[str, int] = defaultdict(int, debits)
    amounts[books.REFUNDS_IN_FLIGHT] -= refund.amount
    if not any(amounts.values()):
        return ledger.post(*also)
    decided = books.entry(
        f"refund:{refund.id}", refund.currency, refund.order_id, refund.decided_at, amounts, of
    )
    return ledger.post(decided, *also)


def close_limits(transaction: Transaction, order: Order) -> None:
    """Nothing is left unrefunded: the order no longer counts against limits and caps."""
    transaction.add(*counts_back(order))


def _provider(order: Order) -> str:
    if order.payment_method == LEADER_COLLECT:
        return LEADER_COLLECT
    return (order.cash_account or "").removeprefix("cash:")
