"""Leaders, a page at a time: their statements, the days that wait, their balances and bonuses."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import chain

from chalicelib.audit import untaken
from chalicelib.audit.at_rest import found_at_rest
from chalicelib.audit.checks import adjustment_checks, bonus_checks, leader_checks, statement_checks
from chalicelib.audit.checks.leader_checks import Day, Standing
from chalicelib.audit.rules import Looked
from chalicelib.audit.store import Page
from chalicelib.ledger import store as ledger
from chalicelib.ledger.checks import Finding
from chalicelib.parties import store as parties
from chalicelib.platform.pages import PageRequest
from chalicelib.settlement import bonus_store
from chalicelib.settlement import store as settlement
from chalicelib.settlement.rules import EarnedLine, Earnings, Run, Statement, maturing_entry_id

LEADERS_A_STEP, STATEMENTS_A_READ = 100, 10
# Behind every day that anything waits under.
NEVER = "9999-12-31"


def look(page: Page) -> Looked:
    """Every leader, with the statements since those that an audit has found right."""
    names = parties.leader_ids_after(page.audit.after, LEADERS_A_STEP)
    last = untaken.last_run()
    found = [finding for name in names for finding in _leader(name, page.audit.since, last)]
    after = names[-1] if len(names) == LEADERS_A_STEP else None
    return Looked({"leaders": len(names)}, found, after)


def _leader(leader_id: str, since: datetime | None, last: Run | None) -> list[Finding]:
    def read() -> tuple[int, Iterator[Finding]]:
        standing = _standing(leader_id, since)
        findings = chain(
            leader_checks.all_of(standing),
            _posted(standing),
            untaken.after(last, standing),
            _given(leader_id),
        )
        return standing.earnings.version, findings

    return found_at_rest(read, lambda: settlement.get_earnings(leader_id).version)


def _posted(standing: Standing) -> Iterator[Finding]:
    entries = ledger.get_entries(maturing_entry_id(each) for each in standing.statements)
    yield from statement_checks.statements_posted(standing, entries)


def _given(leader_id: str) -> Iterator[Finding]:
    """What it has beside its commission."""
    given = bonus_store.all_bonuses(leader_id)
    yield from bonus_checks.bonuses(given, ledger.get_entries(bonus_checks.entry_ids(given)))
    made = bonus_store.all_adjustments(leader_id)
    entries = ledger.get_entries(each.entry_id for each in made)
    for each in made:
        yield from adjustment_checks.adjustments(each, entries)


def _standing(leader_id: str, since: datetime | None) -> Standing:
    earnings = settlement.get_earnings(leader_id)
    before, made = _statements(leader_id, since)
    days, capped = _days(earnings, made)
    accounts = ledger.accounts_of(f"leader:{leader_id}")
    withheld = (line for each in made for line in each.caps)
    told_of = {line.delivered_on for line in (*capped, *withheld)} - {""}
    first = min(told_of, default=None)
    lines, caps = _of_capped_days(earnings, first) if first else ([], [])
    return Standing(
        earnings, before, made, days, -accounts.pending, -accounts.available, lines, caps
    )


def _statements(
    leader_id: str, since: datetime | None
) -> tuple[Statement | None, Sequence[Statement]]:
    """Those that were made since, by their dates, and the one before them. The last are read first,
    so what a leader has of older ones costs nothing."""
    found: list[Statement] = []
    page = PageRequest("audit", STATEMENTS_A_READ)
    while True:
        some = settlement.statements(leader_id, page)
        for each in some.items:
            if since and each.made_at < since:
                return each, found[::-1]
            found.append(each)
        if some.next_after is None:
            return None, found[::-1]
        page = PageRequest("audit", STATEMENTS_A_READ, some.next_after)


def _days(earnings: Earnings, made: Sequence[Statement]) -> tuple[dict[str, Day], list[EarnedLine]]:
    """The days that these statements have taken and those that wait; and the lines taken of them
    that are capped."""
    leader_id, through = earnings.leader_id, earnings.settled_through
    first = made[0].after_day if made else through
    days = {
        settlement.day_of(row): Day(
            row.matured, row.adjusted, row.kinds if row.is_told_by_kind else None
        )
        for row in settlement.maturing_between(leader_id, first, NEVER)
    }
    capped: list[EarnedLine] = []
    for each in made:
        taken = settlement.earned_by_day(leader_id, each.after_day, each.business_date)
        for day, lines in taken.items():
            days[day] = days.get(day, Day()).with_lines(matured=lines)
            capped += (line for line in lines if line.day_cap is not None)
    for waits in settlement.waiting_after(leader_id, through):
        of = days.get(waits.day, Day())
        days[waits.day] = of.with_lines(adjusted=waits.adjusted, matured=waits.matured)
    return days, capped


def _of_capped_days(earnings: Earnings, first: str) -> tuple[list[EarnedLine], list[EarnedLine]]:
    """All that statements have told of delivery days from one on: capped lines, and caps."""
    before = (date.fromisoformat(first) - timedelta(days=1)).isoformat()
    lines = settlement.earned_between(earnings.leader_id, before, earnings.settled_through)
    made = settlement.statements_from(earnings.leader_id, first)
    caps = (line for each in made for line in each.caps)
    return (
        [line for line in lines if line.day_cap is not None and line.delivered_on >= first],
        [line for line in caps if line.delivered_on >= first],
    )
