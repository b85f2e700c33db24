"""What a person says belongs together where several lines or entries may: a line and an entry at a
time, each claimed by the other from then on."""

from dataclasses import dataclass, replace

from chalicelib.cases.service import close_in
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.ledger import store as ledger
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.reconciliation import claim_store, piece_store
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.lines import Line, line_claims
from chalicelib.reconciliation.rules import CASE, Decided, NumberedDifference, Reconciliation


@dataclass(frozen=True)
class Candidate:
    """Which entry a line is of: by its id, or as the one of a payout; the line only where the
    difference has several."""

    entry_id: str | None = None
    payout_id: str | None = None
    line: int | None = None


@retry_stale
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

    Raises Invalid for what is no candidate, Conflict where the two do not agree.
    """
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
    line, entry_id = _line(before, said, lines), _entry_id(before, said)
    _check_agree(made, line, entry_id)
    after = _after(before, Decided(line.n, entry_id, caller.id), note)
    transaction = Transaction(recorder)
    transaction.add(
        reconciliations.replace_difference(after),
        reconciliations.count_matched(made.id, is_last=after.is_resolved),
        claim_store.decide_line(made.account, line_claims(lines)[line.n], made.id, line.n),
        claim_store.decide_entry(made.account, entry_id, made.id),
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
    n = said.line or waiting[0]
    if n not in waiting:
        raise Invalid.field("line", f"is none of those that wait: {_listed(waiting)}")
    return next(each for each in lines if each.n == n)


def _entry_id(before: NumberedDifference, said: Candidate) -> str:
    named = _named(said, before.open_entries)
    if len(named) != 1:
        field = "entry_id" if said.entry_id else "payout_id"
        candidates = _listed(before.open_entries) or "none is left"
        raise Invalid.field(field, f"names none of the entries that may be meant: {candidates}")
    return named[0]


def _named(said: Candidate, entry_ids: tuple[str, ...]) -> list[str]:
    return [
        each
        for each in entry_ids
        if each == said.entry_id or each.partition(":")[2] == said.payout_id
    ]


def _check_agree(made: Reconciliation, line: Line, entry_id: str) -> None:
    entry = ledger.get_entry(entry_id)
    if entry is None:
        raise LookupError(f"entry {entry_id} is not stored")
    posted = sum(each.amount for each in entry.postings if each.account == made.account)
    if (posted, entry.currency) != (line.amount, line.currency):
        raise Conflict(
            "The entry has another amount than the line, or is in another account: resolve the "
            "difference in another way.",
            code="resolution_not_possible",
        )


def _listed(some: tuple[int, ...] | tuple[str, ...]) -> str:
    return ", ".join(map(str, some))
