"""One leader's part of a run: what has matured becomes available, in one transaction.

A dry run works out the same and writes only what it would come to.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.service import belongs_to
from chalicelib.platform.log import logger
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Transaction, Write, create, write
from chalicelib.settlement import dry_store, run_store
from chalicelib.settlement import store as settlement
from chalicelib.settlement.cap_sums import summed_lines
from chalicelib.settlement.caps import CappedDay, capped, delivery_days
from chalicelib.settlement.closing import close_pages
from chalicelib.settlement.kind_sums import by_kind, summed
from chalicelib.settlement.rules import (
    EarnedLine,
    Earnings,
    LeaderOfRun,
    OfKind,
    Run,
    Statement,
    Total,
    maturing_entry_id,
)
from chalicelib.settlement.run_store import MarkerRow
from chalicelib.settlement.setting_aside import note_failure
from chalicelib.settlement.store import MaturingRow, StatementRow


@dataclass(frozen=True)
class Taken:
    """What a run takes of a leader's days: the statement, how much of it was pending, and what the
    capped days among them, and those kept beside them, come to."""

    statement: Statement
    matured: int
    capped: Sequence[CappedDay] = ()

    @property
    def amount(self) -> int:
        """What the run makes available: daily caps withhold a part of what has matured."""
        return self.matured + sum(line.amount for line in self.statement.caps)


def settle_leader(run_id: str, page_number: int, leader_id: str) -> None:
    """Make available what has matured, write the statement and the marker: all or nothing.

    Of a run that is completed, only where it had set the leader aside. A failure is noted, and
    raised.
    """
    try:
        run = _settle_leader(run_id, page_number, leader_id)
    except Exception as error:
        note_failure(run_id, page_number, leader_id, error)
        raise
    if run and run.is_running:
        close_pages(run_id, page_number)


@retry_stale
def _settle_leader(run_id: str, page_number: int, leader_id: str) -> Run | None:
    run = run_store.get_run(run_id)
    before = run_store.get_marker(run_id, page_number, leader_id)
    if run is None or not _is_to_settle(run, before):
        return run
    earnings = settlement.get_earnings(leader_id)
    if earnings.behind and not run.dry_run:
        _catch_up(run, leader_id)
        earnings = settlement.get_earnings(leader_id)
    days = settlement.maturing_between(leader_id, earnings.settled_through, run.business_date)
    try:
        _settle(run, page_number, earnings, days, before)
    except run_store.AlreadySettled:
        logger.info("settled meanwhile", leader_id=leader_id)
    return run


def _is_to_settle(run: Run, marker: MarkerRow | None) -> bool:
    if marker is None:
        return run.is_running
    return marker.set_aside and run.status == "completed" and not run.dry_run


def _catch_up(run: Run, leader_id: str) -> None:
    """Settle the leader for the earlier runs that have set it aside, the first one first."""
    for trouble in run_store.behind(leader_id):
        earlier = run_store.get_run(trouble.run_id)
        if earlier and earlier.business_date < run.business_date:
            _settle_leader(earlier.id, trouble.page, leader_id)


def _settle(
    run: Run,
    page_number: int,
    earnings: Earnings,
    days: Sequence[MaturingRow],
    before: MarkerRow | None,
) -> None:
    late = before is not None
    taken = _taken(run, earnings, days) if days else None
    leader = _of_run(earnings, taken)
    marker = run_store.marker(run.id, page_number, leader, late=late)
    if run.dry_run:
        write(marker, *(_kept_dry(run, earnings, taken.statement) if taken else []))
        return
    if not (taken or late):
        write(marker)
        return
    transaction = Transaction()
    transaction.add(marker, *_writes(earnings, taken, late=late))
    if late:
        transaction.add(*_catching_up(run, leader, has_taken=taken is not None))
    transaction.commit()


def _kept_dry(run: Run, earnings: Earnings, made: Statement) -> list[Write]:
    """A dry run shows why: its statement is kept with the lines that lie in its days now. Stale
    where something has changed since they were added up."""
    lines = settlement.earned_between(made.leader_id, made.after_day, made.business_date)
    if settlement.get_earnings(made.leader_id).version != earnings.version:
        raise Stale
    until = dry_store.let_go_at(run)
    dry_store.keep_lines(made, earnings.version, lines, until)
    return [dry_store.keep(made, earnings.version, until)]


def _taken(run: Run, earnings: Earnings, days: Sequence[MaturingRow]) -> Taken:
    matured, adjusted = sum(day.matured for day in days), sum(day.adjusted for day in days)
    made = _statement(run, earnings, days[0].currency, matured + adjusted)
    made = replace(made, by_kind=_by_kind(days, ()))
    lines = [line for day in days for line in summed_lines(day.caps)]
    if not lines:
        return Taken(made, matured)
    before = settlement.capped_days(earnings.leader_id, delivery_days(lines))
    caps, after = capped(before, lines)
    withheld = sum(line.amount for line in caps)
    entry_id = "" if run.dry_run else maturing_entry_id(made)
    made = replace(
        made,
        caps=tuple(replace(line, entry_id=entry_id) for line in caps),
        by_kind=_by_kind(days, caps),
        total=made.total + withheld,
        closing_balance=made.closing_balance + withheld,
    )
    return Taken(made, matured, after)


def _by_kind(days: Sequence[MaturingRow], caps: Sequence[EarnedLine]) -> tuple[OfKind, ...] | None:
    """What all lines come to, as their days know it; None where one does not."""
    if not all(day.is_told_by_kind for day in days):
        return None
    found = by_kind(caps)
    for day in days:
        found.update(day.kinds)
    return summed(found)


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
        previous_run_id=earnings.last_run_id,
    )


def _of_run(earnings: Earnings, taken: Taken | None) -> LeaderOfRun:
    balance, total = earnings.closing_balance, taken.statement.total if taken else 0
    return LeaderOfRun(
        leader_id=earnings.leader_id,
        status="settled",
        currency=taken.statement.currency if taken else None,
        amount=taken.amount if taken else 0,
        opening_balance=balance,
        total=total,
        closing_balance=balance + total,
    )


def _writes(earnings: Earnings, taken: Taken | None, *, late: bool) -> list[Write]:
    if taken is None:
        return [settlement.change_behind(earnings.leader_id, -1)]
    made = taken.statement
    writes: list[Write] = [
        settlement.take(made, earnings, caught_up=late),
        create(StatementRow.of(made)),
    ]
    writes += settlement.keep_capped(made.leader_id, taken.capped)
    amounts = _made_available(taken)
    if any(amounts.values()):
        writes += ledger.post(_maturing_entry(made, amounts))
    return writes


def _catching_up(run: Run, leader: LeaderOfRun, *, has_taken: bool) -> list[Write]:
    """The completed run counts the leader as if it had never set it aside."""
    sums = {total.currency: total for total in run.totals}
    if leader.currency and has_taken:
        before = sums.get(leader.currency, Total(leader.currency, 0))
        sums[leader.currency] = replace(before, amount=before.amount + leader.amount)
    counted = replace(
        run,
        leaders_settled=run.leaders_settled + 1,
        leaders_set_aside=run.leaders_set_aside - 1,
        totals=tuple(total for _, total in sorted(sums.items())),
        version=run.version + 1,
    )
    return [
        run_store.replace_run(counted, run.version),
        *run_store.caught_up(run.id, leader.leader_id, clock.now()),
    ]


def _made_available(taken: Taken) -> Counter[str]:
    """What has matured; caps withhold of it for the platform, or for who bears a refund."""
    leader_id = taken.statement.leader_id
    amounts = Counter[str]()
    amounts[books.leader_account(leader_id, "pending")] += taken.matured
    amounts[books.leader_account(leader_id, "available")] -= taken.amount
    for line in taken.statement.caps:
        amounts[line.borne_by or books.PLATFORM_REVENUE] += line.amount
    return amounts


def _maturing_entry(made: Statement, amounts: Counter[str]) -> books.Entry:
    month = belongs_to(made.business_date, made.made_at)
    return books.entry(
        maturing_entry_id(made),
        made.currency,
        made.run_id,
        made.made_at,
        amounts,
        belongs_to=month,
    )
