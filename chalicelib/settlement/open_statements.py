"""What the next statement of a leader would say: what its balance has moved by since the last one.

Read apart from what is pending, which a run of some coming day makes available.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Stale
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry, Position, position
from chalicelib.parties import service as parties
from chalicelib.platform.retries import retry_stale
from chalicelib.settlement import store as settlement
from chalicelib.settlement.rules import EarnedLine, Earnings, WaitingLines


@dataclass(frozen=True)
class PendingDay:
    """What the run of a business date makes available, before daily caps; in the minor unit."""

    matures_on: str
    amount: int


@dataclass(frozen=True)
class PostedLine(EarnedLine):
    """A line with the instant of its entry; None where it has kept none."""

    posted_at: datetime | None = None


@dataclass(frozen=True)
class NumberedLine:
    """A line by its number in the open statement or, where it is pending, among those that mature
    on its day."""

    number: int
    matures_on: str | None
    line: PostedLine


@dataclass(frozen=True)
class OpenStatement:
    """The lines that were posted to a leader's available balance since its last statement.

    `balance` is `opening_balance` and what the lines add up to: what is available now. What is
    `held` is pending and matures on no day, since it is disputed.
    """

    leader_id: str
    currency: str
    previous_run_id: str
    opening_balance: int
    total: int
    balance: int
    lines: Sequence[PostedLine]
    pending: Sequence[PendingDay]
    held: int
    pending_lines: Sequence[PostedLine] | None
    as_of: datetime


def open_statement(leader_id: str, caller: Caller, day: str | None = None) -> OpenStatement:
    """The statement as it stands, with the lines that mature on `day` where one is named.

    Raises NotFound for a leader that is not there, or not the caller.
    """
    caller.must_be("leader", leader_id, "leader")
    currency = parties.leader(leader_id).currency
    earnings, waiting = _as_of_one_moment(leader_id)
    lines = _posted(_adjusted(waiting))
    total = sum(line.amount for line in lines)
    return OpenStatement(
        leader_id=leader_id,
        currency=currency,
        previous_run_id=earnings.last_run_id,
        opening_balance=earnings.closing_balance,
        total=total,
        balance=earnings.closing_balance + total,
        lines=lines,
        pending=_by_day(waiting),
        held=earnings.held,
        pending_lines=_posted(_maturing_on(day, waiting)) if day else None,
        as_of=clock.now(),
    )


def lines_of_entry(leader_id: str, entry_id: str, caller: Caller) -> list[NumberedLine]:
    """What an entry has brought of the next statement, and of what is pending beside it. Raises
    NotFound as above."""
    caller.must_be("leader", leader_id, "leader")
    parties.leader(leader_id)
    _, waiting = _as_of_one_moment(leader_id)
    found = _numbered(None, _adjusted(waiting), entry_id)
    for day in dict.fromkeys(each.day for each in waiting):
        found += _numbered(day, _maturing_on(day, waiting), entry_id)
    return found


def _numbered(day: str | None, lines: Sequence[EarnedLine], entry_id: str) -> list[NumberedLine]:
    if all(line.entry_id != entry_id for line in lines):
        return []
    numbers = enumerate(_posted(lines), 1)
    return [NumberedLine(n, day, line) for n, line in numbers if line.entry_id == entry_id]


def _posted(lines: Sequence[EarnedLine]) -> list[PostedLine]:
    """In the order of posting: what comes later stands behind, and leaves each line its number."""
    entries = ledger.get_entries(line.entry_id for line in lines if line.entry_id)
    of = [(line, entries.get(line.entry_id)) for line in lines]
    of.sort(key=lambda each: _position(each[1]))
    return [
        PostedLine(**vars(line), posted_at=entry.posted_at if entry else None) for line, entry in of
    ]


def _position(entry: Entry | None) -> Position:
    return position(entry) if entry else Position(datetime.min.replace(tzinfo=UTC), 0, "")


@retry_stale
def _as_of_one_moment(leader_id: str) -> tuple[Earnings, list[WaitingLines]]:
    """What all that moves it raises the version of."""
    earnings = settlement.get_earnings(leader_id)
    waiting = settlement.waiting_after(leader_id, earnings.settled_through)
    if settlement.get_earnings(leader_id).version != earnings.version:
        raise Stale
    return earnings, waiting


def _by_day(waiting: Sequence[WaitingLines]) -> list[PendingDay]:
    sums = Counter[str]()
    for each in waiting:
        sums[each.day] += sum(line.amount for line in each.matured)
    return [PendingDay(day, amount) for day, amount in sorted(sums.items()) if amount]


def _adjusted(waiting: Sequence[WaitingLines]) -> list[EarnedLine]:
    return [line for each in waiting for line in each.adjusted]


def _maturing_on(day: str, waiting: Sequence[WaitingLines]) -> list[EarnedLine]:
    return [line for each in waiting if each.day == day for line in each.matured]
