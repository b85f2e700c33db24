"""The runs of business dates: started once each, gone on with, and looked at.

Every step of a run may come twice, late or not at all: pages, markers and statements have keys of
their own, and whoever finds a step done goes on to the next. A run is listed (`listing`), settled
leader by leader (`settling`), closed page by page (`closing`), and watched meanwhile (`watching`).
Source: contract, section 4.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime

from chalicelib.kernel import clock, events
from chalicelib.kernel.errors import Conflict, Invalid, NotFound
from chalicelib.kernel.events import Event
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction, create
from chalicelib.settlement import rules
from chalicelib.settlement import store as settlement
from chalicelib.settlement.listing import go_on_listing, send_again, unsettled
from chalicelib.settlement.rules import Run
from chalicelib.settlement.store import RunRow


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
        return Started(_resume(run, recorder), is_new=False)
    return Started(run, is_new=False)


def start_for_last_night(now: datetime) -> None:
    """Start the run of the day before, once; an operator goes on with one that failed."""
    day = clock.day_before(clock.business_date(now, settings().zone)).isoformat()
    if settlement.get_run(rules.run_id(day)) is None:
        start(day)


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


def _check_date(business_date: str) -> None:
    today = clock.business_date(clock.now(), settings().zone)
    last = today if settings().settle_open_day else clock.day_before(today)
    if date.fromisoformat(business_date) > last:
        raise Invalid.field(
            "business_date", f"must be {last.isoformat()} or earlier: later days are not over"
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
    transaction.commit(Started(run, is_new=True))
    return run


def _resume(run: Run, recorder: Recorder | None) -> Run:
    running = replace(run, status="running", resumed_at=clock.now(), version=run.version + 1)
    transaction = Transaction(recorder)
    transaction.add(
        settlement.replace_run(running, run.version), settlement.begin(run.id, _in_progress())
    )
    transaction.commit(Started(running, is_new=False))
    pages = settlement.pages(run.id)
    for page in pages:
        if not page.is_closed:
            send_again(page, unsettled(page), times_sent=1)
    if not run.listed:
        go_on_listing(run.id, pages)
    return running


def _in_progress() -> Conflict:
    return Conflict(
        "The run of another date is under way. Wait until it is completed.",
        code="settlement_run_in_progress",
    )
