"""What has matured of a leader and the last settlement run has left behind."""

from collections.abc import Iterator
from datetime import datetime

from chalicelib.audit.checks import run_checks
from chalicelib.audit.checks.leader_checks import Standing
from chalicelib.kernel import clock
from chalicelib.ledger import store as ledger
from chalicelib.ledger.checks import Finding
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.settings import settings
from chalicelib.settlement import run_store
from chalicelib.settlement import store as settlement
from chalicelib.settlement.rules import Run

RUNS_A_READ = 10


def last_run() -> Run | None:
    """That of the latest date that is completed."""
    page: PageRequest | None = PageRequest("audit", RUNS_A_READ)
    while page:
        some = run_store.runs(page)
        if done := next((run for run in some.items if run.status == "completed"), None):
            return done
        page = PageRequest("audit", RUNS_A_READ, some.next_after) if some.next_after else None
    return None


def after(last: Run | None, standing: Standing) -> Iterator[Finding]:
    """What the last run has left behind: only then it is read when its lines were posted."""
    if last is None:
        return
    began_on = clock.business_date(last.started_at, settings().zone)
    if waits := run_checks.left_behind(standing, last, began_on):
        before = _brought_before(last.started_at, standing)
        yield from run_checks.matured_untaken(standing.leader_id, last, waits, before)


def _brought_before(instant: datetime, standing: Standing) -> set[str]:
    """The days under which something waits to mature that was posted before an instant."""
    waiting = settlement.waiting_after(standing.leader_id, standing.earnings.settled_through)
    entries = ledger.get_entries(line.entry_id for of in waiting for line in of.matured)
    early = {name for name, entry in entries.items() if entry.posted_at < instant}
    return {of.day for of in waiting for line in of.matured if line.entry_id in early}
