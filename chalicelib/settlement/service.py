"""The nightly run: listed in pages, settled leader by leader, closed when every page is done.

Every step may come twice, late or not at all: pages, markers and statements have keys of their
own, and whoever finds a step done goes on to the next. Source: contract, section 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from chalicelib.cases import service as cases
from chalicelib.kernel import clock, events
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, Invalid, NotFound, Stale
from chalicelib.kernel.events import Event
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.parties import store as parties
from chalicelib.platform import queues
from chalicelib.platform.log import logger, metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction, create, write
from chalicelib.settlement import rules
from chalicelib.settlement import store as settlement
from chalicelib.settlement.rules import Earnings, Run, Statement, StatementWhole, Total
from chalicelib.settlement.store import MaturingRow, PageRow, RunRow, StatementRow

LEADERS_A_PAGE = 100
# A message that has not been answered for this long is taken for lost and sent again.
PATIENCE = timedelta(minutes=5)
TIMES_SENT_AT_MOST = 6


@dataclass(frozen=True)
class Started:
    """The run of a date, and whether this call has started it."""

    run: Run
    is_new: bool


@retry_stale
def start(business_date: str, recorder: Recorder | None = None) -> Started:
    """Start the run of a date, go on with a failed one, or find the one that is there.

    Raises Invalid for a date that is not over, Conflict while another date's run is under way.
    """
    _check_date(business_date)
    run = settlement.get_run(rules.run_id(business_date))
    if run is None:
        return Started(_create(business_date, recorder), is_new=True)
    if run.status == "failed":
        return Started(_resume(run), is_new=False)
    return Started(run, is_new=False)


def start_for_last_night(now: datetime) -> None:
    """Start the run of the day before, once; an operator goes on with one that failed."""
    day = clock.day_before(clock.business_date(now, settings().zone)).isoformat()
    if settlement.get_run(rules.run_id(day)) is None:
        start(day)


def list_page(run_id: str, number: int, after: str | None) -> None:
    """Write one page of the listing, send its leaders on their way, and ask for the next page."""
    run = settlement.get_run(run_id)
    if run is None or run.status != "running":
        return
    page = settlement.get_page(run_id, number) or _new_page(run_id, number, after)
    _send_leaders(run_id, page.number, page.leader_ids)
    if page.is_last:
        _mark_listed(run_id)
        close_pages(run_id, page.number)
    else:
        _ask_for_page(run_id, number + 1, page.leader_ids[-1])


@retry_stale
def settle_leader(run_id: str, page_number: int, leader_id: str) -> None:
    """Make available what has matured, write the statement and the marker: all or nothing."""
    run = _running(run_id)
    if run and not settlement.is_marked(run_id, page_number, leader_id):
        earnings = settlement.get_earnings(leader_id)
        days = settlement.maturing_between(leader_id, earnings.settled_through, run.business_date)
        try:
            _settle(run, page_number, earnings, days)
        except settlement.AlreadySettled:
            logger.info("settled meanwhile", leader_id=leader_id)
    if run:
        close_pages(run_id, page_number)


def close_pages(run_id: str, number: int) -> None:
    """Close this page and those that follow, as far as all their leaders are settled.

    A page closes after the one before it and counts everything so far, so no counter is shared
    by leaders, and the last page to close knows the run's totals.
    """
    page = settlement.get_page(run_id, number)
    while page and (so_far := _closed_before(run_id, page)):
        if not page.is_closed and not _close(run_id, page, *so_far):
            return
        if page.is_last:
            _complete(run_id)
            return
        page = settlement.get_page(run_id, page.number + 1)


def watch(now: datetime) -> None:
    """Send again what a run has waited for too long, and give up on it after some tries."""
    run_id = settlement.current_run_id()
    run = settlement.get_run(run_id) if run_id else None
    if run is None or run.status != "running":
        return
    pages = settlement.pages(run.id)
    open_pages = [page for page in pages if not page.is_closed]
    if any(not _send_again(run, page) for page in open_pages if page.sent_at <= now - PATIENCE):
        return
    if pages:
        # Where all are closed, whoever closed the last one died before it completed the run.
        close_pages(run.id, (open_pages or pages[-1:])[0].number)
    if not run.listed:
        _watch_listing(run, pages, now)


def run_of(run_id: str) -> Run:
    """The run, with how many leaders are settled so far while it is under way."""
    run = settlement.get_run(run_id)
    if run is None:
        raise NotFound("There is no such settlement run.")
    if run.status == "completed":
        return run
    pages = settlement.pages(run_id)
    return replace(
        run,
        leaders_total=sum(len(page.leader_ids) for page in pages),
        leaders_settled=max((page.settled or 0 for page in pages), default=0),
    )


def statement(leader_id: str, run_id: str, caller: Caller) -> StatementWhole:
    caller.must_be("leader", leader_id, "statement")
    found = settlement.get_statement(leader_id, run_id)
    if found is None:
        raise NotFound("There is no such statement.")
    return with_lines(found)


def with_lines(found: Statement) -> StatementWhole:
    lines = settlement.earned_between(found.leader_id, found.after_day, found.business_date)
    return StatementWhole(**vars(found), lines=lines)


def _check_date(business_date: str) -> None:
    today = clock.business_date(clock.now(), settings().zone)
    last = today if settings().settle_open_day else clock.day_before(today)
    if date.fromisoformat(business_date) > last:
        raise Invalid.field(
            "business_date", f"must not be after {last.isoformat()}: the day is not over"
        )


def _create(business_date: str, recorder: Recorder | None) -> Run:
    run = Run(
        id=rules.run_id(business_date),
        business_date=business_date,
        status="running",
        leaders_total=0,
        leaders_settled=0,
        totals=(),
        started_at=clock.now(),
        completed_at=None,
        listed=False,
        version=1,
    )
    transaction = Transaction(recorder)
    transaction.add(create(RunRow.of(run)), settlement.begin(run.id, _in_progress()))
    transaction.publish(Event(events.SETTLEMENT_STARTED, run.id))
    transaction.commit(run)
    return run


def _resume(run: Run) -> Run:
    running = replace(run, status="running", resumed_at=clock.now(), version=run.version + 1)
    transaction = Transaction()
    transaction.add(
        settlement.replace_run(running, run.version), settlement.begin(run.id, _in_progress())
    )
    transaction.commit()
    pages = settlement.pages(run.id)
    for page in pages:
        if not page.is_closed:
            _send_again(running, page, times=1)
    if not run.listed:
        _go_on_listing(running, pages)
    return running


def _in_progress() -> Conflict:
    return Conflict(
        "The run of another date is under way. Wait until it is completed.",
        code="settlement_run_in_progress",
    )


def _running(run_id: str) -> Run | None:
    run = settlement.get_run(run_id)
    return run if run and run.status == "running" else None


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


def _send_leaders(run_id: str, page_number: int, leader_ids: tuple[str, ...]) -> None:
    messages = [
        {"subject": run_id, "data": {"page": page_number, "leader_id": leader_id}}
        for leader_id in leader_ids
    ]
    queues.send(queues.SETTLEMENT_SETTLE, messages)


def _watch_listing(run: Run, pages: Sequence[PageRow], now: datetime) -> None:
    sent = [page.sent_at for page in pages[-1:]]
    standing_since = max([run.started_at, *sent, *([run.resumed_at] if run.resumed_at else [])])
    if standing_since <= now - PATIENCE * TIMES_SENT_AT_MOST:
        _fail(run, f"The listing of leaders stands still behind page {len(pages)}.")
    elif standing_since <= now - PATIENCE:
        _go_on_listing(run, pages)


def _go_on_listing(run: Run, pages: Sequence[PageRow]) -> None:
    """Take the listing up at its last page: only that page knows whether another follows."""
    _ask_for_page(run.id, max(len(pages) - 1, 0), None)


def _send_again(run: Run, page: PageRow, times: int | None = None) -> bool:
    """Send the page's unsettled leaders once more; False where the run has failed of them."""
    done = {marker.sk for marker in settlement.markers(run.id, page.number)}
    missing = tuple(each for each in page.leader_ids if each not in done)
    times_sent = times or page.times_sent + 1
    if missing and times_sent > TIMES_SENT_AT_MOST:
        named = ", ".join(missing[:5])
        _fail(run, f"{len(missing)} leaders could not be settled: {named}.")
        return False
    if missing:
        settlement.note_sent_again(page, times=times_sent)
        _send_leaders(run.id, page.number, missing)
    return True


