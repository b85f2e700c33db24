"""What must hold of a leader's statements, of the days that wait, and of its balances. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from chalicelib.ledger.checks import CheckName, Finding
from chalicelib.settlement.caps import capped
from chalicelib.settlement.kind_sums import by_kind, summed
from chalicelib.settlement.rules import EarnedLine, Earnings, LineKind, Statement


@dataclass(frozen=True)
class Day:
    """What a business date is said to bring, in all and by kind, and what the lines come to that
    lie under it; of a day that waits, how much of them was posted to the available balance already.
    `said` is None where the day was begun before kinds were told apart."""

    matured: int = 0
    adjusted: int = 0
    said: Mapping[LineKind, int] | None = None
    kinds: Mapping[LineKind, int] = field(default_factory=dict)
    lines_adjusted: int = 0

    @property
    def lines(self) -> int:
        return sum(self.kinds.values())

    def with_lines(
        self, *, matured: Sequence[EarnedLine], adjusted: Sequence[EarnedLine] = ()
    ) -> "Day":
        kinds = Counter(self.kinds)
        kinds.update(by_kind((*matured, *adjusted)))
        more = sum(line.amount for line in adjusted)
        return replace(self, kinds=kinds, lines_adjusted=self.lines_adjusted + more)


@dataclass(frozen=True)
class Standing:
    """Where a leader stands, as of one moment: the statements that are looked at by their dates,
    the one before them, each day since, and what its accounts hold, each a credit."""

    earnings: Earnings
    before: Statement | None
    statements: Sequence[Statement]
    days: Mapping[str, Day]
    pending: int
    available: int
    # All lines, and all cap lines, of capped delivery days that statements have told of.
    capped_lines: Sequence[EarnedLine] = ()
    cap_lines: Sequence[EarnedLine] = ()

    @property
    def leader_id(self) -> str:
        return self.earnings.leader_id

    @property
    def waiting(self) -> list[Day]:
        """What the next run will take, or one after it."""
        return [of for day, of in self.days.items() if not self.earnings.has_taken(day)]


def all_of(standing: Standing) -> Iterator[Finding]:
    yield from statements_chain(standing)
    yield from statement_lines(standing)
    yield from leader_available(standing)
    yield from leader_pending(standing)
    yield from leader_days(standing)
    yield from day_caps(standing)


def statements_chain(standing: Standing) -> Iterator[Finding]:
    """Each statement opens where the one before closes, and closes by what it comes to."""
    leader_id, made = standing.leader_id, standing.statements
    for each in made:
        if out := each.opening_balance + each.total - each.closing_balance:
            yield _of_statement(each, "does not close by what it comes to", out)
    if made and standing.before is None and made[0].opening_balance:
        yield _of_statement(
            made[0], "is the first, and opens with something", made[0].opening_balance
        )
    known = [*([standing.before] if standing.before else []), *made]
    for before, after in pairwise(known):
        if out := after.opening_balance - before.closing_balance:
            yield _of_statement(after, f"does not open where {before.run_id} closes", out)
        elif after.previous_run_id != before.run_id:
            yield _of_statement(after, f"does not name {before.run_id} as the one before")
    closing = known[-1].closing_balance if known else 0
    if out := standing.earnings.closing_balance - closing:
        detail = f"Leader {leader_id} stands {out} beside its last statement."
        yield Finding("statements_chain", leader_id, detail, out)


def _of_statement(made: Statement, what: str, out: int | None = None) -> Finding:
    detail = f"Statement {made.run_id} of {made.leader_id} {what}."
    return Finding("statements_chain", made.leader_id, detail, out)


def statement_lines(standing: Standing) -> Iterator[Finding]:
    """Each statement is the sum of its lines, and of each kind of them."""
    for each in standing.statements:
        kinds, named = by_kind(each.caps), f"Statement {each.run_id} of {each.leader_id}"
        for day, of in standing.days.items():
            if each.has_taken(day):
                kinds.update(of.kinds)
        lines = sum(kinds.values())
        if out := each.total - lines:
            detail = f"{named} is {each.total}, its lines {lines}."
            yield Finding("statement_lines", each.leader_id, detail, out)
        elif each.by_kind is not None and each.by_kind != summed(kinds):
            detail = f"{named} does not say of each kind what its lines come to."
            yield Finding("statement_lines", each.leader_id, detail)


def leader_available(standing: Standing) -> Iterator[Finding]:
    """What is available is what statements closed at, and what the next one will tell."""
    due = standing.earnings.closing_balance + sum(of.adjusted for of in standing.waiting)
    yield from _balance("leader_available", standing, "available", standing.available, due)


def leader_pending(standing: Standing) -> Iterator[Finding]:
    """What is pending matures on some day, or is disputed."""
    due = standing.earnings.held + sum(of.matured for of in standing.waiting)
    yield from _balance("leader_pending", standing, "pending", standing.pending, due)


def _balance(
    check: CheckName, standing: Standing, what: str, found: int, due: int
) -> Iterator[Finding]:
    if out := found - due:
        detail = (
            f"{found} is {what} to {standing.leader_id}, and its days and statements say {due}."
        )
        yield Finding(check, standing.leader_id, detail, out)


def leader_days(standing: Standing) -> Iterator[Finding]:
    """A day that waits comes to its lines: those that were posted to the available balance, those
    that mature, and each kind of them."""
    for day, of in standing.days.items():
        if standing.earnings.has_taken(day):
            continue
        parts = (of.adjusted, of.lines_adjusted), (of.matured, of.lines - of.lines_adjusted)
        for said, lines in parts:
            if out := said - lines:
                detail = f"{day} brings {standing.leader_id} {said}, and its lines {lines}."
                yield Finding("leader_days", standing.leader_id, detail, out)
        if of.said is not None and summed(of.said) != summed(of.kinds):
            detail = f"{day} does not say of each kind what its lines bring {standing.leader_id}."
            yield Finding("leader_days", standing.leader_id, detail)


def day_caps(standing: Standing) -> Iterator[Finding]:
    """What runs have withheld of a capped delivery day is what its cap leaves of all its lines."""
    made, _ = capped([], standing.capped_lines)
    due, withheld = _by_rule(made), _by_rule(standing.cap_lines)
    for of in sorted({*due, *withheld}):
        if out := withheld[of] - due[of]:
            detail = (
                f"{-withheld[of]} is withheld of {standing.leader_id} for {of}, not {-due[of]}."
            )
            yield Finding("day_caps", standing.leader_id, detail, out)


def _by_rule(caps: Iterable[EarnedLine]) -> Counter[str]:
    sums = Counter[str]()
    for line in caps:
        of = f"{line.delivered_on} {line.role} {line.plan_id} {line.rule} {line.borne_by}"
        sums[of.rstrip()] += line.amount
    return sums
