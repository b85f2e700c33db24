"""What must hold of reconciliations, their differences, and what was posted of these. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from chalicelib.cases.rules import Case
from chalicelib.ledger.checks import Finding
from chalicelib.reconciliation.rules import NumberedDifference, Reconciliation


def reconciliations(made: Reconciliation, found: Sequence[NumberedDifference]) -> Iterator[Finding]:
    """A reconciliation says what its differences say, and explains each of its lines once."""
    unresolved = sum(not each.is_resolved for each in found)
    if (made.differences, made.unresolved) != (len(found), unresolved):
        detail = (
            f"Reconciliation {made.id} has {made.differences} differences and {made.unresolved} "
            f"unresolved ones, and there are {len(found)} and {unresolved}."
        )
        yield Finding("reconciliations", made.id, detail)
    explained = made.matched + made.repeated + sum(len(each.open_lines) for each in found)
    if made.is_done and explained != made.lines:
        detail = f"Reconciliation {made.id} explains {explained} of {made.lines} lines."
        yield Finding("reconciliations", made.id, detail)


def reconciled(
    each: NumberedDifference, cases: Mapping[str, Case], posted: Collection[str]
) -> Iterator[Finding]:
    """A difference has its case, which stands as it does, and the entries that it has posted, and
    those by which what was wrong is taken back."""
    subject = f"{each.reconciliation_id}/{each.n}"
    what = f"Difference {each.n} of {each.reconciliation_id}"
    case = cases.get(each.case_id)
    if case is None or (each.is_resolved and case.status != "resolved"):
        yield Finding("reconciled", subject, f"{what} has no case that stands so.")
    for entry_id in (*each.ever_posted, *each.ever_undone):
        if entry_id not in posted:
            yield Finding("reconciled", subject, f"{what} has not posted {entry_id}.")
