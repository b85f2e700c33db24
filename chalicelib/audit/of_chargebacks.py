"""Some chargebacks, against their refunds and the entries and lines that tell of them."""

from collections.abc import Iterable, Iterator

from chalicelib.audit.at_rest import found_at_rest
from chalicelib.audit.checks import chargeback_checks
from chalicelib.audit.checks.chargeback_checks import Named
from chalicelib.ledger import store as ledger
from chalicelib.ledger.checks import Finding
from chalicelib.ordering import store as ordering
from chalicelib.payments import chargeback_store, refund_store
from chalicelib.payments import store as payments
from chalicelib.payments.rules import Chargeback, Refund, receipt_id
from chalicelib.settlement import store as settlement


def findings(some: Iterable[Chargeback]) -> list[Finding]:
    return [finding for each in some for finding in _chargeback(each.id)]


def _chargeback(chargeback_id: str) -> list[Finding]:
    def read() -> tuple[int, Iterator[Finding]]:
        found = chargeback_store.get_chargeback(chargeback_id)
        return (found.version, _wrong_with(found)) if found else (0, iter(()))

    def version() -> int:
        found = chargeback_store.get_chargeback(chargeback_id)
        return found.version if found else 0

    return found_at_rest(read, version)


def _wrong_with(of: Chargeback) -> Iterator[Finding]:
    named = _named(of)
    yield from chargeback_checks.chargebacks(of, named)
    yield from chargeback_checks.chargebacks_twice(of, named)
    yield from chargeback_checks.chargeback_lines(of, named)


def _named(of: Chargeback) -> Named:
    entries = ledger.get_entries(chargeback_checks.entry_ids(of))
    of_charge = _of_charge(of) if chargeback_checks.has_more_to_pay(of) else ()
    if of.refund_id is None:
        return Named(None, entries, of_charge=of_charge)
    leaders = sorted(chargeback_checks.borne_by_leader(of, entries))
    taken = settlement.taken(leaders, of.refund_id)
    return Named(refund_store.get_refund(of.refund_id), entries, taken, of_charge)


def _of_charge(of: Chargeback) -> list[Refund]:
    """The refunds that go back from its charge."""
    receipt = payments.get_receipt(of.provider, of.charge)
    if receipt is None or receipt.currency != of.currency:
        return []
    order = ordering.get_order(receipt.order_id) if receipt.order_id else None
    refund_ids = [receipt.refund_id, *(order.refunds if order else ())]
    found = refund_store.get_refunds(refund_ids)
    return [each for each in found if receipt_id(each.provider, each.receipt) == receipt.id]
