"""Batches as operators deal with them: made, approved by another, sent, or cancelled before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NoReturn

from chalicelib.kernel import clock, events, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.currencies import whole as whole_of
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Conflict, Forbidden, NotFound
from chalicelib.kernel.events import Event
from chalicelib.payouts import batch_store, transfers
from chalicelib.payouts import store as payouts
from chalicelib.payouts.accounts import check_party
from chalicelib.payouts.payer import payer_of
from chalicelib.payouts.rules import Batch, BatchKind, BatchStatus, Method, Party, PayoutShown
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction

# What has to be done first, where it is not plain from the two.
FIRST: Mapping[tuple[BatchStatus, BatchStatus], str] = {
    ("preparing", "approved"): " Its parties are still being looked at: read it again in a minute.",
    ("prepared", "sent"): " Approve it first, by POST /v1/payout-batches/{id}/approve.",
}


@dataclass(frozen=True)
class Results:
    """What payouts of a batch have come to; amounts in the currency's minor unit."""

    paid: int
    paid_amount: int
    returned: int
    returned_amount: int
    failed: int
    failed_amount: int
    unknown: int
    unknown_amount: int
    offset: int


@dataclass(frozen=True)
class BatchWhole(Batch):
    """A batch with what has become of its payouts; while it is prepared, of those it has so far."""

    results: Results | None = None


def make(
    currency: str,
    kind: BatchKind,
    method: Method,
    minimum: int | None,
    caller: Caller,
    recorder: Recorder | None,
) -> BatchWhole:
    """Begin to gather what parties have coming above a minimum: one of the currency itself, unless
    another is said.

    Raises Invalid where this stack has no Stripe, or Stripe does not take the currency, and
    Conflict where the account that its file would pay from is not set, or cannot be.
    """
    if method == "stripe":
        transfers.check(currency)
    now = clock.now()
    batch = Batch(
        id=ids.new("pob"),
        currency=currency,
        kind=kind,
        method=method,
        minimum=whole_of(currency) if minimum is None else minimum,
        status="preparing",
        made_by=caller.id,
        made_at=now,
        asked_at=now,
        version=1,
        payer=payer_of(currency, method),
    )
    transaction = Transaction(recorder)
    transaction.add(batch_store.add_batch(batch))
    transaction.publish(Event(events.PAYOUTS_ASKED, batch.id))
    made = whole(batch)
    transaction.commit(made)
    return made


@retry_stale
def approve(batch_id: str, caller: Caller, recorder: Recorder | None) -> BatchWhole:
    """Let it be sent. Above the limit only an operator who has not made it may say so.

    Raises Forbidden for its maker, Conflict where it is not prepared.
    """
    batch = batch_known(batch_id)
    if batch.status == "approved" and batch.approved_by == caller.id:
        return whole(batch)
    if batch.status != "prepared":
        _refuse(batch, "approved")
    if batch.amount > settings().payout_four_eyes_above and batch.made_by == caller.id:
        raise Forbidden(
            f"{written(batch.amount, batch.currency)} are approved by another operator than the "
            "one who made the batch.",
            code="second_operator_required",
        )
    now = clock.now()
    approved = replace(batch.after("approved", now), approved_by=caller.id, approved_at=now)
    return _change(approved, recorder)


@retry_stale
def send(batch_id: str, caller: Caller, recorder: Recorder | None) -> BatchWhole:
    """Send it: by Stripe the platform does so itself; else it is in the hands of an operator.

    Raises Conflict where it is not approved.
    """
    batch = batch_known(batch_id)
    if batch.is_sent and batch.sent_at:
        return whole(batch)
    if batch.status != "approved":
        _refuse(batch, "sent")
    now = clock.now()
    sent = replace(batch.after("sent", now), sent_at=now, sent_by=caller.id)
    return _change(sent, recorder)


@retry_stale
def cancel(batch_id: str, caller: Caller, recorder: Recorder | None) -> BatchWhole:
    """Give back what it has taken, payout by payout. Raises Conflict once it is sent, and while
    it is prepared."""
    batch = batch_known(batch_id)
    if batch.status in ("cancelling", "cancelled"):
        return whole(batch)
    if batch.status not in ("prepared", "approved"):
        _refuse(batch, "cancelled")
    cancelled = replace(batch.after("cancelling", clock.now()), cancelled_by=caller.id)
    return _change(cancelled, recorder)


def batch_of(batch_id: str) -> BatchWhole:
    return whole(batch_known(batch_id))


def batches(page: PageRequest) -> Page[BatchWhole]:
    return batch_store.batches(page).map(lambda batch: BatchWhole(**vars(batch)))


def payout_for(payout_id: str, caller: Caller) -> PayoutShown:
    """For its payee and for operators. Raises NotFound for anyone else."""
    payout = payouts.get_payout(payout_id)
    if payout is None:
        raise NotFound("There is no such payout.")
    caller.must_be(payout.payee.role, payout.payee.id, "payout")
    return payout.shown_in(batch_known(payout.batch_id))


def payouts_to(party: Party, caller: Caller, page: PageRequest) -> Page[PayoutShown]:
    """What a party was paid out, newest first. Raises NotFound for anyone else's."""
    check_party(party, caller)
    found = payouts.payouts_to(party, page)
    of_ids = batch_store.get_batches(payout.batch_id for payout in found.items)
    return found.map(lambda payout: payout.shown_in(of_ids[payout.batch_id]))


def whole(batch: Batch) -> BatchWhole:
    tally = batch_store.tally(batch.id)
    results = Results(**{name: getattr(tally, name) for name in Results.__dataclass_fields__})
    if batch.status != "preparing":
        return BatchWhole(**vars(batch), results=results)
    so_far = replace(
        batch,
        payouts=tally.payouts,
        amount=tally.amount,
        netted=tally.netted,
        left_out=tally.left_out,
    )
    return BatchWhole(**vars(so_far), results=results)


def batch_known(batch_id: str) -> Batch:
    """Raises NotFound."""
    batch = batch_store.get_batch(batch_id)
    if batch is None:
        raise NotFound("There is no such payout batch.")
    return batch


def _change(after: Batch, recorder: Recorder | None) -> BatchWhole:
    transaction = Transaction(recorder)
    transaction.add(batch_store.replace_batch(after))
    if after.has_work:
        transaction.publish(Event(events.PAYOUTS_ASKED, after.id))
    changed = whole(after)
    transaction.commit(changed)
    return changed


def _refuse(batch: Batch, wanted: BatchStatus) -> NoReturn:
    first = FIRST.get((batch.status, wanted), "").format(id=batch.id)
    raise Conflict(
        f"The batch is {batch.status} and cannot be {wanted} from there.{first}",
        code="invalid_transition",
    )
