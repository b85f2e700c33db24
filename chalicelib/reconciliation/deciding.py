"""What a person says belongs together: a line and an entry at a time, each claimed by the other
from then on. Where several may be meant it is one of these; else any that no statement has had,
such as one that was posted since."""

from dataclasses import dataclass, replace

from chalicelib.cases.service import close_in
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.ledger import store as ledger
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction, Write
from chalicelib.reconciliation import claim_store, piece_store, turning_up
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.claim_store import ClaimRow
from chalicelib.reconciliation.line_names import line_names
from chalicelib.reconciliation.lines import Line
from chalicelib.reconciliation.rules import CASE, Decided, NumberedDifference, Reconciliation


@dataclass(frozen=True)
class Candidate:
    """Which entry a line is of: by its id, or as the one of a payout; the line only where the
    difference has several."""

    entry_id: str | None = None
    payout_id: str | None = None
    line: int | None = None

    @property
    def field(self) -> str:
        return "entry_id" if self.entry_id else "payout_id"


def match(
    made: Reconciliation,
    n: int,
    said: Candidate,
    note: str,
    caller: Caller,
    recorder: Recorder | None,
) -> NumberedDifference:
    """Match one line of the difference with one entry. With its last line it is resolved, and the
    entries that are left over are looked for in the statements to come.

    Raises Invalid for what is no candidate, Conflict where the two do not agree or the entry has
    its line.
    """
    after = _match(made, n, said, note, caller, recorder)
    # Where nobody comes to this, the next statement does.
    turning_up.let_go_of_claimed(made.account, [each.entry_id for each in after.decided])
    return after


@retry_stale
def _match(
    made: Reconciliation,
    n: int,
    said: Candidate,
    note: str,
    caller: Caller,
    recorder: Recorder | None,
) -> NumberedDifference:
    before = reconciliations.get_difference(made.id, n)
    if before is None:
        raise LookupError(f"difference {n} of {made.id} is not stored")
    if _is_decided(before, said):
        return before
    if before.resolution:
        raise Conflict(
            f"The difference was resolved before, by {before.resolution}.", code="already_resolved"
        )
    lines = piece_store.lines(made.id)
    line = _line(before, said, lines)
    entry_id = _entry_of(made, line, said, _candidates(before, said))
    after = _after(before, Decided(line.n, entry_id, caller.id), note)
    transaction = Transaction(recorder)
    transaction.add(
        reconciliations.replace_difference(after),
        reconciliations.count_matched(made.id, is_last=after.is_resolved),
        claim_store.decide_line(_claim_of(made, line.n, lines), before.kind),
        _claim(made, before, entry_id),
    )
    if after.is_resolved:
        for each in after.open_entries:
            transaction.add(*claim_store.release(made.account, each, made.id))
        close_in(transaction, CASE, made.id, f"match: {note}", occurrence=before.occurrence)
    transaction.commit(after)
    return after


def _is_decided(before: NumberedDifference, said: Candidate) -> bool:
    return any(
        said.line in (None, each.line) and each.entry_id in _named(said, (each.entry_id,))
        for each in before.decided
    )


def _after(before: NumberedDifference, pair: Decided, note: str) -> NumberedDifference:
    after = replace(before, decided=(*before.decided, pair), version=before.version + 1)
    if after.open_lines:
        return after
    return replace(
        after, resolution="match", note=note, resolved_by=pair.by, resolved_at=clock.now()
    )


def _line(before: NumberedDifference, said: Candidate, lines: list[Line]) -> Line:
    waiting = before.open_lines
    if said.line is None and len(waiting) > 1:
        raise Invalid.field("line", f"is required, as one of {_listed(waiting)}")
    n = said.line or next(iter(waiting), 0)
    if n not in waiting:
        raise Invalid.field("line", f"is none of those that wait: {_listed(waiting) or 'none'}")
    return next(each for each in lines if each.n == n)


def _claim_of(made: Reconciliation, n: int, lines: list[Line]) -> ClaimRow:
    of = [each for each in lines if each.n == n]
    names = {n: line_names(lines, made.format, of)[n]}
    return claim_store.claims_of_lines(made.account, made.id, names)[n]


def _claim(made: Reconciliation, before: NumberedDifference, entry_id: str) -> Write:
    if entry_id in before.entries:
        return claim_store.decide_entry(made.account, entry_id, made.id)
    taken = Conflict("The entry has its line already.", code="found_meanwhile")
    return claim_store.claim_entry(
        made.account, entry_id, made.id, claim_store.DECIDED, otherwise=taken
    )


def _candidates(before: NumberedDifference, said: Candidate) -> list[str]:
    """Ids that may be what is named."""
    if before.entries:
        return _one_of(before, said)
    if said.payout_id:
        return [f"{kind}:{said.payout_id}" for kind in ("payout-paid", "payout-returned")]
    return [said.entry_id] if said.entry_id else []


def _one_of(before: NumberedDifference, said: Candidate) -> list[str]:
    named = _named(said, before.open_entries)
    if len(named) != 1:
        candidates = _listed(before.open_entries) or "none is left"
        raise Invalid.field(
            said.field, f"names none of the entries that may be meant: {candidates}"
        )
    return named


def _named(said: Candidate, entry_ids: tuple[str, ...]) -> list[str]:
    return [
        each
        for each in entry_ids
        if each == said.entry_id or each.partition(":")[2] == said.payout_id
    ]


def _entry_of(made: Reconciliation, line: Line, said: Candidate, candidates: list[str]) -> str:
    """The one of them that has posted what the line says."""
    found = ledger.get_entries(candidates).values()
    if not found:
        raise Invalid.field(said.field, "names no entry of the books")
    for entry in found:
        posted = sum(each.amount for each in entry.postings if each.account == made.account)
        if (posted, entry.currency) == (line.amount, line.currency):
            return entry.id
    raise Conflict(
        "The entry has another amount than the line, or is in another account: resolve the "
        "difference in another way.",
        code="resolution_not_possible",
    )


def _listed(some: tuple[int, ...] | tuple[str, ...]) -> str:
    return ", ".join(map(str, some))
