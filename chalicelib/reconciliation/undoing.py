"""The way back from a wrong resolution: what it has posted is posted the other way round, and the
difference is open again. Each once."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from chalicelib.cases.service import open_in
from chalicelib.cases.store import case_id
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Conflict, NotFound
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction, Write
from chalicelib.reconciliation import claim_store, taking_back, turning_up
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.rules import (
    CASE,
    NumberedDifference,
    Reconciliation,
    Resolved,
    Undone,
)
from chalicelib.reconciliation.taking import reconciliation_of

# A payout's result and what was matched are said where they belong; what turned up needs no word.
CAN_BE_UNDONE: tuple[Resolved, ...] = (
    "accept",
    "post_fee",
    "post_to_suspense",
    "post_to_other_account",
)


def undo(
    reconciliation_id: str, n: int, why: str, caller: Caller, recorder: Recorder | None
) -> NumberedDifference:
    """Post what the resolution has posted the other way round, and open the difference again, with
    a case of its own. The same again changes nothing.

    Raises Conflict where it is not resolved, cannot be undone, or what it posted has its line in
    another account's statement.
    """
    made = reconciliation_of(reconciliation_id)
    after = _undo(made, n, why, caller, recorder)
    # Where nobody comes to this, the next statement does.
    for each in ledger.get_entries(after.undone[-1].posted).values():
        for other in _other_cash(made, each):
            turning_up.let_go_of_claimed(other, [each.id])
    return after


@retry_stale
def _undo(
    made: Reconciliation, n: int, why: str, caller: Caller, recorder: Recorder | None
) -> NumberedDifference:
    before = reconciliations.get_difference(made.id, n)
    if before is None:
        raise NotFound("There is no such difference.")
    if not before.resolution and before.undone and before.undone[-1].why == why:
        return before
    _check(before)
    now = clock.now()
    posted, taken = ledger.get_entries(before.posted), taking_back.taken_back(before, why, now)
    after = _reopened(before, why, caller, now)
    transaction = Transaction(recorder)
    transaction.add(
        reconciliations.replace_difference(after),
        reconciliations.count_reopened(made.id),
        *ledger.post(*taken.values()),
        *_claims(made, posted, taken),
        *_may_be_meant_again(made, before),
    )
    _wait_no_more_in(transaction, taken, caller)
    detail = f"{before.kind}, difference {n} of {made.account}, is open again: {why}"
    open_in(transaction, CASE, made.id, detail, occurrence=after.occurrence)
    transaction.commit(after)
    return after


def _check(before: NumberedDifference) -> None:
    if not before.is_resolved:
        raise Conflict("The difference is not resolved.", code="not_resolved")
    if before.resolution not in CAN_BE_UNDONE or before.found_in:
        raise Conflict(
            f"What was resolved by {before.resolution}, or has turned up, is not undone here: "
            f"{', '.join(CAN_BE_UNDONE)} are.",
            code="undo_not_possible",
        )


def _reopened(
    before: NumberedDifference, why: str, caller: Caller, now: datetime
) -> NumberedDifference:
    undone = Undone(
        resolution=before.resolution or "",
        note=before.note or "",
        resolved_by=before.resolved_by or "",
        resolved_at=clock.to_text(before.resolved_at) if before.resolved_at else "",
        posted=before.posted,
        undone_by=caller.id,
        undone_at=clock.to_text(now),
        why=why,
    )
    after = replace(
        before,
        resolution=None,
        note=None,
        resolved_by=None,
        resolved_at=None,
        posted=(),
        undone=(*before.undone, undone),
        version=before.version + 1,
    )
    return replace(after, case_id=case_id(CASE, before.reconciliation_id, after.occurrence))


def _wait_no_more_in(transaction: Transaction, taken: Mapping[str, Entry], caller: Caller) -> None:
    for item, back in taking_back.items(taken):
        if item.cleared:
            raise Conflict(
                f"{written(item.cleared, item.entry.currency)} of what was posted to "
                f"{item.account} are cleared by now: somebody has said where they belong.",
                code="undo_not_possible",
            )
        taking_back.make_up_in(transaction, item, back, back.entry.id, caller.id)


def _claims(
    made: Reconciliation, posted: Mapping[str, Entry], taken: Mapping[str, Entry]
) -> Iterator[Write]:
    """No statement has a line of either: neither of this account nor of one that the money was said
    to be in."""
    for before in posted.values():
        after = taken[before.id]
        yield claim_store.claim_entry(made.account, after.id, made.id, after.id)
        for other in _other_cash(made, before):
            yield from _claims_elsewhere(made, other, before, after)


def _claims_elsewhere(
    made: Reconciliation, other: str, before: Entry, after: Entry
) -> Iterator[Write]:
    key = (other, before.id)
    claim = claim_store.claimed_entries([key]).get(key)
    if claim:
        raise Conflict(
            f"What was posted to {other} is settled there, by {claim.reconciliation_id}: the money "
            "is there, or what was there by mistake was moved.",
            code="undo_not_possible",
        )
    yield claim_store.claim_entry(other, before.id, made.id, after.id)
    yield claim_store.claim_entry(other, after.id, made.id, after.id)


def _may_be_meant_again(made: Reconciliation, before: NumberedDifference) -> list[Write]:
    if before.kind != "ambiguous":
        return []
    return [claim_store.undecide_entry(made.account, each, made.id) for each in before.open_entries]


def _other_cash(made: Reconciliation, entry: Entry) -> list[str]:
    accounts = (posting.account for posting in entry.postings)
    return [each for each in accounts if each.startswith("cash:") and each != made.account]
