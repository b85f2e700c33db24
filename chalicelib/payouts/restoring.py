"""A batch that is cancelled gives back what it has taken, payout by payout."""

from chalicelib.payouts import batch_store
from chalicelib.payouts.reading import payouts_on
from chalicelib.payouts.results import record
from chalicelib.payouts.rules import Batch


def restore_page(batch: Batch, number: int) -> None:
    page = batch_store.get_page(batch.id, number)
    if page is None:
        raise LookupError(f"page {number} of {batch.id} is not stored")
    for payout in payouts_on(batch, page):
        record(payout.id, "cancelled", None)
    batch_store.pass_page(page, "restored")
