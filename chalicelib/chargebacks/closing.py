"""How a chargeback ends: the money is lost, or it is back and goes to whom it was taken from."""

from datetime import datetime

from chalicelib.cases import service as cases
from chalicelib.chargebacks import opening, winning
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.payments import chargeback_store
from chalicelib.payments.providers import DisputeOutcome, PaymentDisputed
from chalicelib.payments.rules import Chargeback
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction


@retry_stale
def close(
    chargeback_id: str,
    outcome: DisputeOutcome,
    caller: Caller | None = None,
    recorder: Recorder | None = None,
) -> Chargeback:
    """By an operator, or by its provider where there is no caller.

    Raises NotFound, and Conflict where it was closed with the other outcome.
    """
    before = opening.chargeback_of(chargeback_id)
    if before.status == outcome:
        return before
    if before.status != "open":
        raise Conflict(f"The chargeback was {before.status} before.", code="already_closed")
    now = clock.now()
    after = before.closed(outcome, caller.id if caller else None, now)
    transaction = Transaction(recorder)
    transaction.add(chargeback_store.replace_chargeback(after))
    ended = f"Chargeback {after.id} is {outcome}."
    cases.close_in(transaction, "payment_disputed", after.reference, ended)
    if outcome == "won":
        winning.give_back_in(transaction, after, now)
    elif after.unmatched:
        transaction.add(*ledger.post(_lost(after, now)))
    transaction.commit(after)
    return after


def hear(provider: str, event: PaymentDisputed) -> None:
    """Open what was not told before, then close it with its outcome, if it has one."""
    heard = opening.hear(provider, event)
    if event.outcome is None:
        return
    try:
        close(heard.id, event.outcome)
    except Conflict:
        _call_about_outcome(heard, event.outcome)


def _lost(lost: Chargeback, now: datetime) -> books.Entry:
    """What fitted no order has been paid out of the platform's own."""
    amounts = {
        books.PLATFORM_REVENUE: lost.unmatched,
        books.UNMATCHED_CHARGEBACKS: -lost.unmatched,
    }
    return books.entry(
        f"chargeback-lost:{lost.id}", lost.currency, lost.order_id or lost.id, now, amounts
    )


def _call_about_outcome(closed: Chargeback, outcome: DisputeOutcome) -> None:
    transaction = Transaction()
    detail = (
        f"{closed.provider} says that {closed.reference} is {outcome}, and chargeback {closed.id} "
        "was closed otherwise before. Find out where the money is."
    )
    cases.open_in(transaction, "chargeback_differs", closed.id, detail, occurrence=outcome)
    transaction.commit()
