"""Money that a leader takes in for an order, within its credit limit."""

from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, Invalid, NotFound, Stale
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Bound
from chalicelib.ledger.store import OutOfBounds
from chalicelib.ordering import store as ordering
from chalicelib.ordering.booking import pay
from chalicelib.ordering.rules import Order
from chalicelib.parties import service as parties
from chalicelib.payments.rules import LEADER_COLLECT, Receipt
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder


@retry_stale
def collect(
    order_id: str, amount: int, reference: str, caller: Caller, recorder: Recorder | None
) -> Receipt:
    """Book money that a leader took in for an order.

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
    if order.status != "pending_payment":
        raise Conflict(
            f"The order is {order.status}; only one that waits for its payment can be paid.",
            code="order_not_payable",
        )
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
    _pay_collected(order, receipt, recorder)
    return receipt


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
    return Conflict(
        f"The leader holds {held} {order.currency} of collected cash; another {order.total} would "
        f"be more than its limit of {bound.at_most}. {first} first.",
        code="credit_limit_reached",
    )
