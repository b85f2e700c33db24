"""What becomes of payouts: paid, returned, failed, or not known yet. Each once."""

from collections.abc import Mapping
from datetime import datetime
from typing import NoReturn

from chalicelib.cases import service as cases
from chalicelib.kernel import clock, events
from chalicelib.kernel.errors import Conflict, NotFound
from chalicelib.kernel.events import Event
from chalicelib.payouts import batch_store, holds, postings, transfers
from chalicelib.payouts import store as payouts
from chalicelib.payouts.finishing import finish
from chalicelib.payouts.rules import ASK_AGAIN_AFTER, Batch, Outcome, Payout, PayoutShown, Told
from chalicelib.platform.log import logger
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction, Write

# What suppliers hear of their payouts; leaders have no endpoints.
TOLD: Mapping[Outcome, str] = {
    "paid": events.PAYOUT_PAID,
    "returned": events.PAYOUT_RETURNED,
    "failed": events.PAYOUT_FAILED,
}


def tell(
    payout_id: str,
    status: Told,
    reference: str,
    recorder: Recorder | None,
    *,
    by: str | None = None,
) -> PayoutShown:
    """Take what a person says, by the bank's reference. Told again it changes nothing.

    Raises NotFound, or Conflict where the payout was not sent, or where it cannot be true after
    what was told before, or beside what Stripe shows.
    """
    told = _tell(payout_id, status, reference, recorder, by)
    finish(told.batch_id)
    return told


def record(payout_id: str, outcome: Outcome, reference: str | None) -> None:
    """Take what a provider says. What is told already changes nothing; what contradicts it opens a
    case."""
    recorded = _record(payout_id, outcome, reference)
    if recorded:
        logger.info("payout settled", payout_id=payout_id, outcome=outcome)
        finish(recorded.batch_id)


@retry_stale
def _tell(
    payout_id: str, status: Told, reference: str, recorder: Recorder | None, by: str | None
) -> PayoutShown:
    payout = payouts.get_payout(payout_id)
    if payout is None:
        raise NotFound("There is no such payout.")
    batch = batch_store.get_batch(payout.batch_id)
    if batch is None or not batch.is_sent:
        _refuse(batch)
    if (payout.outcome, payout.reference) == (status, reference):
        return payout.shown_in(batch)
    if not payout.may_become(status):
        raise Conflict(_why_not(payout, status, reference), code="result_conflict")
    now = clock.now()
    if payout.method == "stripe" and status != "paid":
        transfers.must_be_at_stripe_no_more(payout, now)
    after = payout.told(status, reference, now, by)
    answer = after.shown_in(batch)
    _transaction(payout, after, recorder).commit(answer)
    return answer


@retry_stale
def _record(payout_id: str, outcome: Outcome, reference: str | None) -> Payout | None:
    payout = payouts.get_payout(payout_id)
    if payout is None:
        raise LookupError(f"payout {payout_id} is not stored")
    if payout.contradicts(outcome):
        _call_person(payout, outcome, reference)
        return None
    if not payout.may_become(outcome):
        return None
    after = payout.told(outcome, reference, clock.now())
    _transaction(payout, after, None).commit()
    return after


def _call_person(payout: Payout, outcome: Outcome, reference: str | None) -> None:
    transaction = Transaction()
    transaction.add(payouts.unchanged(payout))
    detail = (
        f"Payout {payout.id} was told as {payout.outcome} by {payout.reference}, and the provider "
        f"says that it is {outcome} by {reference}. Nothing was changed. What it has sent is "
        "reversed there before another batch pays it again; what it has not is told as returned."
    )
    cases.open_in(transaction, "payout_contradicted", payout.id, detail, occurrence=outcome)
    transaction.commit()


def _why_not(payout: Payout, status: Outcome, reference: str | None) -> str:
    if payout.outcome == "offset":
        return (
            "The payout is offset: what its party had coming has paid what it owed, nothing was "
            "sent, and no bank has a result of it."
        )
    return (
        f"The payout is {payout.outcome} by the reference {payout.reference}, and cannot be "
        f"{status} by {reference} as well."
    )


def _refuse(batch: Batch | None) -> NoReturn:
    raise Conflict(
        f"The payout's batch is {batch.status if batch else 'gone'}; there is no result before it "
        "is sent.",
        code="batch_not_sent",
    )


def _transaction(payout: Payout, after: Payout, recorder: Recorder | None) -> Transaction:
    """What it takes for a payout to have come to an outcome."""
    outcome, now = after.outcome, after.told_at
    if outcome is None or now is None:
        raise ValueError(f"nothing was told of {payout.id}")
    transaction = Transaction(recorder)
    transaction.add(
        payouts.replace_payout(after, now + ASK_AGAIN_AFTER if outcome == "unknown" else None),
        batch_store.count(payout.batch_id, payout.page, **_counts(payout, outcome)),
        *_posted(payout, outcome, now),
    )
    if outcome == "returned":
        transaction.add(*holds.after_return(after))
    if after.is_over and not payout.is_over:
        transaction.add(payouts.end(payout))
    if after.payee.role == "supplier" and outcome in TOLD:
        transaction.publish(Event(TOLD[outcome], after.id))
    return transaction


def _posted(payout: Payout, outcome: Outcome, now: datetime) -> list[Write]:
    match outcome:
        case "paid":
            return postings.paid(payout, now)
        case "returned" | "failed":
            return postings.sent_back(payout, now)
        case "cancelled":
            return postings.cancelled(payout, now)
        case _:
            return []


def _counts(payout: Payout, outcome: Outcome) -> dict[str, int]:
    before = batch_store.counted(payout.outcome, payout, -1) if payout.outcome else {}
    return before | batch_store.counted(outcome, payout)
