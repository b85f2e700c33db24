"""Reconciliations, a page at a time: what they say of their differences, and what was done."""

from collections.abc import Iterator
from typing import Any

from chalicelib.audit import of_items
from chalicelib.audit.at_rest import found_at_rest
from chalicelib.audit.checks import reconciliation_checks
from chalicelib.audit.rules import Looked
from chalicelib.audit.store import Page
from chalicelib.cases import store as cases
from chalicelib.ledger import store as ledger
from chalicelib.ledger.checks import Finding
from chalicelib.platform.pages import PageRequest
from chalicelib.reconciliation import store as kept
from chalicelib.reconciliation.rules import NumberedDifference, Reconciliation

RECONCILIATIONS_A_STEP, DIFFERENCES_A_READ = 20, 500


def look(page: Page) -> Looked:
    """Every reconciliation, the last first."""
    some = kept.reconciliations(PageRequest("audit", RECONCILIATIONS_A_STEP, page.audit.after))
    found = [finding for made in some.items for finding in _reconciliation(made.id)]
    return Looked({"reconciliations": len(some.items)}, found, some.next_after)


def _reconciliation(reconciliation_id: str) -> list[Finding]:
    def read() -> tuple[Any, Iterator[Finding]]:
        made = kept.get_reconciliation(reconciliation_id)
        return made, _findings(made) if made else iter(())

    return found_at_rest(read, lambda: kept.get_reconciliation(reconciliation_id))


def _findings(made: Reconciliation) -> Iterator[Finding]:
    found = list(_differences(made.id))
    of_cases = cases.get_cases({each.case_id for each in found})
    posted = ledger.posted(
        {entry_id for each in found for entry_id in (*each.ever_posted, *each.ever_undone)}
    )
    yield from reconciliation_checks.reconciliations(made, found)
    for each in found:
        yield from reconciliation_checks.reconciled(each, of_cases, posted)
    yield from of_items.look_at(posted)


def _differences(reconciliation_id: str) -> Iterator[NumberedDifference]:
    page = PageRequest("audit", DIFFERENCES_A_READ)
    while True:
        some = kept.differences(reconciliation_id, page)
        yield from some.items
        if some.next_after is None:
            return
        page = PageRequest("audit", DIFFERENCES_A_READ, some.next_after)
