"""What was missing and turns up after all: its difference is closed, and what was posted against it
is taken back. Each once."""

from dataclasses import replace

from chalicelib.cases.service import close_in
from chalicelib.kernel import clock
from chalicelib.ledger import store as ledger
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Transaction
from chalicelib.reconciliation import claim_store
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.rules import CASE
from chalicelib.reconciliation.undoing import taken_back


def let_go_of_claimed(account: str) -> None:
    """Let go of whatever statements have left and another has had since."""
    left = [(account, each.entry_id) for each in claim_store.left(account)]
    for (_, entry_id), claim in claim_store.claimed_entries(left).items():
        _let_go(account, entry_id, claim.reconciliation_id)


@retry_stale
def _let_go(account: str, entry_id: str, found_in: str) -> None:
    left = claim_store.get_left(account, entry_id)
    if left is None:
        return
    transaction = Transaction()
    transaction.add(claim_store.let_go(account, entry_id))
    if left.missing:
        _tell_found(transaction, account, *left.missing, found_in)
    transaction.commit()


def _tell_found(
    transaction: Transaction, account: str, reconciliation_id: str, n: int, found_in: str
) -> None:
    before = reconciliations.get_difference(reconciliation_id, n)
    if before is None:
        raise LookupError(f"difference {n} of {reconciliation_id} is not stored")
    now = clock.now()
    posted, note = ledger.get_entries(before.posted), f"found in {found_in}"
    entries = taken_back(before, tuple(posted.values()), note, now)
    undone = tuple(each.id for each in entries)
    after = replace(
        before,
        found_in=found_in,
        posted=(*before.posted, *undone),
        version=before.version + 1,
    )
    transaction.add(
        *ledger.post(*entries),
        *(claim_store.claim_entry(account, each, found_in, "found") for each in undone),
    )
    if not before.is_resolved:
        after = replace(after, resolution="found", resolved_at=now)
        transaction.add(reconciliations.count_resolved(reconciliation_id))
        close_in(transaction, CASE, reconciliation_id, note, occurrence=before.occurrence)
    transaction.add(reconciliations.replace_difference(after))
