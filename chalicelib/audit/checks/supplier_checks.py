"""What must hold of suppliers' deposits, and of the terms by which they are paid. Pure."""

from collections.abc import Iterator, Mapping, Sequence

from chalicelib.audit.checks.due_postings import Due, differing
from chalicelib.ledger import rules as books
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Entry
from chalicelib.parties.settlement_terms import SettlementTerms
from chalicelib.suppliers.rules import Deposit


def deposits(each: Deposit, entries: Mapping[str, Entry]) -> Iterator[Finding]:
    """What was received is held as a security, and what was returned or drawn no more."""
    due = [Due(each.entry_id, books.supplier_deposit(each.supplier_id), -each.held)]
    yield from differing("deposits", each.id, f"Deposit {each.id}, {each.kind},", due, entries)


def settlement_terms(
    present: SettlementTerms, versions: Sequence[SettlementTerms]
) -> Iterator[Finding]:
    """The terms in force are the last version, and each is kept as it was set."""
    last = versions[-1] if versions else SettlementTerms(present.supplier_id)
    if present != last:
        detail = (
            f"The terms that {present.supplier_id} is paid by, version {present.version}, are not "
            f"those that were set, version {last.version}."
        )
        yield Finding("settlement_terms", present.supplier_id, detail)
