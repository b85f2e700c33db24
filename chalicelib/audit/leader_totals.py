"""What a leader's statements of a year come to, for tax forms."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from chalicelib.parties import service as parties_service
from chalicelib.parties import store as parties
from chalicelib.parties.rules import Leader
from chalicelib.platform import sheets
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.sheets import Cell, Sheet
from chalicelib.settlement import store as settlement
from chalicelib.settlement.rules import LineKind, Statement
from chalicelib.settlement.statements import kinds_of

KINDS: tuple[LineKind, ...] = get_args(LineKind)
# What moves what was earned, and is no part of it.
MOVES = ("payout", "payout_returned", "netting")


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Of some statements, in the leader's favour, in the minor unit."""

    by_kind: Mapping[LineKind, int]

    @property
    def earned(self) -> int:
        """What is the leader's, less what was taken back or is held of it: so it is the same
        whether a run had taken it before or not."""
        return sum(self.by_kind[kind] for kind in KINDS if kind not in MOVES)

    @property
    def paid_out(self) -> int:
        """What was sent and did not come back; a positive amount."""
        return -self.by_kind["payout"] - self.by_kind["payout_returned"]

    @property
    def total(self) -> int:
        """By how much they have changed what is available."""
        return sum(self.by_kind.values())


@dataclass(frozen=True, kw_only=True)
class LeaderTotals(Totals):
    """A year, by the business dates of the leader's statements."""

    leader_id: str
    name: str
    year: int
    currency: str
    statements: int


@dataclass(frozen=True, kw_only=True)
class MonthTotals(Totals):
    """A month with its statements, the oldest first."""

    month: str
    statements: Sequence[Statement]


@dataclass(frozen=True, kw_only=True)
class LeaderYear(LeaderTotals):
    """A year that its months with statements add up to."""

    months: Sequence[MonthTotals]


def page_of(year: int, page: PageRequest) -> Page[LeaderTotals]:
    return parties.leaders(page).map(lambda leader: _totals(leader, year))


def of_leader(leader_id: str, year: int) -> LeaderYear:
    """A leader's year by month. Raises NotFound."""
    leader = parties_service.leader(leader_id)
    months = [
        MonthTotals(month=month, statements=made, by_kind=_by_kind(made))
        for month, made in _by_month(settlement.statements_of_year(leader.id, year)).items()
    ]
    return LeaderYear(
        leader_id=leader.id,
        name=leader.name,
        year=year,
        currency=leader.currency,
        statements=sum(len(each.statements) for each in months),
        by_kind={kind: sum(each.by_kind[kind] for each in months) for kind in KINDS},
        months=months,
    )


def as_csv(found: Page[LeaderTotals]) -> str:
    """A row for each leader of the page."""
    columns = [
        *("leader_id", "name", "year", "currency", "statements"),
        *("earned", "paid_out", "total"),
        *KINDS,
    ]
    rows: list[list[Cell]] = [
        [
            *(each.leader_id, each.name, each.year, each.currency, each.statements),
            *(each.earned, each.paid_out, each.total),
            *(each.by_kind[kind] for kind in KINDS),
        ]
        for each in found.items
    ]
    return sheets.written([Sheet("Leaders", columns, rows)], "csv").decode()


def _totals(leader: Leader, year: int) -> LeaderTotals:
    made = settlement.statements_of_year(leader.id, year)
    return LeaderTotals(
        leader_id=leader.id,
        name=leader.name,
        year=year,
        currency=leader.currency,
        statements=len(made),
        by_kind=_by_kind(made),
    )


def _by_month(made: Sequence[Statement]) -> dict[str, list[Statement]]:
    found: dict[str, list[Statement]] = defaultdict(list)
    for each in made:
        found[each.business_date[:7]].append(each)
    return found


def _by_kind(made: Sequence[Statement]) -> dict[LineKind, int]:
    sums = Counter[LineKind](dict.fromkeys(KINDS, 0))
    for statement in made:
        sums.update({each.kind: each.amount for each in kinds_of(statement)})
    return dict(sums)
