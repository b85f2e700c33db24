"""What a statement says, line by line, and what has become of each: for operators alone.

Texts and names are personal data of whoever has paid: they are shown, and never logged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from chalicelib.platform.pages import Page, PageRequest
from chalicelib.reconciliation import claim_store, piece_store
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.claim_store import ClaimRow
from chalicelib.reconciliation.line_names import line_names
from chalicelib.reconciliation.lines import Line
from chalicelib.reconciliation.rules import InTransit, NumberedDifference, Reconciliation
from chalicelib.reconciliation.taking import reconciliation_of

LineStatus = Literal["matched", "difference", "repeated", "under_way"]


@dataclass(frozen=True)
class LineShown(Line):
    """`by` is the entry that it is matched with, or the kind of its difference."""

    status: LineStatus = "under_way"
    by: str | None = None

    @property
    def date(self) -> str:
        return self.day


@dataclass(frozen=True)
class DifferenceShown(NumberedDifference):
    statement_lines: tuple[LineShown, ...] = ()


@dataclass(frozen=True)
class InTransitShown(InTransit):
    """`found_in` is the reconciliation that has its line by now."""

    found_in: str | None = None

    @property
    def date(self) -> str:
        return self.day


def lines(reconciliation_id: str, page: PageRequest) -> Page[LineShown]:
    """In the order of the statement. Raises NotFound."""
    made = reconciliation_of(reconciliation_id)
    every = piece_store.lines(made.id)
    start: int = page.after or 0
    end = start + page.limit
    shown = _shown(made, every, every[start:end])
    return Page(tuple(shown), end if end < len(every) else None)


def differences(reconciliation_id: str, page: PageRequest) -> Page[DifferenceShown]:
    """With their lines, the last first. Raises NotFound."""
    made = reconciliation_of(reconciliation_id)
    found = reconciliations.differences(made.id, page)
    numbers = {n for each in found.items for n in each.lines}
    every = piece_store.lines(made.id) if numbers else []
    wanted = [each for each in every if each.n in numbers]
    of = {each.n: each for each in _shown(made, every, wanted)}
    return found.map(
        lambda each: DifferenceShown(**vars(each), statement_lines=tuple(of[n] for n in each.lines))
    )


def in_transit(reconciliation_id: str, page: PageRequest) -> Page[InTransitShown]:
    """Entries that the statement need not have had yet, by day. Raises NotFound."""
    made = reconciliation_of(reconciliation_id)
    every = piece_store.in_transit(made.id)
    start: int = page.after or 0
    end = start + page.limit
    some = every[start:end]
    claims = claim_store.claimed_entries((made.account, each.entry_id) for each in some)
    shown = (_transit_shown(each, claims.get((made.account, each.entry_id))) for each in some)
    return Page(tuple(shown), end if end < len(every) else None)


def _transit_shown(each: InTransit, claim: ClaimRow | None) -> InTransitShown:
    return InTransitShown(**vars(each), found_in=claim.reconciliation_id if claim else None)


def _shown(made: Reconciliation, every: Sequence[Line], some: Sequence[Line]) -> list[LineShown]:
    names = line_names(every, made.format, some)
    claims = claim_store.claims_of_lines(
        made.account, made.id, {each.n: names[each.n] for each in some}
    )
    return [_line_shown(made, each, claims) for each in some]


def _line_shown(made: Reconciliation, line: Line, claims: Mapping[int, ClaimRow]) -> LineShown:
    claim = claims.get(line.n)
    if claim is None:
        return LineShown(**vars(line))
    if claim.reconciliation_id != made.id:
        return LineShown(**vars(line), status="repeated", by=claim.reconciliation_id)
    is_matched = ":" in claim.by or claim.by == claim_store.DECIDED
    return LineShown(**vars(line), status="matched" if is_matched else "difference", by=claim.by)
