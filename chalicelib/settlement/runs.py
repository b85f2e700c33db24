"""The runs of business dates: started once each, gone on with, and looked at.

Every step of a run may come twice, late or not at all: pages, markers and statements have keys of
their own, and whoever finds a step done goes on to the next. A run is listed (`listing`), settled
leader by leader (`settling`), closed page by page (`closing`), and watched meanwhile (`watching`);
it goes on without leaders who cannot be settled (`setting_aside`). Source: contract, section 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from chalicelib.kernel import clock, events, ids
from chalicelib.kernel.errors import Conflict, Invalid, NotFound
from chalicelib.kernel.events import Event
from chalicelib.platform import queues
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction, create
from chalicelib.settlement import rules, run_store
from chalicelib.settlement.listing import go_on_listing, send_again_from_the_start
from chalicelib.settlement.rules import LeaderOfRun, Progress, Run
from chalicelib.settlement.run_store import MarkerRow, RunRow, TroubleRow

# Of so many pages leaders are counted one by one.
PAGES_COUNTED = 10


@dataclass(frozen=True)
class Started:
    """The run of a date, and whether this call has started it."""

    run: Progress
    is_new: bool


@dataclass(frozen=True)
class Retried:
    """A leader whom a run had set aside, and whether it is still to be settled."""

    leader: LeaderOfRun
    is_asked: bool


@retry_stale
def start(business_date: str, recorder: Recorder | None = None) -> Started:
    """Start the run of a date, go on with a failed one, or find the one that is there.

    Raises Invalid for a date that is not over, Conflict while another date's run is under way.
    """
    _check_date(business_date)
    run = run_store.get_run(rules.run_id(business_date))
    if run is None:
        return _create(_new(rules.run_id(business_date), business_date), recorder)
    if run.status == "failed":
        return _resume(run, recorder)
    return Started(progress_of(run), is_new=False)


@retry_stale
def start_dry(business_date: str, recorder: Recorder | None = None) -> Started:
    """Work out what the run of a date would come to. It has an id of its own, posts nothing, and
    leaves the date to be run.

    Raises Invalid for a date that is not over, Conflict while another dry run is under way.
    """
    _check_date(business_date)
    run_id = f"{rules.run_id(business_date)}-{ids.new('dry').removeprefix('dry_')}"
    return _create(replace(_new(run_id, business_date), dry_run=True), recorder)


def start_for_last_night(now: datetime) -> None:
    """Start the run of the day before, once; an operator goes on with one that failed."""
    day = clock.day_before(clock.business_date(now, settings().zone)).isoformat()
    if run_store.get_run(rules.run_id(day)) is None:
        start(day)


def run_of(run_id: str) -> Progress:
    return progress_of(_run(run_id))


def runs(page: PageRequest, *, dry: bool) -> Page[Progress]:
    return run_store.runs(page, dry=dry).map(progress_of)


def progress_of(run: Run) -> Progress:
    """The run, with how many leaders it is done with so far while it is not completed.

    Leaders of the first open pages are counted one by one, those behind them not yet.
    """
    if run.status == "completed":
        return rules.progress(run, clock.now())
    last, first = run_store.last_page(run.id), run_store.first_open_page(run.id)
    if last is None or first is None:
        return rules.progress(run, clock.now())
    before = run_store.get_page(run.id, first.number - 1) if first.number else None
    closed = first if first.is_closed else before
    markers = [
        marker
        for page in run_store.open_pages(run.id, PAGES_COUNTED)
        for marker in run_store.markers(run.id, page.number)
    ]
    aside = sum(1 for marker in markers if marker.set_aside)
    seen = replace(
        run,
        leaders_total=run.leaders_total if run.listed else last.listed,
        leaders_settled=((closed.settled or 0) if closed else 0) + len(markers) - aside,
        leaders_set_aside=(closed.set_aside if closed else 0) + aside,
    )
    return rules.progress(seen, clock.now())


def leaders_of(run_id: str, page: PageRequest, *, set_aside: bool) -> Page[LeaderOfRun]:
    """What a run came to for each leader it is done with, or for those it has set aside."""
    run = _run(run_id)
    return _set_aside(run, page) if set_aside else _all_leaders(run, page)


def retry(run_id: str, leader_id: str) -> Retried:
    """Have a leader settled whom a completed run has set aside.

    Raises NotFound where it has not, Conflict while the run is still under way.
    """
    run, trouble = _run(run_id), run_store.get_trouble(run_id, leader_id)
    if trouble is None or trouble.set_aside_at is None:
        raise NotFound("The run has not set such a leader aside.")
    if run.status != "completed":
        raise Conflict(
            f"The run is {run.status}. A leader is retried once it is completed.",
            code="settlement_run_in_progress",
        )
    marker = run_store.get_marker(run_id, trouble.page, leader_id)
    if marker is None:
        raise LookupError(f"{run_id} is completed without {leader_id}")
    if trouble.is_set_aside:
        message = {"subject": run_id, "data": {"page": trouble.page, "leader_id": leader_id}}
        queues.send(queues.SETTLEMENT_SETTLE, [message])
    return Retried(_with_cause(marker.of_leader, trouble), is_asked=trouble.is_set_aside)


def _run(run_id: str) -> Run:
    run = run_store.get_run(run_id)
    if run is None:
        raise NotFound("There is no such settlement run.")
    return run


def _all_leaders(run: Run, page: PageRequest) -> Page[LeaderOfRun]:
    """By the run's pages and within them by id; a page of few markers may be less than full."""
    number, after = page.after or (0, None)
    found: list[MarkerRow] = []
    for _ in range(PAGES_COUNTED):
        rows = run_store.markers(run.id, number, after, page.limit + 1 - len(found))
        found += rows
        if len(found) > page.limit:
            shown = found[: page.limit]
            return Page(_named(run, shown), (shown[-1].page_number, shown[-1].sk))
        listed = run_store.get_page(run.id, number)
        if listed is None or listed.is_last:
            return Page(_named(run, found))
        number, after = number + 1, None
    return Page(_named(run, found), (number, None))


