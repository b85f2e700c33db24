"""What moves with customers and leaders, a page at a time: refunds, receipts, chargebacks and
remittances, against their entries and cases."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from chalicelib.audit import of_chargebacks, of_items
from chalicelib.audit.at_rest import found_at_rest
from chalicelib.audit.checks import receipt_checks, refund_checks, remittance_checks
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
from chalicelib.payments import refund_store, remittance_store, scanning
from chalicelib.payments.rules import Receipt, Refund, Remittance

PAYMENTS_A_STEP = 300


def look(page: Page) -> Looked:
    """Each of them by itself, and behind the last one what lies in flight of all refunds."""
    some = scanning.scanned(page.audit.after, PAYMENTS_A_STEP)
    found = [
        *_refunds(some.refunds),
        *_receipts(some.receipts),
        *of_chargebacks.findings(some.chargebacks),
        *_remittances(some.remittances),
    ]
    under_way = _under_way(some.refunds, page.audit.through)
    if some.next_after is None:
        found += _in_flight(page, under_way)
    read = {
        "refunds": len(some.refunds),
        "receipts": len(some.receipts),
        "chargebacks": len(some.chargebacks),
        "remittances": len(some.remittances),
    }
    return Looked(read, found, some.next_after, under_way)


def _refunds(some: Sequence[Refund]) -> Iterator[Finding]:
    entries = ledger.get_entries(n for each in some for n in refund_checks.entries_of(each))
    for each in some:
        if any(_refund(each, entries)):
            yield from _again(each.id)
        yield from _overdue(each)


def _refund(refund: Refund, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    yield from refund_checks.refunds_posted(refund, entries)
    yield from refund_checks.refund_kept(refund, entries)


def _again(refund_id: str) -> list[Finding]:
    def read() -> tuple[int, Iterator[Finding]]:
        refund = refund_store.get_refund(refund_id)
        if refund is None:
            return 0, iter(())
        entries = ledger.get_entries(refund_checks.entries_of(refund))
        return refund.version, _refund(refund, entries)

    def version() -> int:
        refund = refund_store.get_refund(refund_id)
        return refund.version if refund else 0

    return found_at_rest(read, version)


def _overdue(refund: Refund) -> Iterator[Finding]:
    now = clock.now()
    if any(refund_checks.refunds_overdue(refund, now, has_case=False)):
        kind: CaseKind = "refund_failed" if refund.status == "failed" else "refund_unconfirmed"
        case_id = cases.case_id(kind, refund.id, refund.occurrence)
        has_case = cases.get_case(case_id) is not None
        yield from refund_checks.refunds_overdue(refund, now, has_case=has_case)


def _receipts(some: Sequence[Receipt]) -> Iterator[Finding]:
    """A receipt never changes, and was written with its entry."""
    entries = ledger.get_entries(receipt_checks.entry_id(each) for each in some)
    for each in some:
        yield from receipt_checks.receipts_posted(each, entries)
        yield from _unmatched(each, clock.now())
    yield from of_items.look_at([f"receipt:{each.id}" for each in some if each.order_id is None])


def _unmatched(receipt: Receipt, now: datetime) -> Iterator[Finding]:
    is_new = receipt.received_at + refund_checks.GRACE > now
    if receipt.order_id or is_new:
        return
    if cases.get_case(cases.case_id("unmatched_receipt", receipt.id, "")) is None:
        yield receipt_checks.unmatched(receipt)


def _remittances(some: Sequence[Remittance]) -> Iterator[Finding]:
    entries = ledger.get_entries(n for each in some for n in remittance_checks.entry_ids(each))
    for each in some:
        if any(remittance_checks.remittances(each, entries)):
            yield from _remittance(each.id)


def _remittance(remittance_id: str) -> list[Finding]:
    """Again, where it was not reversed meanwhile."""

    def read() -> tuple[Remittance | None, Iterator[Finding]]:
        made = remittance_store.get_remittance(remittance_id)
        if made is None:
            return None, iter(())
        entries = ledger.get_entries(remittance_checks.entry_ids(made))
        return made, remittance_checks.remittances(made, entries)

    return found_at_rest(read, lambda: remittance_store.get_remittance(remittance_id))


def _under_way(refunds: Sequence[Refund], through: datetime) -> list[Amount]:
    return [
        Amount(each.currency, amount) for each in refunds if (amount := each.in_flight_at(through))
    ]


def _in_flight(page: Page, more: Sequence[Amount]) -> Iterator[Finding]:
    sums: dict[str, int] = {}
    for currency, amount in (*page.audit.in_flight, *more):
        sums[currency] = sums.get(currency, 0) + amount
    posted = {
        currency for currency, account in page.journal.books if account == books.REFUNDS_IN_FLIGHT
    }
    for currency in sorted({*sums, *posted}):
        yield from own.refunds_in_flight(currency, page.journal.books, sums.get(currency, 0))
