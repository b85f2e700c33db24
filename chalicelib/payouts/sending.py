"""Payouts sent by a provider: each asked for once, and looked for ever after."""

from dataclasses import replace
from datetime import datetime

from chalicelib.cases import service as cases
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.payments.providers import OutcomeUnknown, Refused
from chalicelib.payouts import batch_store, transfers
from chalicelib.payouts import store as payouts
from chalicelib.payouts.reading import payouts_on
from chalicelib.payouts.results import record
from chalicelib.payouts.rules import ASK_AGAIN_AFTER, CALL_AFTER, Batch, Payout
from chalicelib.payouts.transfers import NotAsked
from chalicelib.platform.log import logger
from chalicelib.platform.sweeping import sweep_each
from chalicelib.platform.transaction import Transaction, write

LOOKS_A_SWEEP = 100


def send_page(batch: Batch, number: int) -> None:
    """Ask for each payout of a page that was not asked for yet. Raises NotAsked where the provider
    turns calls away: the page comes again."""
    page = batch_store.get_page(batch.id, number)
    if page is None:
        raise LookupError(f"page {number} of {batch.id} is not stored")
    for payout in payouts_on(batch, page):
        if payout.outcome is None:
            _send(payout)
    batch_store.pass_page(page, "sent")


def look_after(now: datetime) -> None:
    """Ask what has become of payouts in doubt, and call a person where it stays unknown."""
    due = {payout.id: payout for payout in payouts.to_look_at(now, LOOKS_A_SWEEP)}
    sweep_each(due, lambda payout_id: _look_at(due[payout_id], now))


def _send(payout: Payout) -> None:
    if payout.asked_at:
        # Whoever asked has died before it kept the answer, or is waiting for it at this moment.
        _look_for(payout)
        return
    try:
        asked = _note_asked(payout, clock.now())
    except Stale:
        logger.info("asked for meanwhile", payout_id=payout.id)
        return
    try:
        record(payout.id, "paid", transfers.send(asked))
    except NotAsked:
        _note_asked(asked, None)
        raise
    except Refused as refusal:
        record(payout.id, "failed", str(refusal))
    except OutcomeUnknown:
        record(payout.id, "unknown", None)


def _note_asked(payout: Payout, at: datetime | None) -> Payout:
    """Before it is asked for: a payout with this mark is never asked for again."""
    asked = replace(payout, asked_at=at, version=payout.version + 1)
    write(payouts.replace_payout(asked))
    return asked


def _look_for(payout: Payout) -> bool:
    """Whether it was found."""
    try:
        transfer = transfers.find(payout)
    except OutcomeUnknown:
        transfer = None
    if transfer:
        record(payout.id, "paid", transfer.id)
    elif payout.outcome is None:
        record(payout.id, "unknown", None)
    return transfer is not None


def _look_at(payout: Payout, now: datetime) -> None:
    if payout.outcome != "unknown" or _look_for(payout):
        return
    if payout.told_at and now < payout.told_at + CALL_AFTER:
        write(payouts.look_again(payout.id, now + ASK_AGAIN_AFTER))
        return
    transaction = Transaction()
    transaction.add(payouts.stop_looking(payout.id))
    detail = (
        f"Stripe gave no answer about payout {payout.id} and shows no transfer of it. Look for it "
        "in Stripe's dashboard, and say by its result what has become of it."
    )
    cases.open_in(transaction, "payout_unknown", payout.id, detail)
    transaction.commit()
