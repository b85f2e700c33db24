"""Refunds on their way: decided with their cause, executed once, watched until they arrive.

Source: contract, sections 3 and 6.
"""

from dataclasses import replace
from datetime import datetime
from typing import get_args

from chalicelib.cases import service as cases
from chalicelib.kernel import clock, events
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, Forbidden, NotFound
from chalicelib.kernel.events import Event
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.parties import service as parties
from chalicelib.payments import charged_back, refund_store
from chalicelib.payments.providers import OutcomeUnknown, RefundRequest, RefundSettled, provider
from chalicelib.payments.rules import LEADER_COLLECT, Handed, PaymentMethod, Refund, RefundStatus
from chalicelib.platform import queues
from chalicelib.platform.log import logger
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.sweeping import sweep_each
from chalicelib.platform.transaction import Recorder, Transaction, write

LOOKS_A_SWEEP = 100


class NotSettledYet(Exception):
    """The provider gave no clear answer; the message comes again and asks with the same key."""


def decide_in(transaction: Transaction, refund: Refund) -> None:
    """Add a decided refund to the transaction of its cause; its postings are the cause's own."""
    transaction.add(refund_store.add_refund(refund))
    transaction.publish(Event(events.REFUND_DECIDED, refund.id))


def decide_of_order_in(transaction: Transaction, refund: Refund) -> None:
    """The same for what an order loses, of which others hear."""
    decide_in(transaction, refund)
    transaction.publish(Event(events.ORDER_REFUNDED, refund.id, {"order_id": refund.order_id}))


def as_left(refund: Refund) -> Refund:
    """The refund where its provider has taken the money back by itself."""
    return replace(refund, status="succeeded", completed_at=refund.decided_at)


def done_entries(refund: Refund, now: datetime) -> list[books.Entry]:
    """What a refund posts that has arrived; nothing where it was worth nothing."""
    return [_done(refund, now)] if refund.amount else []


def execute(refund_id: str) -> None:
    """Ask the provider to send the money back. Raises NotSettledYet where it must ask again.

    Beside a chargeback it is only asked what became of what it was asked before.
    """
    refund = _to_ask(refund_id)
    if refund is None:
        return
    asked = RefundRequest(
        refund.id,
        refund.attempt,
        refund.receipt,
        refund.left,
        refund.currency,
        to_be_made=not refund.beside,
    )
    try:
        answer = provider(refund.provider).refund(asked)
    except OutcomeUnknown as reason:
        settle(refund_id, "unknown", asked.attempt)
        raise NotSettledYet(refund_id) from reason
    if answer.outcome != "pending":
        settle(refund_id, answer.outcome, answer.attempt)


@retry_stale
def _to_ask(refund_id: str) -> Refund | None:
    """The refund, where its provider is to be asked: what may be sent from now on, no chargeback
    takes for unsent."""
    refund = refund_store.get_refund(refund_id)
    if refund is None:
        raise LookupError(f"refund {refund_id} is not stored")
    if refund.method == LEADER_COLLECT or refund.status not in ("pending", "unknown"):
        return None
    if not refund.is_asked:
        refund = refund.asked()
        write(refund_store.note(refund))
    return refund


def hear(provider_name: str, event: RefundSettled) -> None:
    """Take what a provider says became of a refund. Raises NotFound for one that is not its own."""
    refund = refund_store.get_refund(event.refund_id)
    if refund is None or refund.provider != provider_name:
        raise NotFound("There is no such refund of this provider.")
    settle(refund.id, "succeeded" if event.succeeded else "failed", event.attempt)


@retry_stale
def settle(refund_id: str, outcome: RefundStatus, attempt: int) -> None:
    """Book what became of an attempt of a refund, or call a person where the refund is done and
    that cannot be true as well."""
    refund = _refund(refund_id)
    if refund.is_contradicted(outcome, attempt):
        _open_contradiction(refund, outcome, attempt)
    if not refund.is_news(outcome, attempt):
        return
    now = clock.now()
    changed = refund.settled(outcome, attempt, now)
    transaction = Transaction()
    if outcome == "succeeded":
        transaction.add(*ledger.post(_done(changed, now)))
    if outcome == "failed":
        changed = charged_back.pay_failed_in(transaction, changed, now)
    if changed.status == "failed":
        _call_person(transaction, changed)
    transaction.add(refund_store.replace_refund(changed, refund.version))
    transaction.commit()
    logger.info("refund settled", refund_id=refund.id, order_id=refund.order_id, outcome=outcome)


@retry_stale
def retry(refund_id: str, recorder: Recorder | None) -> Refund:
    """Have a refund that has failed sent once more. Raises Conflict for any other: what is under
    way, or may be, must not be sent beside it."""
    refund = _refund(refund_id)
    if refund.status != "failed":
        raise Conflict(
            f"The refund is {refund.status}; only one that has failed is sent again.",
            code="refund_not_failed",
        )
    retried = refund.retried(clock.now())
    transaction = Transaction(recorder)
    transaction.add(refund_store.replace_refund(retried, refund.version))
    transaction.publish(Event(events.REFUND_DECIDED, refund.id))
    transaction.commit(retried)
    return retried


