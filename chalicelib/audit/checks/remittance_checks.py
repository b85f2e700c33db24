"""What must hold of what leaders and suppliers have paid, and of the entries that tell of it.
Pure."""

from collections.abc import Iterator, Mapping

from chalicelib.audit.checks.due_postings import Due, differing
from chalicelib.ledger import rules as books
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Entry
from chalicelib.payments.rules import Remittance
from chalicelib.suppliers.remittances import SupplierRemittance


def entry_ids(made: Remittance | SupplierRemittance) -> tuple[str, str]:
    """By which it was booked, and by which it was reversed, if it was."""
    if isinstance(made, SupplierRemittance):
        return made.entry_id, made.reversal_id
    told = f"{made.leader_id}:{made.reference}"
    return f"remittance:{told}", f"remittance-reversed:{told}"


def remittances(
    made: Remittance | SupplierRemittance, entries: Mapping[str, Entry]
) -> Iterator[Finding]:
    """A remittance has paid what it says of what was owed; one that was reversed has given it
    back."""
    booked, reversed_by = entry_ids(made)
    due = [
        Due(entry_id, account, sign * amount)
        for entry_id, sign in ((booked, 1), (reversed_by, -1 if made.reversed_at else 0))
        for account, amount in _moved(made).items()
    ]
    yield from differing("remittances", made.id, f"Remittance {made.id}", due, entries)


def _moved(made: Remittance | SupplierRemittance) -> dict[str, int]:
    if isinstance(made, Remittance):
        return {
            made.cash_account: made.amount,
            books.leader_account(made.leader_id, "collected"): -made.amount,
        }
    return {
        books.cash("bank"): made.amount,
        books.supplier_owed(made.supplier_id): -made.fees,
        books.supplier_payable(made.supplier_id): -made.payable,
    }
