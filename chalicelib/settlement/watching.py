"""Sends again what a run has waited for too long, and gives up on it after some tries."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from chalicelib.platform.retries import retry_stale
from chalicelib.settlement import store as settlement
from chalicelib.settlement.closing import close_pages, fail
from chalicelib.settlement.listing import go_on_listing, send_again, unsettled
from chalicelib.settlement.rules import Run
from chalicelib.settlement.store import PageRow

# A message that has not been answered for this long is taken for lost and sent again.
PATIENCE = timedelta(minutes=5)
TIMES_SENT_AT_MOST = 6
PAGES_AT_A_TIME = 10


@retry_stale
def watch(now: datetime) -> None:
    """Look at the run under way: every minute, for as long as there is one."""
    run_id = settlement.current_run_id()
    run = settlement.get_running(run_id) if run_id else None
    if run is None:
        return
    pages = settlement.pages(run.id)
    open_pages = [page for page in pages if not page.is_closed]
    # Behind them, leaders may just be waiting for their turn.
    first = open_pages[:PAGES_AT_A_TIME]
    overdue = [page for page in first if page.sent_at <= now - PATIENCE]
    if not all(_send_again(run, page) for page in overdue):
        return
    if pages:
        # Where all are closed, whoever closed the last one died before it completed the run.
        close_pages(run.id, (open_pages or pages[-1:])[0].number)
    if not run.listed:
        _watch_listing(run, pages, now)


def _send_again(run: Run, page: PageRow) -> bool:
    """Send the page's unsettled leaders once more; False where the run has failed of them."""
    missing = unsettled(page)
    if missing and page.times_sent >= TIMES_SENT_AT_MOST:
        named = ", ".join(missing[:5])
        fail(run, f"{len(missing)} leaders could not be settled: {named}.")
        return False
    send_again(page, missing, times_sent=page.times_sent + 1)
    return True


def _watch_listing(run: Run, pages: Sequence[PageRow], now: datetime) -> None:
    sent = [page.sent_at for page in pages[-1:]]
    standing_since = max([run.started_at, *sent, *([run.resumed_at] if run.resumed_at else [])])
    if standing_since <= now - PATIENCE * TIMES_SENT_AT_MOST:
        fail(run, f"The listing of leaders stands still behind page {len(pages)}.")
    elif standing_since <= now - PATIENCE:
        go_on_listing(run.id, pages)
