"""How a run ends: page by page, once it is done with all leaders of a page."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from chalicelib.cases import service as cases
from chalicelib.kernel import clock, events
from chalicelib.kernel.events import Event
from chalicelib.platform import queues
from chalicelib.platform.log import metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Transaction
from chalicelib.settlement import run_store
from chalicelib.settlement.rules import Run, Total
from chalicelib.settlement.run_store import MarkerRow, PageRow

# So many are closed at once; where more have waited for one, another worker goes on.
PAGES_AT_ONCE = 200


class SoFar(NamedTuple):
    """What a run comes to up to some page."""

    settled: int = 0
    set_aside: int = 0
    totals: tuple[Total, ...] = ()


def close_pages(run_id: str, number: int) -> None:
    """Close this page and those that follow, as far as the run is done with all their leaders.

    A page closes after the one before it and counts everything so far, so no counter is shared
    by leaders, and the last page to close knows the run's totals. Where this page is closed
    already, it is the first open one that is looked at.
    """
    page = run_store.get_page(run_id, number)
    if page and page.is_closed:
        page = run_store.first_open_page(run_id)
    so_far = _before(run_id, page) if page else None
    for _ in range(PAGES_AT_ONCE):
        so_far = _close(run_id, page, so_far) if page and so_far else None
        if page is None or so_far is None:
            return
        if page.is_last:
            _complete(run_id)
            return
        page = run_store.get_page(run_id, page.number + 1)
    if page:
        message = {"subject": run_id, "data": {"page": page.number}}
        queues.send(queues.SETTLEMENT_SETTLE, [message])


def fail(run: Run, detail: str) -> None:
    """Give up until an operator goes on with it, and make room for other dates."""
    failed = replace(run, status="failed", version=run.version + 1)
    transaction = Transaction()
    transaction.add(run_store.replace_run(failed, run.version), run_store.end(run))
    if not run.dry_run:
        occurrence = str(failed.version)
        cases.open_in(transaction, "settlement_failed", run.id, detail, occurrence=occurrence)
    transaction.commit()


def _before(run_id: str, page: PageRow) -> SoFar | None:
    """What the pages before this one come to, once they are all closed; else None."""
    if page.number == 0:
        return SoFar()
    before = run_store.get_page(run_id, page.number - 1)
    return _so_far(before) if before else None


def _so_far(page: PageRow) -> SoFar | None:
    if page.settled is None:
        return None
    return SoFar(page.settled, page.set_aside, page.totals or ())


def _close(run_id: str, page: PageRow, before: SoFar) -> SoFar | None:
    """What the run comes to with this page; None where it is not done with all its leaders."""
    if page.is_closed:
        return _so_far(page)
    markers = run_store.markers(run_id, page.number)
    if len(markers) < len(page.leader_ids):
        return None
    so_far = _with(before, markers)
    run_store.close_page(page, *so_far)
    return so_far


def _with(before: SoFar, markers: Sequence[MarkerRow]) -> SoFar:
    sums = {total.currency: total.amount for total in before.totals}
    for marker in markers:
        if marker.currency:
            sums[marker.currency] = sums.get(marker.currency, 0) + marker.amount
    aside = sum(1 for marker in markers if marker.set_aside)
    return SoFar(
        before.settled + len(markers) - aside,
        before.set_aside + aside,
        tuple(Total(currency, amount) for currency, amount in sorted(sums.items())),
    )


@retry_stale
def _complete(run_id: str) -> None:
    run, last = run_store.get_running(run_id), run_store.last_page(run_id)
    so_far = _so_far(last) if last else None
    if run is None or so_far is None or not run.listed:
        return
    completed = replace(
        run,
        status="completed",
        leaders_settled=so_far.settled,
        leaders_set_aside=so_far.set_aside,
        totals=so_far.totals,
        completed_at=clock.now(),
        version=run.version + 1,
    )
    transaction = Transaction()
    transaction.add(run_store.replace_run(completed, run.version), run_store.end(run))
    if not run.dry_run:
        transaction.publish(Event(events.SETTLEMENT_COMPLETED, run_id))
    transaction.commit()
    if not run.dry_run:
        _measure(completed)


def _measure(completed: Run) -> None:
    metric("SettlementRunsCompleted")
    for total in completed.totals:
        metric("SettledAmount", total.amount, currency=total.currency)
