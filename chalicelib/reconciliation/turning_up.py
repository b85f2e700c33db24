"""What was missing and turns up after all: its difference is closed, and what was posted against it
is taken back. Each once."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from chalicelib.cases import service as cases
from chalicelib.cases.service import close_in
from chalicelib.kernel import clock
from chalicelib.kernel.currencies import written
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Transaction
from chalicelib.reconciliation import claim_store, taking_back
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.open_items import FOUND_AFTER_ALL
from chalicelib.reconciliation.rules import CASE


def let_go_of_all_claimed(account: str) -> None:
    """Let go of whatever statements have left and another has had since."""
    let_go_of_claimed(account, [each.entry_id for each in claim_store.left(account)])


def let_go_of_claimed(account: str, entry_ids: Collection[str]) -> None:
    """Likewise, of some that may have been left. One that might be meant is not found yet."""
    claims = claim_store.claimed_entries((account, each) for each in entry_ids)
    found = {each: claim for each, claim in claims.items() if claim.by != claim_store.AMBIGUOUS}
    for (_, entry_id), claim in found.items():
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
    note = f"found in {found_in}"
    taken = taking_back.taken_back(before, note, now)
    entries = list(taken.values())
    undone = tuple(each.id for each in entries)
    after = replace(
        before,
        found_in=found_in,
        posted=(*before.posted, *undone),
        version=before.version + 1,
    )
    _make_up_in(transaction, taken, found_in)
    transaction.add(
        *ledger.post(*entries),
        *(claim_store.claim_entry(account, each, found_in, "found") for each in undone),
    )
    if not before.is_resolved:
        after = replace(after, resolution="found", resolved_at=now)
        transaction.add(reconciliations.count_resolved(reconciliation_id))
        close_in(transaction, CASE, reconciliation_id, note, occurrence=before.occurrence)
    transaction.add(reconciliations.replace_difference(after))


def _make_up_in(transaction: Transaction, taken: Mapping[str, Entry], found_in: str) -> None:
    """What waited for a person and is taken back waits no more. Of what was cleared meanwhile the
    other side is left, and a person has to say where that belongs."""
    for item, back in taking_back.items(taken):
        if item.uncleared:
            taking_back.make_up_in(transaction, item, back, found_in, "found")
        if item.cleared:
            left = written(item.cleared, item.entry.currency)
            detail = (
                f"What {item.entry.id} had posted to {item.account} is found in {found_in}, and "
                f"{left} of it were cleared before: say where {back.entry.id} belongs."
            )
            cases.open_in(transaction, FOUND_AFTER_ALL, back.entry.id, detail)
