"""Refunds on their way: decided with their cause, executed once, watched until they arrive.

Source: contract, sections 3 and 6.
"""

from dataclasses import replace
from datetime import datetime
from typing import get_args

from chalicelib.cases import service as cases
from chalicelib.kernel import clock, events
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, NotFound
from chalicelib.kernel.events import Event
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.parties import service as parties
from chalicelib.payments import store as payments
from chalicelib.payments.providers import OutcomeUnknown, provider
from chalicelib.payments.rules import LEADER_COLLECT, PaymentMethod, Refund, RefundStatus
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
    transaction.add(payments.add_refund(refund))
    transaction.publish(Event(events.REFUND_DECIDED, refund.id))


def decide_of_order_in(transaction: Transaction, refund: Refund) -> None:
    """The same for what an order loses, of which others hear."""
    decide_in(transaction, refund)
    transaction.publish(Event(events.ORDER_REFUNDED, refund.id, {"order_id": refund.order_id}))


def execute(refund_id: str) -> None:
    """Ask the provider to send the money back. Raises NotSettledYet where it must ask again."""
    refund = payments.get_refund(refund_id)
    if refund is None:
        raise LookupError(f"refund {refund_id} is not stored")
    if refund.method == LEADER_COLLECT or refund.status not in ("pending", "unknown"):
        return
    try:
        outcome = provider(refund.provider).refund(
            refund.id, refund.receipt, refund.amount, refund.currency
        )
    except OutcomeUnknown as reason:
        settle(refund_id, "unknown")
        raise NotSettledYet(refund_id) from reason
    if outcome != "pending":
        settle(refund_id, outcome)


def hear(provider_name: str, refund_id: str, outcome: RefundStatus) -> None:
    """Take what a provider says became of a refund. Raises NotFound for one that is not its own."""
    refund = payments.get_refund(refund_id)
    if refund is None or refund.provider != provider_name:
        raise NotFound("There is no such refund of this provider.")
    if refund.is_done and outcome == "failed":
        _open_contradiction(refund)
    else:
        settle(refund_id, outcome)


@retry_stale
def settle(refund_id: str, outcome: RefundStatus, recorder: Recorder | None = None) -> Refund:
    """Book what became of a refund. Once it has succeeded, nothing that is said changes it."""
    refund = payments.get_refund(refund_id)
    if refund is None:
        raise NotFound("There is no such refund.")
    if refund.is_done or refund.status == outcome:
        return refund
    now = clock.now()
    completed_at = now if outcome == "succeeded" else None
    changed = replace(refund, status=outcome, completed_at=completed_at, version=refund.version + 1)
    transaction = Transaction(recorder)
    transaction.add(payments.replace_refund(changed, refund.version))
    if outcome == "succeeded":
        transaction.add(*ledger.post(_done(refund, now)))
    if outcome == "failed":
        detail = (
            f"The provider {refund.provider} refused refund {refund.id} of order {refund.order_id}."
        )
        cases.open_in(transaction, "refund_failed", refund.id, detail)
        transaction.publish(Event(events.REFUND_FAILED, refund.id, {"order_id": refund.order_id}))
    transaction.commit(changed)
    logger.info("refund settled", refund_id=refund.id, order_id=refund.order_id, outcome=outcome)
    return changed


def confirm(refund_id: str, caller: Caller, recorder: Recorder | None) -> Refund:
    """The leader (or an operator) says that the cash has been handed back."""
    refund = refund_for(refund_id, caller)
    if refund.method != LEADER_COLLECT:
        raise Conflict(
            "Only a refund of money that a leader collected is confirmed by hand.",
            code="not_leader_collect",
        )
    return settle(refund_id, "succeeded", recorder)


def refund_for(refund_id: str, caller: Caller) -> Refund:
    """The refund, for its customer, its leader and operators. Raises NotFound for anyone else."""
    refund = payments.get_refund(refund_id)
    if refund is None or not refund.is_for(caller):
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
    return payments.refunds_of(leader_id, statuses, methods, page)


def look_after(now: datetime) -> None:
    """Ask providers again, and open a case for what nobody has confirmed for 48 hours."""
    due = {refund.id: refund for refund in payments.to_look_at(now, LOOKS_A_SWEEP)}
    sweep_each(due, lambda refund_id: _look_at(due[refund_id], now))


def _look_at(refund: Refund, now: datetime) -> None:
    if now < refund.confirm_by:
        write(payments.look_again(refund.id, refund.next_look(now)))
        queues.send(queues.REFUND_EXECUTE, [{"subject": refund.id}])
        return
    transaction = Transaction()
    transaction.add(payments.stop_watching(refund.id))
    detail = f"Refund {refund.id} of order {refund.order_id} has not been confirmed for 48 hours."
    cases.open_in(transaction, "refund_unconfirmed", refund.id, detail)
    transaction.commit()


def _open_contradiction(refund: Refund) -> None:
    transaction = Transaction()
    detail = (
        f"The provider {refund.provider} says that refund {refund.id} of order {refund.order_id} "
        "failed, after it had said that it succeeded. Find out where the money is."
    )
    cases.open_in(transaction, "refund_failed", refund.id, detail, occurrence="after success")
    transaction.commit()


def _done(refund: Refund, now: datetime) -> books.Entry:
    return books.entry(
        f"refund-done:{refund.id}",
        refund.currency,
        refund.order_id,
        now,
        {books.REFUNDS_IN_FLIGHT: refund.amount, refund.cash_account: -refund.amount},
    )
