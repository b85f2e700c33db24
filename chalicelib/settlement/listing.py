"""The pages of leaders that a run settles, and their messages on their way."""

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.kernel.errors import Stale
from chalicelib.parties import store as parties
from chalicelib.platform import queues
from chalicelib.platform.log import logger
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import write
from chalicelib.settlement import store as settlement
from chalicelib.settlement.closing import close_pages
from chalicelib.settlement.store import PageRow

LEADERS_A_PAGE = 100


def list_page(run_id: str, number: int, after: str | None) -> None:
    """Write one page of the listing, send its leaders on their way, and ask for the next page."""
    if settlement.get_running(run_id) is None:
        return
    page = settlement.get_page(run_id, number) or _new_page(run_id, number, after)
    _send_leaders(run_id, page.number, page.leader_ids)
    if page.is_last:
        _mark_listed(run_id)
        close_pages(run_id, page.number)
    else:
        _ask_for_page(run_id, number + 1, page.leader_ids[-1])


def go_on_listing(run_id: str, pages: Sequence[PageRow]) -> None:
    """Take the listing up at its last page: only that page knows whether another follows."""
    _ask_for_page(run_id, max(len(pages) - 1, 0), None)


def unsettled(page: PageRow) -> tuple[str, ...]:
    """The leaders of a page that have no marker yet."""
    settled = {marker.sk for marker in settlement.markers(page.run_id, page.number)}
    return tuple(each for each in page.leader_ids if each not in settled)


def send_again(page: PageRow, leader_ids: Sequence[str], times_sent: int) -> None:
    """Send these leaders of a page once more, and keep how often the page has been sent."""
    if leader_ids:
        settlement.note_sent_again(page, times=times_sent)
        _send_leaders(page.run_id, page.number, leader_ids)


def _new_page(run_id: str, number: int, after: str | None) -> PageRow:
    listed = parties.leader_ids_after(after, LEADERS_A_PAGE + 1)
    leaders, more = listed[:LEADERS_A_PAGE], len(listed) > LEADERS_A_PAGE
    try:
        write(settlement.add_page(run_id, number, leaders, is_last=not more))
    except Stale:
        logger.info("page was listed meanwhile", subject=run_id)
    page = settlement.get_page(run_id, number)
    if page is None:
        raise LookupError(f"page {number} of {run_id} is gone")
    return page


@retry_stale
def _mark_listed(run_id: str) -> None:
    run = settlement.get_run(run_id)
    if run and not run.listed:
        total = sum(len(page.leader_ids) for page in settlement.pages(run_id))
        listed = replace(run, listed=True, leaders_total=total, version=run.version + 1)
        write(settlement.replace_run(listed, run.version))


def _ask_for_page(run_id: str, number: int, after: str | None) -> None:
    message = {"subject": run_id, "data": {"page": number, "after": after}}
    queues.send(queues.SETTLEMENT_LIST, [message])


def _send_leaders(run_id: str, page_number: int, leader_ids: Sequence[str]) -> None:
    messages = [
        {"subject": run_id, "data": {"page": page_number, "leader_id": leader_id}}
        for leader_id in leader_ids
    ]
    queues.send(queues.SETTLEMENT_SETTLE, messages)