@retry_stale
def confirm(refund_id: str, handed: Handed, caller: Caller, recorder: Recorder | None) -> Refund:
    """The customer has been given the money by hand: of the leader's cash, or from the bank.

    Raises Forbidden where that is not the leader's to say, Conflict where the money is a
    provider's to send, or has come from elsewhere.
    """
    refund = refund_for(refund_id, caller)
    if not caller.is_operator and (refund.method != LEADER_COLLECT or handed.paid_from != "leader"):
        raise Forbidden(
            "A leader confirms that it has handed back cash it had collected; anything else is an "
            "operator's to say."
        )
    if refund.was(handed):
        return refund
    _must_be_confirmable(refund)
    if refund.is_done:  # it is worth nothing, so there was nothing to hand back
        return refund
    now = clock.now()
    confirmed = refund.handed_back(handed, _account(refund, handed), now)
    transaction = Transaction(recorder)
    transaction.add(
        refund_store.replace_refund(confirmed, refund.version), *ledger.post(_done(confirmed, now))
    )
    transaction.commit(confirmed)
    return confirmed


def refund_for(refund_id: str, caller: Caller) -> Refund:
    """The refund, for its customer, its leader and operators. Raises NotFound for anyone else."""
    refund = _refund(refund_id)
    if not refund.is_for(caller):
        raise NotFound("There is no such refund.")
    return refund


def refunds_of(
    leader_id: str,
    status: RefundStatus | None,
    method: PaymentMethod | None,
    caller: Caller,
    page: PageRequest,
) -> Page[Refund]:
    """What goes back to a leader's customers, newest first; of one status and method, or of all."""
    caller.must_be("leader", leader_id, "leader")
    parties.leader(leader_id)
    statuses = (status,) if status else get_args(RefundStatus)
    methods = (method,) if method else get_args(PaymentMethod)
    return refund_store.refunds_of(leader_id, statuses, methods, page)


def look_after(now: datetime) -> None:
    """Ask providers again, and open a case for what nobody has confirmed for 48 hours."""
    due = {refund.id: refund for refund in refund_store.to_look_at(now, LOOKS_A_SWEEP)}
    sweep_each(due, lambda refund_id: _look_at(due[refund_id], now))


def _look_at(refund: Refund, now: datetime) -> None:
    if now < refund.confirm_by:
        write(refund_store.look_again(refund.id, refund.next_look(now)))
        queues.send(queues.REFUND_EXECUTE, [{"subject": refund.id}])
        return
    transaction = Transaction()
    transaction.add(refund_store.stop_watching(refund.id))
    detail = f"Refund {refund.id} of order {refund.order_id} has not been confirmed for 48 hours."
    cases.open_in(
        transaction, "refund_unconfirmed", refund.id, detail, occurrence=refund.occurrence
    )
    transaction.commit()


def _refund(refund_id: str) -> Refund:
    refund = refund_store.get_refund(refund_id)
    if refund is None:
        raise NotFound("There is no such refund.")
    return refund


def _must_be_confirmable(refund: Refund) -> None:
    if refund.paid_from:
        raise Conflict(
            f"The refund was confirmed before, as paid from the {_told(refund)}.",
            code="already_confirmed",
        )
    if refund.method != LEADER_COLLECT and refund.status != "failed":
        raise Conflict(
            f"The refund is {refund.status} at its provider; one by card is handed back in "
            "another way only once it has failed there.",
            code="not_leader_collect",
        )


def _call_person(transaction: Transaction, failed: Refund) -> None:
    detail = (
        f"The provider {failed.provider} refused refund {failed.id} of order {failed.order_id}."
    )
    cases.open_in(transaction, "refund_failed", failed.id, detail, occurrence=failed.occurrence)
    transaction.publish(Event(events.REFUND_FAILED, failed.id, {"order_id": failed.order_id}))


def _open_contradiction(refund: Refund, outcome: RefundStatus, attempt: int) -> None:
    before = f"attempt {refund.attempt} had succeeded"
    if refund.paid_from == "chargeback":
        before = "the customer's bank had taken it by a chargeback"
    elif refund.paid_from:
        before = f"it was handed back from the {refund.paid_from}"
    transaction = Transaction()
    detail = (
        f"The provider {refund.provider} says that attempt {attempt} of refund {refund.id} of "
        f"order {refund.order_id} {outcome}, after {before}. Find out where the money is."
    )
    cases.open_in(transaction, "refund_failed", refund.id, detail, occurrence="after success")
    transaction.commit()


def _told(refund: Refund) -> str:
    return (
        f"{refund.paid_from} as {refund.reference}" if refund.reference else str(refund.paid_from)
    )


def _account(refund: Refund, handed: Handed) -> str:
    if handed.paid_from == "leader":
        return books.leader_account(refund.leader_id, "collected")
    return books.cash("bank")


def _done(refund: Refund, now: datetime) -> books.Entry:
    return books.entry(
        f"refund-done:{refund.id}",
        refund.currency,
        refund.order_id,
        now,
        {books.REFUNDS_IN_FLIGHT: refund.left, refund.cash_account: -refund.left},
        note=refund.reason if refund.chargeback_id else None,
    )
