"""Refunding lines of a paid order, whether they have been delivered or not."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.dispatch import money_back, rules
from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.service import earned_line
from chalicelib.kernel import clock, events
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, FieldError, Invalid, NotFound
from chalicelib.kernel.events import Event
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order, advanced
from chalicelib.payments import refunds
from chalicelib.payments.rules import Refund
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction, Update
from chalicelib.settlement import earning
from chalicelib.settlement.earning import RefundOfDelivery, RefundOfEarnings
from chalicelib.settlement.rules import EarnedLine, Earnings
from chalicelib.stock import store as stock

REFUNDABLE = ("paid", "shipped", "delivered", "completed")


@retry_stale
def refund_lines(
    order_id: str, units: Mapping[str, int], reason: str, caller: Caller, recorder: Recorder | None
) -> Refund:
    """Refund `units` by SKU: undelivered ones from the prepayment, delivered from the shares.

    Raises Conflict where the order has not been paid, Invalid where more than is left is asked.
    """
    order = ordering.get_order(order_id)
    if order is None:
        raise NotFound("There is no such order.")
    if order.status not in REFUNDABLE:
        raise Conflict(
            f"The order is {order.status}; only a paid one is refunded.",
            code="order_not_refundable",
        )
    _check_units(order, units)
    by_id = {
        each.id: each for each in dispatches.get_dispatches(each.id for each in order.dispatches)
    }
    return _refund(order, units, list(by_id.values()), reason, recorder)


def _check_units(order: Order, units: Mapping[str, int]) -> None:
    left = order.everything_left()
    wrong = tuple(
        FieldError(
            f"lines.{n}.quantity", f"is more than the {left.get(sku_id, 0)} units left to refund"
        )
        for n, (sku_id, quantity) in enumerate(units.items())
        if quantity > left.get(sku_id, 0)
    )
    if wrong:
        raise Invalid(
            "More is asked for than is left to refund.", code="more_than_is_left", errors=wrong
        )


def _refund(
    order: Order,
    units: Mapping[str, int],
    made: Sequence[Dispatch],
    reason: str,
    recorder: Recorder | None,
) -> Refund:
    now = clock.now()
    after = order.after_refund(units)
    refund = money_back.new_refund(
        order, after, after.refunded_amount - order.refunded_amount, reason, now
    )
    delivered = [each for each in made if each.status == "delivered" and _touches(each, units)]
    earnings = earning.earnings_of(order.leader_id)
    transaction = Transaction(recorder)
    transaction.add(
        *ledger.post(money_back.decided(refund, _debits(order, after, delivered, earnings))),
        *earning.take_back(earnings, order.currency, _of_earnings(order, after, delivered, refund)),
        *_stock(order, units, made),
    )
    changed = [_after_refund(each, after, now) for each in made if _touches(each, units)]
    for each in changed:
        after = after.with_dispatch(each.summary)
    transaction.add(*(dispatches.replace_dispatch(each) for each in changed))
    after = advanced(after.with_refund(refund.id), now, settings().return_window)
    transaction.add(ordering.replace_order(after))
    if after.status == "refunded":
        money_back.close_limits(transaction, order)
    if any(each.status == "cancelled" for each in changed):
        transaction.publish(Event(events.DISPATCH_CANCELLED, order.id))
    refunds.decide_of_order_in(transaction, refund)
    transaction.commit(refund)
    return refund


def _touches(dispatch: Dispatch, units: Mapping[str, int]) -> bool:
    return any(line.sku_id in units for line in dispatch.lines)


def _after_refund(dispatch: Dispatch, order: Order, now: datetime) -> Dispatch:
    """What is left to ship of an open dispatch; a version more of one that has shipped."""
    if dispatch.status not in ("created", "accepted"):
        return dispatch.moved(dispatch.status, now)
    lines = rules.with_units(dispatch, order)
    if not lines:
        return dispatch.moved("cancelled", now)
    return replace(dispatch.moved(dispatch.status, now), lines=lines)


def _debits(
    order: Order, after: Order, delivered: Sequence[Dispatch], earnings: Earnings
) -> dict[str, int]:
    """Where the money is taken from: the shares of delivered lines, else what was prepaid."""
    debits: dict[str, int] = {}

    def debit(account: str, amount: int) -> None:
        debits[account] = debits.get(account, 0) + amount

    by_supplier = {each.supplier_id: each for each in delivered}
    for before_line, after_line in zip(order.lines, after.lines, strict=True):
        shares = after_line.refunded - before_line.refunded
        dispatch = by_supplier.get(before_line.supplier_id)
        if dispatch is None:
            debit(books.CUSTOMER_PREPAYMENTS, shares.paid)
            continue
        taken = earnings.has_taken(dispatch.earned_on or "")
        debit(books.supplier_payable(dispatch.supplier_id), shares.cost)
        debit(
            books.leader_account(order.leader_id, "available" if taken else "pending"),
            shares.commission,
        )
        debit(books.PLATFORM_REVENUE, shares.revenue)
    return debits


def _of_earnings(
    order: Order, after: Order, delivered: Sequence[Dispatch], refund: Refund
) -> RefundOfEarnings:
    suppliers = {each.supplier_id for each in delivered}
    undelivered = [
        (now_line.refunded - line.refunded).commission
        for line, now_line in zip(order.lines, after.lines, strict=True)
        if line.supplier_id not in suppliers
    ]
    parts = [_of_delivery(order, after, each) for each in delivered]
    return RefundOfEarnings(refund.id, sum(undelivered), parts)


def _of_delivery(order: Order, after: Order, dispatch: Dispatch) -> RefundOfDelivery:
    matured_on = earning.matures_on(dispatch.delivered_at or dispatch.updated_at).isoformat()
    pairs = [
        (line, now_line)
        for line, now_line in zip(order.lines, after.lines, strict=True)
        if line.supplier_id == dispatch.supplier_id
    ]
    return RefundOfDelivery(
        dispatch.id,
        dispatch.earned_on or "",
        remaining=[
            earned_line(after, now_line, now_line.left, matured_on)
            for _, now_line in pairs
            if now_line.units_left
        ],
        reversed=[
            _reversed(
                earned_line(order, line, line.left, matured_on),
                earned_line(after, now_line, now_line.left, matured_on),
            )
            for line, now_line in pairs
            if now_line.refunded_quantity > line.refunded_quantity
        ],
    )


def _reversed(before: EarnedLine, after: EarnedLine) -> EarnedLine:
    """What a line has lost, as it stood in the statement of the day on which it matured."""
    return replace(
        after,
        kind="clawback",
        basis_amount=after.basis_amount - before.basis_amount,
        amount=after.amount - before.amount,
    )


def _stock(order: Order, units: Mapping[str, int], made: Sequence[Dispatch]) -> list[Update]:
    """Units that were waiting to be shipped wait no longer; shipped ones left the stock before."""
    shipped = {each.supplier_id for each in made if each.status in ("shipped", "delivered")}
    waiting = {
        line.sku_id: units[line.sku_id]
        for line in order.lines
        if line.sku_id in units and line.supplier_id not in shipped
    }
    return stock.let_go(order.next_parts(waiting))