def _set_aside(run: Run, page: PageRequest) -> Page[LeaderOfRun]:
    rows = run_store.asides(run.id, page.after, page.limit + 1)
    shown, more = rows[: page.limit], len(rows) > page.limit
    found = [run_store.get_marker(run.id, row.page, row.sk) for row in shown]
    named = _named(run, [marker for marker in found if marker and marker.set_aside])
    return Page(named, shown[-1].sk if more else None)


def _named(run: Run, markers: Sequence[MarkerRow]) -> tuple[LeaderOfRun, ...]:
    troubles = run_store.troubles(run.id, [each.sk for each in markers if each.set_aside])
    return tuple(_with_cause(each.of_leader, troubles.get(each.sk)) for each in markers)


def _with_cause(leader: LeaderOfRun, trouble: TroubleRow | None) -> LeaderOfRun:
    if trouble is None or leader.status == "settled":
        return leader
    return replace(
        leader,
        failures=trouble.failures,
        cause=trouble.cause,
        set_aside_at=trouble.set_aside_at,
    )


def _check_date(business_date: str) -> None:
    today = clock.business_date(clock.now(), settings().zone)
    last = today if settings().settle_open_day else clock.day_before(today)
    if date.fromisoformat(business_date) > last:
        raise Invalid.field(
            "business_date", f"must be {last.isoformat()} or earlier: later days are not over"
        )


def _new(run_id: str, business_date: str) -> Run:
    return Run(
        id=run_id,
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


def _create(run: Run, recorder: Recorder | None) -> Started:
    started = Started(rules.progress(run, run.started_at), is_new=True)
    transaction = Transaction(recorder)
    transaction.add(create(RunRow.of(run)), run_store.begin(run, _in_progress(run)))
    transaction.publish(Event(events.SETTLEMENT_STARTED, run.id))
    transaction.commit(started)
    return started


def _resume(run: Run, recorder: Recorder | None) -> Started:
    running = replace(run, status="running", resumed_at=clock.now(), version=run.version + 1)
    started = Started(progress_of(running), is_new=False)
    transaction = Transaction(recorder)
    transaction.add(
        run_store.replace_run(running, run.version), run_store.begin(run, _in_progress(run))
    )
    transaction.commit(started)
    send_again_from_the_start(run.id)
    if not run.listed:
        go_on_listing(run.id)
    return started


def _in_progress(run: Run) -> Conflict:
    other = "Another dry run" if run.dry_run else "The run of another date"
    return Conflict(
        f"{other} is under way. Wait until it is completed.", code="settlement_run_in_progress"
    )
