"""How a batch goes on once all its pages, or all its payouts, have come so far."""

from dataclasses import replace
from datetime import datetime

from chalicelib.kernel import clock
from chalicelib.payouts import batch_store
from chalicelib.payouts.rules import Batch, Tally
from chalicelib.platform.log import metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import write


@retry_stale
def finish(batch_id: str) -> None:
    """Take the batch to its next state, if nothing is left to be done in its present one."""
    batch = batch_store.get_batch(batch_id)
    if batch is None or not batch.goes_on_by_itself:
        return
    after = _next(batch, batch_store.tally(batch_id), clock.now())
    if after:
        write(batch_store.replace_batch(after))
        metric("PayoutBatches", status=after.status)


def _next(batch: Batch, tally: Tally, now: datetime) -> Batch | None:
    if batch.status == "preparing" and tally.is_prepared:
        return _prepared(batch, tally, now)
    if batch.status == "sent" and tally.over == batch.payouts:
        return replace(batch.after("closed", now), ended_at=now)
    if batch.status == "cancelling" and tally.cancelled == batch.payouts:
        return replace(batch.after("cancelled", now), ended_at=now)
    return None


def _prepared(batch: Batch, tally: Tally, now: datetime) -> Batch:
    """With its totals; one in which nobody is sent anything is at its end."""
    known = replace(
        batch,
        pages=tally.pages,
        payouts=tally.payouts,
        amount=tally.amount,
        netted=tally.netted,
        left_out=tally.left_out,
    )
    if tally.to_send:
        return known.after("prepared", now)
    return replace(known.after("closed", now), ended_at=now)
