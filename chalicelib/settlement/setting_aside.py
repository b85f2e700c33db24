"""Leaders who cannot be settled: a run goes on without them, and they are settled later.

A failure is noted with its cause. After some of them the leader is set aside, a case is opened, and
the run goes on; the next night settles the leader for each run that is behind, in their order, and
so does whoever asks for one. Where very many fail, it is the run that fails.
"""

import os

from chalicelib.cases import service as cases
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Busy
from chalicelib.platform.log import failure, logger, metric
from chalicelib.platform.retries import unreachable
from chalicelib.platform.transaction import Transaction, write
from chalicelib.settlement import run_store
from chalicelib.settlement.rules import LeaderOfRun, Run

FAILURES_AT_MOST = 5
# More than this are no leaders' own trouble.
SET_ASIDE_AT_MOST = 100
SILENT = "No worker has said why: each was stopped, or kept waiting by the store."


def note_failure(run_id: str, page_number: int, leader_id: str, error: Exception) -> None:
    """Keep the cause of the failure that is being handled, and set the leader aside after some.

    A store that is pressed or cannot be reached is no fault of a leader's.
    """
    if isinstance(error, Busy) or unreachable(error):
        return
    write(run_store.note_failure(run_id, page_number, leader_id, _cause()))
    trouble = run_store.get_trouble(run_id, leader_id)
    run = run_store.get_running(run_id)
    if run and trouble and trouble.failures >= FAILURES_AT_MOST:
        set_aside(run, page_number, leader_id)


def set_aside(run: Run, page_number: int, leader_id: str) -> bool:
    """Let a run go on without a leader. False where it has set aside too many."""
    since = run.resumed_at or run.started_at
    aside = [row for row in run_store.asides(run.id) if row.set_aside_at >= since]
    if len(aside) >= SET_ASIDE_AT_MOST:
        return False
    try:
        _set_aside(run, page_number, leader_id)
    except run_store.AlreadySettled:
        logger.info("settled or set aside meanwhile", leader_id=leader_id)
    return True


def _set_aside(run: Run, page_number: int, leader_id: str) -> None:
    without = LeaderOfRun(leader_id, "set_aside", None, 0, 0, 0, 0)
    transaction = Transaction()
    transaction.add(
        run_store.marker(run.id, page_number, without),
        *run_store.set_aside(run, page_number, leader_id, clock.now()),
    )
    if not run.dry_run:
        trouble = run_store.get_trouble(run.id, leader_id)
        cause = trouble.cause if trouble and trouble.cause else SILENT
        detail = (
            f"{run.id} goes on without this leader, whom it could not settle. {cause} The next "
            "night tries again, and so does the run's retry for the leader."
        )
        cases.open_in(transaction, "leader_set_aside", leader_id, detail, occurrence=run.id)
    transaction.commit()
    metric("LeadersSetAside")


def _cause() -> str:
    """The kind of failure and its place, never the values it carried."""
    known = failure()
    kinds = [known["failure"], known["cause"]]
    *_, last = known["trace"] or [""]
    place = os.path.basename(last) if last else "an unknown place"
    return f"{' from '.join(kind for kind in kinds if kind)} at {place}."
