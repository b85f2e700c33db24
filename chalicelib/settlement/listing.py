"""The pages of leaders that a run settles, and their messages on their way."""

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.kernel.errors import Stale
from chalicelib.parties import store as parties
from chalicelib.platform import queues
from chalicelib.platform.log import logger
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import write
from chalicelib.settlement import run_store
from chalicelib.settlement.closing import close_pages
from chalicelib.settlement.run_store import PageRow

LEADERS_A_PAGE = 100
# Behind these, leaders may just be waiting for their turn.
PAGES_AT_A_TIME = 50


def list_page(run_id: str, number: int) -> None:
    """Write one page of the listing, send its leaders on their way, and ask for the next page."""
    if run_store.get_running(run_id) is None:
        return
    page = run_store.get_page(run_id, number) or _new_page(run_id, number)
    _send_leaders(run_id, page.number, page.leader_ids)
    if page.is_last:
        _mark_listed(run_id, page.listed)
        close_pages(run_id, page.number)
    else:
        _ask_for_page(run_id, number + 1)


def go_on_listing(run_id: str) -> None:
    """Take the listing up at its last page: only that page knows whether another follows."""
    last = run_store.last_page(run_id)
    _ask_for_page(run_id, last.number if last else 0)


def unsettled(page: PageRow) -> tuple[str, ...]:
    """The leaders of a page that have no marker yet."""
    settled = {marker.sk for marker in run_store.markers(page.run_id, page.number)}
    return tuple(each for each in page.leader_ids if each not in settled)


def send_again(page: PageRow, leader_ids: Sequence[str], times_sent: int) -> None:
    """Send these leaders of a page once more, and keep how often the page has been sent."""
    if leader_ids:
        run_store.note_sent_again(page, times=times_sent)
        _send_leaders(page.run_id, page.number, leader_ids)


def send_again_from_the_start(run_id: str) -> None:
    """Send the unsettled leaders of the first open pages, as if for the first time."""
    for page in run_store.open_pages(run_id, PAGES_AT_A_TIME):
        send_again(page, unsettled(page), times_sent=1)


def _new_page(run_id: str, number: int) -> PageRow:
    before = _page(run_id, number - 1) if number else None
    after = before.leader_ids[-1] if before else None
    found = parties.leader_ids_after(after, LEADERS_A_PAGE + 1)
    leaders, more = found[:LEADERS_A_PAGE], len(found) > LEADERS_A_PAGE
    listed = len(leaders) + (before.listed if before else 0)
    try:
        write(run_store.add_page(run_id, number, leaders, listed=listed, is_last=not more))
    except Stale:
        logger.info("page was listed meanwhile", subject=run_id)
    return _page(run_id, number)


def _page(run_id: str, number: int) -> PageRow:
    page = run_store.get_page(run_id, number)
    if page is None:
        raise LookupError(f"page {number} of {run_id} is gone")
    return page


@retry_stale
def _mark_listed(run_id: str, total: int) -> None:
    run = run_store.get_run(run_id)
    if run and not run.listed:
        listed = replace(run, listed=True, leaders_total=total, version=run.version + 1)
        write(run_store.replace_run(listed, run.version))


def _ask_for_page(run_id: str, number: int) -> None:
    message = {"subject": run_id, "data": {"page": number}}
    queues.send(queues.SETTLEMENT_LIST, [message])


def _send_leaders(run_id: str, page_number: int, leader_ids: Sequence[str]) -> None:
    messages = [
        {"subject": run_id, "data": {"page": page_number, "leader_id": leader_id}}
        for leader_id in leader_ids
    ]
    queues.send(queues.SETTLEMENT_SETTLE, messages)
