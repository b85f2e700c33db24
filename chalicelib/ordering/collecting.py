"""Money that a leader takes in for an order, within its credit limit."""

from dataclasses import dataclass

from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Conflict, Invalid, NotFound, Stale
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Bound
from chalicelib.ledger.store import OutOfBounds
from chalicelib.ordering import store as ordering
from chalicelib.ordering.booking import pay
from chalicelib.ordering.rules import Order
from chalicelib.parties import service as parties
from chalicelib.payments import store as payments
from chalicelib.payments.rules import LEADER_COLLECT, Receipt
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder


@dataclass(frozen=True)
class Collected:
    """What a leader took in for an order, and whether it was booked just now."""

    receipt: Receipt
    is_new: bool


@retry_stale
def collect(
    order_id: str, amount: int, reference: str, caller: Caller, recorder: Recorder | None
) -> Collected:
    """Book money that a leader took in for an order, once by the leader's reference.

    Raises Conflict where the order is not one the leader collects for or not open, or where the
    leader would hold more than its credit limit; Invalid where the amount is not the total:
    nothing is booked then.
    """
    order = ordering.get_order(order_id)
    if order is None:
        raise NotFound("There is no such order.")
    caller.must_be("leader", order.leader_id, "order")
    if order.payment_method != LEADER_COLLECT:
        raise Conflict("The order is paid by card.", code="not_leader_collect")
    before = payments.get_receipt(LEADER_COLLECT, f"{order.id}:{reference}")
    if before and before.amount == amount:
        return Collected(before, is_new=False)
    if order.status != "pending_payment":
        raise Conflict(
            f"The order is {order.status}; only one that waits for its payment can be paid.",
            code="order_not_payable",
        )
    if amount != order.total:
        raise Invalid.field(
            "amount",
            f"must be {order.total}, the order's total of {written(order.total, order.currency)}",
            code="amount_mismatch",
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
    _pay_collected(order, receipt, recorder)
    return Collected(receipt, is_new=True)


def _pay_collected(order: Order, receipt: Receipt, recorder: Recorder | None) -> None:
    """The same as `_pay`, within the leader's credit limit as it was read."""
    limit = parties.leader(order.leader_id).credit_limit
    if limit is None:
        pay(order, receipt, recorder)
        return
    bound = Bound(f"leader:{order.leader_id}", "collected", at_most=limit)
    try:
        pay(order, receipt, recorder, bound)
    except OutOfBounds:
        raise _limit_reached(order, bound) from None


def _limit_reached(order: Order, bound: Bound) -> Exception:
    """Why the money is refused; Stale where so much was remitted meanwhile that it fits."""
    held = ledger.accounts_of(bound.party).collected
    if bound.admits(held + order.total):
        return Stale()
    first = "Remit some of it" if bound.admits(order.total) else "The limit has to be raised"
    now, more, most = (
        written(amount, order.currency) for amount in (held, order.total, bound.at_most)
    )
    return Conflict(
        f"The leader holds {now} of collected cash; another {more} would be more than its limit "
        f"of {most}. {first} first.",
        code="credit_limit_reached",
    )