def _fail(run: Run, detail: str) -> None:
    """Give up until an operator goes on with it, and make room for other dates."""
    failed = replace(run, status="failed", version=run.version + 1)
    transaction = Transaction()
    transaction.add(settlement.replace_run(failed, run.version), settlement.end(run.id))
    cases.open_in(transaction, "settlement_failed", run.id, detail, occurrence=str(failed.version))
    transaction.commit()


def _settle(run: Run, page_number: int, earnings: Earnings, days: list[MaturingRow]) -> None:
    if not days:
        write(settlement.marker(run.id, page_number, earnings.leader_id, None, 0))
        return
    matured, adjusted = sum(day.matured for day in days), sum(day.adjusted for day in days)
    made = _statement(run, earnings, days[0].currency, matured + adjusted)
    transaction = Transaction()
    transaction.add(
        settlement.marker(run.id, page_number, made.leader_id, made.currency, matured),
        settlement.take(earnings, run.business_date, made.closing_balance),
        create(StatementRow.of(made)),
    )
    if matured:
        transaction.add(*ledger.post(_maturing_entry(made, matured)))
    transaction.commit()


def _statement(run: Run, earnings: Earnings, currency: str, total: int) -> Statement:
    return Statement(
        leader_id=earnings.leader_id,
        run_id=run.id,
        business_date=run.business_date,
        currency=currency,
        after_day=earnings.settled_through,
        opening_balance=earnings.closing_balance,
        total=total,
        closing_balance=earnings.closing_balance + total,
        made_at=clock.now(),
    )


