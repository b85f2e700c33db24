"""Refunds that had not arrived when a customer's bank took the money by itself: the chargeback pays
them, so that nobody has it twice.

One that its provider may be sending can still arrive. It is paid once it has failed, and until then
what the chargeback has taken for it fits nothing.
"""

from collections.abc import Iterable
from datetime import datetime

from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.payments import chargeback_store, refund_store
from chalicelib.payments.rules import Chargeback, Refund, receipt_id
from chalicelib.platform.transaction import Transaction


def not_arrived(provider: str, charge: str, refund_ids: Iterable[str]) -> list[Refund]:
    """Those of these refunds that go back from the charge, and have not arrived."""
    return [
        each
        for each in refund_store.get_refunds(refund_ids)
        if not each.is_done
        and receipt_id(each.provider, each.receipt) == receipt_id(provider, charge)
    ]


def pay_in(
    transaction: Transaction, opened: Chargeback, refunds: Iterable[Refund], now: datetime
) -> Chargeback:
    """Add that the chargeback pays what was not sent of these, one after another. Returns it as
    that leaves it; Stale where one is being sent meanwhile."""
    for refund in (each for each in refunds if not each.may_arrive):
        if part := min(refund.left, opened.unmatched):
            taken = refund.taken_by_bank(part, now)
            transaction.add(refund_store.replace_refund(taken, refund.version))
            opened = opened.paying(refund.id, part)
    return opened


def wait_in(
    transaction: Transaction, opened: Chargeback, refunds: Iterable[Refund]
) -> list[Refund]:
    """Add that those which may be on their way are not sent anew beside what fits nothing. Returns
    them."""
    if not opened.unmatched:
        return []
    waiting = [each for each in refunds if each.may_arrive]
    transaction.add(*(refund_store.note(each.going_beside(opened.id)) for each in waiting))
    return waiting


def pay_failed_in(transaction: Transaction, failed: Refund, now: datetime) -> Refund:
    """Add that what fits nothing of the chargebacks beside a refund pays it, one after another, now
    that it has failed; what is won is nobody's any more to pay with. Returns the refund as that
    leaves it."""
    for beside in chargeback_store.get_chargebacks(failed.beside):
        part = min(failed.left, beside.unmatched)
        if part and beside.status != "won":
            paying = beside.paying(failed.id, part).changed()
            transaction.add(
                chargeback_store.replace_chargeback(paying),
                *ledger.post(_paid(beside, failed, part, now)),
            )
            failed = failed.taken_by_bank(part, now)
    return failed


def _paid(beside: Chargeback, failed: Refund, part: int, now: datetime) -> books.Entry:
    """Out of where what fits nothing is: lost, the platform has paid it."""
    is_lost = beside.status == "lost"
    out_of = books.PLATFORM_REVENUE if is_lost else books.UNMATCHED_CHARGEBACKS
    return books.entry(
        f"refund-charged-back:{failed.id}:{beside.id}",
        failed.currency,
        failed.order_id,
        now,
        {books.REFUNDS_IN_FLIGHT: part, out_of: -part},
    )
