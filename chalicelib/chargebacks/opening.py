"""A bank has taken money back: what was to be refunded before, then a refund that has left already,
and a fee beside it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.cases import service as cases
from chalicelib.chargebacks import fees
from chalicelib.dispatch import refunding
from chalicelib.dispatch.refunding import REFUNDABLE, Asked
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Conflict, Invalid, NotFound
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.payments import chargeback_store, charged_back
from chalicelib.payments import store as payments
from chalicelib.payments.providers import PaymentDisputed
from chalicelib.payments.rules import Chargeback, Refund, chargeback_id
from chalicelib.platform.log import logger, metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.settlement import earning


@dataclass(frozen=True)
class Told:
    """What somebody says that a bank has taken back: an operator, or else its provider."""

    provider: str
    reference: str
    charge: str
    amount: int
    fee: int
    currency: str
    by: str | None = None


@dataclass(frozen=True)
class Of:
    """What there is of a charge: the order that it has paid, and the refunds of it that have not
    arrived."""

    order: Order | None
    refunds: Sequence[Refund]


@dataclass(frozen=True)
class Opened:
    """A chargeback, and whether it was booked just now."""

    chargeback: Chargeback
    is_new: bool


@retry_stale
def book(
    order_id: str, amount: int, fee: int, reference: str, caller: Caller, recorder: Recorder | None
) -> Opened:
    """Book what an operator has read at the provider. Raises Invalid for what is no order, and
    Conflict where it was not paid by card, or the reference stands for something else."""
    order = ordering.get_order(order_id)
    if order is None:
        raise Invalid.field("order_id", "is not an order")
    if order.payment_method != "card" or not order.cash_account:
        raise Conflict("No provider has taken money for the order.", code="order_not_charged")
    provider = order.cash_account.removeprefix("cash:")
    charge = order.receipt or ""
    told = Told(provider, reference, charge, amount, fee, order.currency, caller.id)
    before = chargeback_store.get_chargeback(chargeback_id(provider, reference))
    if before is None:
        return Opened(_open(told, order, recorder), is_new=True)
    if (before.order_id, before.amount, before.fee) != (order.id, amount, fee):
        raise Conflict(
            f"The reference {reference} stands for a chargeback of "
            f"{written(before.amount, before.currency)} already.",
            code="reference_reused",
        )
    return Opened(before, is_new=False)


@retry_stale
def hear(provider: str, event: PaymentDisputed) -> Chargeback:
    """Book what a provider says, once; a fee is booked when it is first named."""
    before = chargeback_store.get_chargeback(chargeback_id(provider, event.dispute))
    if before is None:
        told = Told(
            provider, event.dispute, event.reference, event.amount, event.fee, event.currency
        )
        return _open(told, _charged_order(provider, event.reference), None)
    if _differs(before, event):
        _call_about_difference(before, event)
    if event.fee and not before.fee:
        return _add_fee(before, event.fee)
    return before


def chargeback_of(chargeback_id: str) -> Chargeback:
    """Raises NotFound."""
    found = chargeback_store.get_chargeback(chargeback_id)
    if found is None:
        raise NotFound("There is no such chargeback.")
    return found


def _charged_order(provider: str, charge: str) -> Order | None:
    """The order that a charge has paid; one that came beside its payment went back by itself."""
    receipt = payments.get_receipt(provider, charge)
    order = ordering.get_order(receipt.order_id) if receipt and receipt.order_id else None
    if order is None or (order.receipt, order.cash_account) != (charge, books.cash(provider)):
        return None
    return order


def _open(told: Told, order: Order | None, recorder: Recorder | None) -> Chargeback:
    of, now = Of(order, _not_arrived(told)), clock.now()
    transaction, opened = _booked(told, of, recorder, now, may_refund=True)
    if not transaction.fits:
        # More suppliers than one refund takes from: a person refunds it line by line.
        transaction, opened = _booked(told, of, recorder, now, may_refund=False)
    transaction.commit(Opened(opened, is_new=True))
    logger.info("chargeback booked", order_id=opened.order_id, refund_id=opened.refund_id)
    metric("ChargebacksOpened")
    return opened


def _not_arrived(told: Told) -> list[Refund]:
    """The refunds of the charge that the customer may still be sent."""
    receipt = payments.get_receipt(told.provider, told.charge)
    if receipt is None or receipt.currency != told.currency:
        return []
    order = ordering.get_order(receipt.order_id) if receipt.order_id else None
    refund_ids = [receipt.refund_id, *(order.refunds if order else ())]
    return charged_back.not_arrived(told.provider, told.charge, refund_ids)


def _booked(
    told: Told, of: Of, recorder: Recorder | None, now: datetime, *, may_refund: bool
) -> tuple[Transaction, Chargeback]:
    """The chargeback with all that it brings: it pays what is refunded already, then the order is
    refunded what is left of it."""
    transaction, opened = Transaction(recorder), _new(told, of.order, now)
    opened = charged_back.pay_in(transaction, opened, of.refunds, now)
    left = _left(opened, of.order) if may_refund else 0
    if of.order and left:
        opened = _refund_in(transaction, opened, of.order, left, now)
    else:
        transaction.add(*ledger.post(*fees.charged(opened, None, now).entries))
    waiting = charged_back.wait_in(transaction, opened, of.refunds)
    transaction.add(chargeback_store.add_chargeback(opened), *ledger.post(*_beside_refund(opened)))
    _call_person(transaction, opened, waiting)
    return transaction, opened


def _left(opened: Chargeback, order: Order | None) -> int:
    """How much the order can be refunded of what is left of it."""
    if order is None or order.currency != opened.currency or order.status not in REFUNDABLE:
        return 0
    return min(opened.unmatched, order.amount_left)


def _new(told: Told, order: Order | None, now: datetime) -> Chargeback:
    return Chargeback(
        id=chargeback_id(told.provider, told.reference),
        provider=told.provider,
        reference=told.reference,
        charge=told.charge,
        order_id=order.id if order else None,
        refund_id=None,
        amount=told.amount,
        refunded=0,
        fee=told.fee,
        currency=told.currency,
        status="open",
        opened_at=now,
        version=1,
        booked_by=told.by,
    )


def _refund_in(
    transaction: Transaction, opened: Chargeback, order: Order, amount: int, now: datetime
) -> Chargeback:
    """The refund with the fee beside it, so that both are one change of whoever pays."""
    opened = replace(opened, refunded=amount, fee_bearer=fees.bearer_for(order))
    fee = fees.charged(opened, order, now)
    asked = Asked(amount=amount, cause="chargeback", chargeback_id=opened.id, beside=fee)
    made = refunding.refund_in(transaction, order, asked, f"chargeback {opened.id}", now)
    return replace(opened, refund_id=made.id)


def _beside_refund(opened: Chargeback) -> list[books.Entry]:
    """What is in no refund of its own: it was refunded before, or fits nothing."""
    amounts = {
        books.REFUNDS_IN_FLIGHT: opened.paid_amount,
        books.UNMATCHED_CHARGEBACKS: opened.unmatched,
        opened.cash_account: opened.refunded - opened.amount,
    }
    if not any(amounts.values()):
        return []
    subject = opened.order_id or opened.id
    return [
        books.entry(f"chargeback:{opened.id}", opened.currency, subject, opened.opened_at, amounts)
    ]


def _add_fee(before: Chargeback, fee: int) -> Chargeback:
    """A fee that is first named once the chargeback is won is the platform's: whoever bears it
    would have it back."""
    bearer = "platform" if before.status == "won" else before.fee_bearer
    after = replace(before, fee=fee, fee_bearer=bearer, version=before.version + 1)
    order = ordering.get_order(after.order_id) if after.order_id else None
    charged = fees.charged(after, order, clock.now())
    transaction = Transaction()
    transaction.add(chargeback_store.replace_chargeback(after), *ledger.post(*charged.entries))
    if order and charged.lines:
        earnings = earning.earnings_of([order.leader_id])[order.leader_id]
        lines = [line for _, line in charged.lines]
        transaction.add(*earning.adjust(earnings, after.currency, lines[0].entry_id, lines))
    transaction.commit()
    return after


def _call_person(transaction: Transaction, opened: Chargeback, waiting: Sequence[Refund]) -> None:
    taken = written(opened.amount, opened.currency)
    detail = (
        f"{taken} of the charge {opened.charge} at {opened.provider}, for "
        f"{_of(opened)}: {opened.reference} is booked as chargeback {opened.id}. Answer the "
        "customer's bank there."
    )
    cases.open_in(transaction, "payment_disputed", opened.reference, detail)
    if opened.unmatched:
        unmatched = written(opened.unmatched, opened.currency)
        detail = (
            f"Of the {taken} of chargeback {opened.id} {unmatched} fit nothing that {_of(opened)} "
            f"has left: find out whether they were paid back twice."
        )
        for refund in waiting:
            detail += (
                f" Refund {refund.id} of {written(refund.left, refund.currency)} is on its way at "
                "its provider: should it fail, they pay it."
            )
        cases.open_in(transaction, "chargeback_unmatched", opened.id, detail)


def _differs(before: Chargeback, event: PaymentDisputed) -> bool:
    """A fee differs where it was named before, and is named again."""
    booked = before.amount, before.currency, before.fee
    return booked != (event.amount, event.currency, (before.fee and event.fee) or before.fee)


def _call_about_difference(before: Chargeback, event: PaymentDisputed) -> None:
    transaction = Transaction()
    detail = (
        f"{before.provider} says {_with_fee(event)} of {event.dispute}, which is booked as "
        f"chargeback {before.id} of {_with_fee(before)}."
    )
    occurrence = f"{event.amount} {event.currency} {event.fee}"
    cases.open_in(transaction, "chargeback_differs", before.id, detail, occurrence=occurrence)
    transaction.commit()


def _with_fee(told: Chargeback | PaymentDisputed) -> str:
    fee = f" and a fee of {written(told.fee, told.currency)}" if told.fee else ""
    return written(told.amount, told.currency) + fee


def _of(opened: Chargeback) -> str:
    return f"order {opened.order_id}" if opened.order_id else "no order that is known here"