def _maturing_entry(made: Statement, matured: int) -> books.Entry:
    return books.entry(
        f"matured:{made.run_id}:{made.leader_id}",
        made.currency,
        made.run_id,
        made.made_at,
        {
            books.leader_account(made.leader_id, "pending"): matured,
            books.leader_account(made.leader_id, "available"): -matured,
        },
    )


def _closed_before(run_id: str, page: PageRow) -> tuple[int, tuple[Total, ...]] | None:
    """What the pages before this one come to, once they are all closed; else None."""
    if page.number == 0:
        return 0, ()
    before = settlement.get_page(run_id, page.number - 1)
    if before is None or before.settled is None:
        return None
    return before.settled, before.totals or ()


def _close(run_id: str, page: PageRow, settled: int, totals: tuple[Total, ...]) -> bool:
    markers = settlement.markers(run_id, page.number)
    if len(markers) < len(page.leader_ids):
        return False
    sums = {total.currency: total.amount for total in totals}
    for marker in markers:
        if marker.currency:
            sums[marker.currency] = sums.get(marker.currency, 0) + marker.amount
    page_totals = [Total(currency, amount) for currency, amount in sorted(sums.items())]
    settlement.close_page(page, settled + len(markers), page_totals)
    return True


@retry_stale
def _complete(run_id: str) -> None:
    run = _running(run_id)
    if run is None or not run.listed:
        return
    last = settlement.pages(run_id)[-1]
    completed = replace(
        run,
        status="completed",
        leaders_settled=last.settled or 0,
        totals=tuple(last.totals or ()),
        completed_at=clock.now(),
        version=run.version + 1,
    )
    transaction = Transaction()
    transaction.add(settlement.replace_run(completed, run.version), settlement.end(run_id))
    transaction.publish(Event(events.SETTLEMENT_COMPLETED, run_id))
    transaction.commit()
    metric("SettlementRunsCompleted")
    for total in completed.totals:
        metric("SettledAmount", total.amount, currency=total.currency)
