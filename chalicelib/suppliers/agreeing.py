"""Agreeing with a supplier by what it is paid and what it pays."""

from chalicelib.catalogue import on_sale
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.parties import service as suppliers
from chalicelib.parties import store as parties
from chalicelib.parties.settlement_terms import SettlementTerms
from chalicelib.platform.pages import Page, PageRequest, paged
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import write


@retry_stale
def agree(wanted: SettlementTerms, caller: Caller) -> SettlementTerms:
    """Let lines that are placed from now on have these terms; those placed before keep theirs.

    Raises NotFound.
    """
    before, now = _terms_of(wanted.supplier_id), clock.now()
    if before.version and wanted.says_the_same(before):
        return before
    today = clock.business_date(now, settings().zone)
    after = wanted.following(before, now, today, caller.id)
    write(*parties.set_settlement_terms(after))
    on_sale.forget_supplier(after.supplier_id)
    return after


def terms_for(supplier_id: str, caller: Caller) -> SettlementTerms:
    """What the supplier is paid by and pays now. Raises NotFound."""
    caller.must_be("supplier", supplier_id, "supplier")
    return _terms_of(supplier_id)


def versions_for(supplier_id: str, caller: Caller, page: PageRequest) -> Page[SettlementTerms]:
    """All its terms that there ever were, the newest first."""
    caller.must_be("supplier", supplier_id, "supplier")
    suppliers.supplier(supplier_id)
    return paged(parties.settlement_terms_versions(supplier_id)[::-1], page)


def _terms_of(supplier_id: str) -> SettlementTerms:
    suppliers.supplier(supplier_id)
    return parties.settlement_terms_of([supplier_id])[supplier_id]
