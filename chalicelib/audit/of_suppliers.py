"""Suppliers, a page at a time: their deposits, what they have transferred, and their terms."""

from collections.abc import Iterator
from typing import Any

from chalicelib.audit.at_rest import found_at_rest
from chalicelib.audit.checks import remittance_checks, supplier_checks
from chalicelib.audit.rules import Looked
from chalicelib.audit.store import Page
from chalicelib.ledger import store as ledger
from chalicelib.ledger.checks import Finding
from chalicelib.parties import store as parties
from chalicelib.suppliers import store as suppliers
from chalicelib.suppliers.remittances import SupplierRemittance
from chalicelib.suppliers.rules import Deposit

SUPPLIERS_A_STEP = 100


def look(page: Page) -> Looked:
    """Every supplier, of which there are few deposits and transfers of any."""
    names = parties.supplier_ids_after(page.audit.after, SUPPLIERS_A_STEP)
    found, read = list[Finding](), {"deposits": 0, "remittances": 0}
    for name in names:
        deposits, transferred = suppliers.deposits_of(name), suppliers.remittances_of(name)
        found += [*_deposits(deposits), *_transferred(name, transferred), *_terms(name)]
        read["deposits"] += len(deposits)
        read["remittances"] += len(transferred)
    return Looked(read, found, names[-1] if len(names) == SUPPLIERS_A_STEP else None)


def _deposits(made: list[Deposit]) -> Iterator[Finding]:
    """A deposit never changes, and was written with its entry."""
    entries = ledger.get_entries(each.entry_id for each in made)
    for each in made:
        yield from supplier_checks.deposits(each, entries)


def _transferred(supplier_id: str, made: list[SupplierRemittance]) -> list[Finding]:
    if not any(_remittances(made)):
        return []

    def read() -> tuple[Any, Iterator[Finding]]:
        again = suppliers.remittances_of(supplier_id)
        return again, _remittances(again)

    return found_at_rest(read, lambda: suppliers.remittances_of(supplier_id))


def _remittances(made: list[SupplierRemittance]) -> Iterator[Finding]:
    entries = ledger.get_entries(n for each in made for n in remittance_checks.entry_ids(each))
    for each in made:
        yield from remittance_checks.remittances(each, entries)


def _terms(supplier_id: str) -> list[Finding]:
    def read() -> tuple[Any, Iterator[Finding]]:
        present = parties.settlement_terms_of([supplier_id])[supplier_id]
        versions = parties.settlement_terms_versions(supplier_id)
        return present, supplier_checks.settlement_terms(present, versions)

    return found_at_rest(read, lambda: parties.settlement_terms_of([supplier_id])[supplier_id])
