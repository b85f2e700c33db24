"""Refunds and receipts, a page at a time, against what lies in flight and what has a case."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from chalicelib.audit import checks
from chalicelib.audit.at_rest import found_at_rest
from chalicelib.audit.rules import Amount, Looked
from chalicelib.audit.store import Page
from chalicelib.cases import store as cases
from chalicelib.cases.rules import CaseKind
from chalicelib.kernel import clock
from chalicelib.ledger import checks as own
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Entry
from chalicelib.payments import store as payments
from chalicelib.payments.rules import Receipt, Refund

PAYMENTS_A_STEP = 300


def look(page: Page) -> Looked:
    """Refunds against what lies in flight, and money that nobody was found for."""
    refunds, receipts, after = payments.scanned(page.audit.after, PAYMENTS_A_STEP)
    through = page.audit.through
    entries = ledger.get_entries(name for each in refunds for name in checks.entries_of(each))
    wrong = [each.id for each in refunds if any(_refund(each, entries))]
    found = [
        *(finding for name in wrong for finding in _again(name)),
        *(finding for each in refunds for finding in _overdue(each)),
        *(finding for each in receipts for finding in _unmatched(each, clock.now())),
    ]
    under_way = [
        Amount(each.currency, amount) for each in refunds if (amount := each.in_flight_at(through))
    ]
    if after is None:
        found += _in_flight(page, under_way)
    read = {"refunds": len(refunds), "receipts": len(receipts)}
    return Looked(read, found, after, under_way)


def _refund(refund: Refund, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    yield from checks.refunds_posted(refund, entries)
    yield from checks.refund_kept(refund, entries)


def _again(refund_id: str) -> list[Finding]:
    def read() -> tuple[int, Iterator[Finding]]:
        refund = payments.get_refund(refund_id)
        if refund is None:
            return 0, iter(())
        return refund.version, _refund(refund, ledger.get_entries(checks.entries_of(refund)))

    def version() -> int:
        refund = payments.get_refund(refund_id)
        return refund.version if refund else 0

    return found_at_rest(read, version)


def _overdue(refund: Refund) -> Iterator[Finding]:
    now = clock.now()
    if any(checks.refunds_overdue(refund, now, has_case=False)):
        kind: CaseKind = "refund_failed" if refund.status == "failed" else "refund_unconfirmed"
        case_id = cases.case_id(kind, refund.id, refund.occurrence)
        has_case = cases.get_case(case_id) is not None
        yield from checks.refunds_overdue(refund, now, has_case=has_case)


def _unmatched(receipt: Receipt, now: datetime) -> Iterator[Finding]:
    is_new = receipt.received_at + checks.GRACE > now
    if receipt.order_id or is_new:
        return
    if cases.get_case(cases.case_id("unmatched_receipt", receipt.id, "")) is None:
        yield checks.unmatched(receipt)


def _in_flight(page: Page, more: Sequence[Amount]) -> Iterator[Finding]:
    sums: dict[str, int] = {}
    for currency, amount in (*page.audit.in_flight, *more):
        sums[currency] = sums.get(currency, 0) + amount
    posted = {
        currency for currency, account in page.journal.books if account == books.REFUNDS_IN_FLIGHT
    }
    for currency in sorted({*sums, *posted}):
        yield from own.refunds_in_flight(currency, page.journal.books, sums.get(currency, 0))
