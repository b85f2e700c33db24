"""Sends again what a run has waited for too long, and goes on without what never comes."""

from datetime import datetime, timedelta

from chalicelib.platform.retries import retry_stale
from chalicelib.settlement import run_store
from chalicelib.settlement.closing import close_pages, fail
from chalicelib.settlement.listing import PAGES_AT_A_TIME, go_on_listing, send_again, unsettled
from chalicelib.settlement.rules import Run
from chalicelib.settlement.run_store import PageRow
from chalicelib.settlement.setting_aside import set_aside

# A message that has not been answered for this long is taken for lost and sent again.
PATIENCE = timedelta(minutes=5)
TIMES_SENT_AT_MOST = 6


def watch(now: datetime) -> None:
    """Look at the run under way, and the dry run: every minute, for as long as there is one."""
    _watch(now, dry=False)
    _watch(now, dry=True)


@retry_stale
def _watch(now: datetime, *, dry: bool) -> None:
    run_id = run_store.current_run_id(dry=dry)
    run = run_store.get_running(run_id) if run_id else None
    if run is None:
        return
    open_pages = run_store.open_pages(run.id, PAGES_AT_A_TIME)
    overdue = [page for page in open_pages if _sent_at(run, page) <= now - PATIENCE]
    if not all(_see_to(run, page) for page in overdue):
        return
    last = run_store.last_page(run.id)
    if last:
        # Where all are closed, whoever closed the last one died before it completed the run.
        close_pages(run.id, (open_pages or [last])[0].number)
    if not run.listed:
        _watch_listing(run, last, now)


def _sent_at(run: Run, page: PageRow) -> datetime:
    """When the page was last sent; long ago, where that was before the run had failed."""
    return run.started_at - PATIENCE if _is_of_former_try(run, page) else page.sent_at


def _is_of_former_try(run: Run, page: PageRow) -> bool:
    return run.resumed_at is not None and page.sent_at < run.resumed_at


def _see_to(run: Run, page: PageRow) -> bool:
    """Send the page's unsettled leaders once more, or go on without them after some times. False
    where the run has failed of them."""
    missing = unsettled(page)
    times = 0 if _is_of_former_try(run, page) else page.times_sent
    if times < TIMES_SENT_AT_MOST:
        send_again(page, missing, times_sent=times + 1)
        return True
    if all(set_aside(run, page.number, leader_id) for leader_id in missing):
        return True
    named = ", ".join(missing[:5])
    fail(run, f"More leaders than a run goes on without could not be settled: {named}.")
    return False


def _watch_listing(run: Run, last: PageRow | None, now: datetime) -> None:
    sent = [last.sent_at] if last else []
    standing_since = max([run.started_at, *sent, *([run.resumed_at] if run.resumed_at else [])])
    if standing_since <= now - PATIENCE * TIMES_SENT_AT_MOST:
        listed = last.number + 1 if last else 0
        fail(run, f"The listing of leaders stands still behind page {listed}.")
    elif standing_since <= now - PATIENCE:
        go_on_listing(run.id)
