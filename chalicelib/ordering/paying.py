"""Money that came in is always booked, and goes on or back by itself (contract, section 4)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from chalicelib.cases import service as cases
from chalicelib.cases.rules import CaseKind
from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.rules import Campaign
from chalicelib.kernel import clock, events, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Busy, Conflict, Invalid, NotFound, Stale
from chalicelib.kernel.events import Event
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Bound
from chalicelib.ledger.store import OutOfBounds
from chalicelib.ordering import caps
from chalicelib.ordering import store as ordering
from chalicelib.ordering.placing import PAYABLE_AFTER_CLOSE
from chalicelib.ordering.rules import Order, OrderLine, limited_units
from chalicelib.parties import service as parties
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
from chalicelib.payments.rules import LEADER_COLLECT, Receipt, Refund
from chalicelib.platform.log import logger, metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.settlement import earning
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


def take_event(name: str, headers: Mapping[str, str], body: bytes) -> None:
    """Do what a provider's event says. Raises NotFound for a provider that this stack has not,
    InvalidSignature for an event that it has not signed, Busy for one that it must send again."""
    event = _read(name, headers, body)
    if isinstance(event, PaymentSucceeded):
        receive(name, event)
    elif isinstance(event, RefundSettled):
        refunds.hear(name, event.refund_id, "succeeded" if event.succeeded else "failed")
    elif isinstance(event, NeedsPerson):
        _call_person(name, event)


def _read(name: str, headers: Mapping[str, str], body: bytes) -> ProviderEvent | None:
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
        _keep_unmatched(replace(receipt, order_id=None))
    elif misfit := _misfit(order, receipt):
        _send_back(order, receipt, misfit)
    elif order.status == "pending_payment":
        _pay(order, receipt)
    elif may_revive and (campaign := _revivable(order, receipt)):
        _revive(order, campaign, receipt)
    else:
        _refund_whole(order, receipt)


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
        _pay(order, receipt, recorder)
        return
    bound = Bound(f"leader:{order.leader_id}", "collected", at_most=limit)
    try:
        _pay(order, receipt, recorder, bound)
    except OutOfBounds:
        raise _limit_reached(order, bound) from None


def _limit_reached(order: Order, bound: Bound) -> Exception:
    """Why the money is refused; Stale where so much was remitted meanwhile that it fits."""
    held = ledger.accounts_of(bound.party).collected
    if bound.admits(held + order.total):
        return Stale()
    now, more, most = (
        written(amount, order.currency) for amount in (held, order.total, bound.at_most)
    )
    return Conflict(
        f"The leader holds {now} of collected cash; another {more} would be more than its limit "
        f"of {most}.",
        code="credit_limit_reached",
    )


def _pay(
    order: Order, receipt: Receipt, recorder: Recorder | None = None, within: Bound | None = None
) -> None:
    """The order waits for just this money. Raises OutOfBounds where it may not be held."""
    transaction = Transaction(recorder)
    transaction.add(*stock.commit(order.parts))
    _book_paid(transaction, order, receipt, within)
    transaction.commit(receipt)
    metric("OrdersPaid")


def _revive(expired: Order, campaign: Campaign, receipt: Receipt) -> None:
    """The order has expired, but all it needs can be taken again, from other shards maybe.

    Limits and caps are those that its campaign has now. Raises CannotTake where not.
    """
    offers = catalogue.get_offers(campaign.id, [line.sku_id for line in expired.lines])
    order = expired.with_limits({each.sku_id: each.limit_per_customer for each in offers})
    limits, capped = limited_units(order.lines), caps.of(campaign, offers)

    def commit(parts: Mapping[str, Parts]) -> None:
        transaction = Transaction()
        revived = order.with_parts(parts)
        transaction.add(
            *stock.take_again(revived.parts),
            *caps.take(revived, capped),
            ordering.count_limits(order.campaign_id, order.customer_id, limits, CannotTake()),
        )
        if campaign.waits_for_its_target:
            # Whoever is counting its orders now must count again.
            transaction.add(catalogue.replace_campaign(campaign.changed()))
        _book_paid(transaction, revived, receipt)
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


def _book_paid(
    transaction: Transaction, order: Order, receipt: Receipt, within: Bound | None = None
) -> None:
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
        earning.estimate(order.leader_id, order.earnings_left),
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
