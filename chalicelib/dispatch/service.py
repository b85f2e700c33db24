"""What happens to a dispatch. Every change is one transaction on condition of its version."""

from dataclasses import replace
from datetime import datetime

from chalicelib.dispatch import money_back, rules
from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.rules import Dispatch
from chalicelib.kernel import clock, events
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import NotFound
from chalicelib.kernel.events import Event
from chalicelib.kernel.money import BASIS_POINTS
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ordering import store as ordering
from chalicelib.ordering.lines import OrderLine, Shares
from chalicelib.ordering.rules import Order, advanced
from chalicelib.platform.log import logger, metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction, Write
from chalicelib.settlement import earning
from chalicelib.settlement.rules import EarnedLine, commission_base
from chalicelib.stock import store as stock


@retry_stale
def create_for(order_id: str, judged_at: datetime | None = None) -> None:
    """Make the dispatches of a paid order, once, and only while it is paid.

    Suppliers' clocks begin with the payment, or later when its campaign has met its target.
    """
    order = ordering.get_order(order_id)
    if order is None or order.status != "paid" or order.dispatches:
        logger.info("no dispatches to make", order_id=order_id)
        return
    made = rules.dispatches_of(order, clock.now(), judged_at)
    shown = replace(order.changed("paid"), dispatches=tuple(each.summary for each in made))
    transaction = Transaction()
    transaction.add(
        ordering.replace_order(shown), *(dispatches.add_dispatch(each) for each in made)
    )
    transaction.publish(Event(events.DISPATCHES_CREATED, order.id))
    transaction.commit()
    metric("DispatchesCreated", len(made))


@retry_stale
def accept(dispatch_id: str, caller: Caller, recorder: Recorder | None) -> Dispatch:
    dispatch = dispatch_for(dispatch_id, caller)
    if rules.repeats(dispatch, "accepted", {}):
        return dispatch
    accepted = dispatch.moved("accepted", clock.now())
    return _commit(Transaction(recorder), accepted, _order_of(dispatch))


@retry_stale
def reject(dispatch_id: str, reason: str, caller: Caller, recorder: Recorder | None) -> Dispatch:
    """The supplier will not ship: its lines are refunded, and nothing goes back on sale."""
    dispatch = dispatch_for(dispatch_id, caller)
    if rules.repeats(dispatch, "rejected", {"reason": reason}):
        return dispatch
    order, now = _order_of(dispatch), clock.now()
    rejected = dispatch.moved("rejected", now, reason=reason)
    units = rules.units(dispatch.lines)
    transaction = Transaction(recorder)
    transaction.add(*stock.let_go(order.next_parts(units)))
    refunded = money_back.undelivered_in(
        transaction, order, units, reason="dispatch rejected", now=now
    )
    _commit(transaction, rejected, refunded)
    metric("DispatchesRejected")
    return rejected


@retry_stale
def ship(
    dispatch_id: str, carrier: str, tracking_number: str, caller: Caller, recorder: Recorder | None
) -> Dispatch:
    dispatch = dispatch_for(dispatch_id, caller)
    said = {"carrier": carrier, "tracking_number": tracking_number}
    if rules.repeats(dispatch, "shipped", said):
        return dispatch
    order, now = _order_of(dispatch), clock.now()
    shipped = dispatch.moved("shipped", now, shipped_at=now, **said)
    transaction = Transaction(recorder)
    transaction.add(*stock.let_go(order.next_parts(rules.units(dispatch.lines))))
    return _commit(transaction, shipped, order)


@retry_stale
def deliver(
    dispatch_id: str, given: datetime | None, caller: Caller, recorder: Recorder | None
) -> Dispatch:
    """Post what the delivery brings to each side, of what is not refunded."""
    dispatch = dispatch_for(dispatch_id, caller, leader_too=True)
    if rules.repeats(dispatch, "delivered", {"delivered_at_given": given}):
        return dispatch
    now = clock.now()
    if given:
        rules.check_delivered_at(dispatch, given, now, by_operator=caller.is_operator)
    order, delivered_at = _order_of(dispatch), given or now
    lines = [line for line in order.lines_of(dispatch.supplier_id) if line.units_left]
    matured_on = earning.matures_on(delivered_at)
    bucket = earning.earnings_of(order.leader_id).bucket_for(matured_on)
    delivered = dispatch.moved(
        "delivered", now, delivered_at=delivered_at, delivered_at_given=given, earned_on=bucket
    )
    transaction = Transaction(recorder)
    if lines:
        earned = [
            each
            for line in lines
            for each in earned_lines(order, line, line.left, matured_on.isoformat())
        ]
        transaction.add(
            *_booked(order, dispatch, lines, now),
            *earning.earn(order.leader_id, order.currency, bucket, dispatch.id, earned),
        )
    _commit(transaction, delivered, order)
    metric("DispatchesDelivered")
    return delivered


def dispatch_for(dispatch_id: str, caller: Caller, *, leader_too: bool = False) -> Dispatch:
    """The dispatch, where it is the caller's. Raises NotFound."""
    dispatch = dispatches.get_dispatch(dispatch_id)
    if dispatch is None:
        raise NotFound("There is no such dispatch.")
    if not (leader_too and (caller.role, caller.id) == ("leader", dispatch.leader_id)):
        caller.must_be("supplier", dispatch.supplier_id, "dispatch")
    logger.bind(dispatch_id=dispatch.id, order_id=dispatch.order_id)
    return dispatch


def earned_lines(
    order: Order, line: OrderLine, shares: Shares, matured_on: str
) -> list[EarnedLine]:
    """How what a line earns came about, for the leader's statement."""
    net = shares.net - shares.tax - shares.spread
    commission = EarnedLine(
        order_id=order.id,
        sku_id=line.sku_id,
        kind="commission",
        basis=line.basis,
        basis_amount=commission_base(line.basis, net, shares.cost),
        rate_bps=line.rate_bps,
        amount=shares.commission,
        matured_on=matured_on,
    )
    if not line.spread:
        return [commission]
    # All of what the leader asks above the offer's price is its own.
    spread = replace(
        commission,
        kind="spread",
        basis="spread",
        basis_amount=shares.spread,
        rate_bps=BASIS_POINTS,
        amount=shares.spread,
    )
    return [commission, spread]


def _order_of(dispatch: Dispatch) -> Order:
    order = ordering.get_order(dispatch.order_id)
    if order is None:
        raise LookupError(f"order {dispatch.order_id} of {dispatch.id} is not stored")
    return order


def _commit(transaction: Transaction, changed: Dispatch, order: Order) -> Dispatch:
    """Write the dispatch and what its order shows of it."""
    shown = order.with_dispatch(changed.summary)
    after = advanced(shown, changed.updated_at, settings().return_window)
    transaction.add(dispatches.replace_dispatch(changed), ordering.replace_order(after))
    if after.status == "refunded" and order.status != "refunded":
        money_back.close_limits(transaction, order)
    transaction.commit(changed)
    return changed


def _booked(order: Order, dispatch: Dispatch, lines: list[OrderLine], now: datetime) -> list[Write]:
    shares = sum((line.left for line in lines), Shares())
    if not shares:  # what is left of it is worth nothing any more, by rounding
        return []
    delivered = books.entry(
        f"delivered:{dispatch.id}",
        order.currency,
        order.id,
        now,
        {
            books.CUSTOMER_PREPAYMENTS: shares.paid,
            books.supplier_payable(dispatch.supplier_id): -shares.cost,
            books.leader_account(order.leader_id, "pending"): -shares.earned,
            books.PLATFORM_REVENUE: -shares.revenue,
        },
    )
    return ledger.post(delivered)
