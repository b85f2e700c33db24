"""One leader's part of a run: what has matured becomes available, in one transaction."""

from chalicelib.kernel import clock
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.platform.log import logger
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Transaction, create, write
from chalicelib.settlement import store as settlement
from chalicelib.settlement.closing import close_pages
from chalicelib.settlement.rules import Earnings, Run, Statement
from chalicelib.settlement.store import MaturingRow, StatementRow


@retry_stale
def settle_leader(run_id: str, page_number: int, leader_id: str) -> None:
    """Make available what has matured, write the statement and the marker: all or nothing."""
    run = settlement.get_running(run_id)
    if run and not settlement.is_marked(run_id, page_number, leader_id):
        earnings = settlement.get_earnings(leader_id)
        days = settlement.maturing_between(leader_id, earnings.settled_through, run.business_date)
        try:
            _settle(run, page_number, earnings, days)
        except settlement.AlreadySettled:
            logger.info("settled meanwhile", leader_id=leader_id)
    if run:
        close_pages(run_id, page_number)


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
