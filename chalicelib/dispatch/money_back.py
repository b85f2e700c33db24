"""Money back for lines of a paid order: before delivery from what the customer prepaid, after it
from the shares as they were credited (contract, section 6)."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.kernel import ids
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ordering import charged_back_goods
from chalicelib.ordering.ending import counts_back
from chalicelib.ordering.rules import Order
from chalicelib.payments import refunds
from chalicelib.payments.rules import LEADER_COLLECT, Refund
from chalicelib.platform.transaction import Transaction, Write
from chalicelib.settlement import earning, plan_bonuses
from chalicelib.settlement.earning import NOTHING, Beside, RefundOfEarnings
from chalicelib.settlement.plan_bonuses import Refunded
from chalicelib.settlement.rules import Earnings
from chalicelib.suppliers.rules import Goods


def undelivered_in(
    transaction: Transaction, order: Order, units: Mapping[str, int], *, reason: str, now: datetime
) -> Order:
    """Add the refund of units that were never delivered. Returns the order after it."""
    after = order.after_refund(units)
    refund = replace(new_refund(order, after, reason, now), cause="not_shipped")
    lost, bonuses = after.earnings_lost(order), NOTHING
    if order.bonuses and not after.everything_left():
        # What was delivered before is refunded, so that this leaves nothing of the order.
        earnings = earning.earnings_of([order.leader_id])[order.leader_id]
        bonuses = bonuses_back(order, after, refund, earnings)
        of_leader = RefundOfEarnings(refund.id, lost.pop(order.leader_id), (), bonuses.lines)
        transaction.add(*bonuses.writes, *earning.take_back(earnings, order.currency, of_leader))
    transaction.add(
        *booked(refund, {books.CUSTOMER_PREPAYMENTS: refund.amount}, also=bonuses.entries),
        *earning.estimate({each: -amount for each, amount in lost.items()}),
    )
    refunds.decide_of_order_in(transaction, refund)
    return after.with_refund(refund.id)


def bonuses_back(order: Order, after: Order, refund: Refund, earnings: Earnings) -> Beside:
    """What a refund takes back of the bonuses that the order has brought its leader."""
    if not order.bonuses:
        return NOTHING
    is_whole = not after.everything_left()
    refunded = Refunded(refund.id, refund.delivered_net, is_whole, refund.decided_at)
    return plan_bonuses.of_refund(order, refunded, earnings)


def new_refund(order: Order, after: Order, reason: str, now: datetime) -> Refund:
    """A refund whose id follows from the order and what is refunded of it: the same step, once, and
    once more after a chargeback has given it back.

    Units may be worth nothing any more, by rounding: then there is nothing to send.
    """
    step = ",".join(
        f"{line.sku_id}:{line.refunded_quantity}:{line.refunded_amount}" for line in after.lines
    )
    amount = after.refunded_amount - order.refunded_amount
    return Refund(
        id=ids.derived("rfd", order.id, step, *charged_back_goods.won_back(order).values()),
        order_id=order.id,
        leader_id=order.leader_id,
        amount=amount,
        currency=order.currency,
        status="pending" if amount else "succeeded",
        method=order.payment_method,
        provider=_provider(order),
        receipt=order.receipt or "",
        cash_account=order.cash_account or "",
        delivered_net=order.delivered_net - after.delivered_net,
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
    parts: Mapping[str, Sequence[Goods]] | None = None,
) -> list[Write]:
    """What is decided to go back lies in flight until it has arrived; `of` and `parts` say for what
    of theirs some accounts give, and `also` is what else is posted with it."""
    amounts: dict[str, int] = defaultdict(int, debits)
    amounts[books.REFUNDS_IN_FLIGHT] -= refund.amount
    if not any(amounts.values()):
        return ledger.post(*also)
    decided = books.entry(
        f"refund:{refund.id}",
        refund.currency,
        refund.order_id,
        refund.decided_at,
        amounts,
        of,
        parts=parts,
        note=refund.reason if refund.chargeback_id else None,
    )
    return ledger.post(decided, *also)


def close_limits(transaction: Transaction, order: Order) -> None:
    """Nothing is left unrefunded: the order no longer counts against limits and caps."""
    transaction.add(*counts_back(order))


def _provider(order: Order) -> str:
    if order.payment_method == LEADER_COLLECT:
        return LEADER_COLLECT
    return (order.cash_account or "").removeprefix("cash:")
