"""What must hold of receipts, and of the entries that tell of them. Pure."""

from collections.abc import Iterator, Mapping

from chalicelib.audit.checks.due_postings import Due, differing
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import CUSTOMER_PREPAYMENTS, UNMATCHED_RECEIPTS, Entry
from chalicelib.payments.rules import Receipt


def entry_id(receipt: Receipt) -> str:
    return f"receipt:{receipt.id}"


def receipts_posted(receipt: Receipt, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """What came was prepaid by the customer of its order, or is nobody's yet."""
    account = CUSTOMER_PREPAYMENTS if receipt.order_id else UNMATCHED_RECEIPTS
    due = [Due(entry_id(receipt), account, -receipt.amount)]
    yield from differing("receipts_posted", receipt.id, f"Receipt {receipt.id}", due, entries)


def unmatched(receipt: Receipt) -> Finding:
    """Money that no order waits for is a person's to look at."""
    detail = f"Receipt {receipt.id} is of no order, and has no case."
    return Finding("receipts_unmatched", receipt.id, detail, receipt.amount)
