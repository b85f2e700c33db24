"""Goes through the pages of a batch: which work is done on each follows from the batch's status.

Every step may come twice, late or not at all: payouts have ids of their own, and whoever finds a
step done goes on to the next. `watch` sends again what has stayed behind.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from chalicelib.payouts import batch_store
from chalicelib.payouts.asking import ask_for_page, ask_for_pages
from chalicelib.payouts.batch_store import PageRow
from chalicelib.payouts.finishing import finish
from chalicelib.payouts.preparing import prepare_page
from chalicelib.payouts.restoring import restore_page
from chalicelib.payouts.rules import Batch, BatchStatus
from chalicelib.payouts.sending import send_page
from chalicelib.platform.sweeping import sweep_each

# A page that was not done for this long is taken for lost and sent again.
PATIENCE = timedelta(minutes=5)
# From then on, parties that fail are left out of the batch.
TIMES_SENT_AT_MOST = 6
PAGES_AT_A_TIME = 50
# The stage of a page with which there is nothing left to be done.
DONE: Mapping[BatchStatus, str] = {
    "preparing": "prepared",
    "sent": "sent",
    "cancelling": "restored",
}


def work_on(batch_id: str, number: int | None, after: str | None, *, give_up: bool) -> None:
    """Do what a batch's status asks of one page; without a number, ask for its pages."""
    batch = batch_store.get_batch(batch_id)
    if batch is None or not batch.has_work:
        return
    if number is None:
        _begin(batch)
    elif batch.status == "preparing":
        prepare_page(batch, number, after, give_up=give_up)
    elif batch.status == "sent":
        send_page(batch, number)
    else:
        restore_page(batch, number)
    finish(batch_id)


def watch(now: datetime) -> None:
    """Look at each batch that goes on by itself."""
    sweep_each(batch_store.batches_going_on(), lambda batch_id: _watch(batch_id, now))


def _begin(batch: Batch) -> None:
    if batch.status == "preparing":
        ask_for_page(batch.id, 0)
    else:
        ask_for_pages(batch.id, batch.pages)


def _watch(batch_id: str, now: datetime) -> None:
    batch = batch_store.get_batch(batch_id)
    if batch and batch.has_work and batch.asked_at <= now - PATIENCE:
        _send_late_pages(batch, now)
    # Whoever was to do so may have died after the last page, or the last result.
    finish(batch_id)


def _send_late_pages(batch: Batch, now: datetime) -> None:
    pages = batch_store.pages(batch.id)
    late = [page for page in pages if page.stage != DONE[batch.status]]
    for page in [each for each in late if each.sent_at <= now - PATIENCE][:PAGES_AT_A_TIME]:
        _send_again(page)
    if batch.status == "preparing" and not any(page.is_last for page in pages):
        _go_on_listing(batch, pages, now)


def _send_again(page: PageRow) -> None:
    batch_store.note_sent_again(page)
    ask_for_page(page.batch_id, page.number, give_up=page.times_sent >= TIMES_SENT_AT_MOST)


def _go_on_listing(batch: Batch, pages: list[PageRow], now: datetime) -> None:
    """Take the listing up behind its last page, if it stands still there."""
    if not pages:
        ask_for_page(batch.id, 0)
    elif pages[-1].sent_at <= now - PATIENCE:
        ask_for_page(batch.id, len(pages), after=pages[-1].party_ids[-1])
