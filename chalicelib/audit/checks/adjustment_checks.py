"""What must hold of what operators have corrected, and of the entries that tell of it. Pure."""

from collections.abc import Iterator, Mapping

from chalicelib.audit.checks.due_postings import Due, differing
from chalicelib.ledger import rules as books
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Entry
from chalicelib.settlement.rules import Adjustment


def adjustments(made: Adjustment, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """An adjustment has changed what is available by what it says."""
    account = books.leader_account(made.leader_id, "available")
    due = [Due(made.entry_id, account, -made.amount)]
    yield from differing("adjustments", made.id, f"Adjustment {made.id}", due, entries)
