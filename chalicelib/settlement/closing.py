"""How a run ends: page by page, once all leaders of a page have their markers."""

from dataclasses import replace

from chalicelib.cases import service as cases
from chalicelib.kernel import clock, events
from chalicelib.kernel.events import Event
from chalicelib.platform.log import metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Transaction
from chalicelib.settlement import store as settlement
from chalicelib.settlement.rules import Run, Total
from chalicelib.settlement.store import PageRow


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


def fail(run: Run, detail: str) -> None:
    """Give up until an operator goes on with it, and make room for other dates."""
    failed = replace(run, status="failed", version=run.version + 1)
    transaction = Transaction()
    transaction.add(settlement.replace_run(failed, run.version), settlement.end(run.id))
    cases.open_in(transaction, "settlement_failed", run.id, detail, occurrence=str(failed.version))
    transaction.commit()


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
    run = settlement.get_running(run_id)
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
