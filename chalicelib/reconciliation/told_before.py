"""Lines that have no id of the bank's own, and say what one of an earlier statement of those days
has said: nobody can tell whether it is the same one again, so a person is told of both."""

from collections.abc import Iterable, Iterator, Mapping

from chalicelib.reconciliation import claim_store, piece_store
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.line_names import LineName, line_names
from chalicelib.reconciliation.lines import Line
from chalicelib.reconciliation.rules import Reconciliation


def told_before(
    made: Reconciliation, lines: Iterable[Line], names: Mapping[int, LineName]
) -> dict[int, str]:
    """By number, which line of which statement it was, the first one, and what became of that."""
    nameless = _by_name(lines, names)
    found: dict[int, str] = {}
    for before in _of_those_days(made) if nameless else ():
        their_lines = piece_store.lines(before.id)
        their_names = line_names(their_lines, before.format)
        theirs = _by_name(their_lines, their_names)
        both = {nameless[name]: theirs[name] for name in nameless.keys() & theirs.keys()}
        claims = claim_store.claims_of_lines(
            before.account, before.id, {n: their_names[n] for n in both.values()}
        )
        found |= {
            n: f"Line {other} of {before.id} says the same ({claims[other].by})."
            for n, other in both.items()
            if other in claims
        }
    return found


def _of_those_days(made: Reconciliation) -> Iterator[Reconciliation]:
    """The last one first."""
    account = reconciliations.get_account(made.account)
    if account is None or made.first > account.told_through:
        return
    for before in reconciliations.taken_before(made):
        if before.first <= made.last and made.first <= before.last:
            yield before


def _by_name(lines: Iterable[Line], names: Mapping[int, LineName]) -> dict[LineName, int]:
    """Of one that sums up fees, each statement has others."""
    return {
        names[line.n]._replace(is_first=False): line.n
        for line in lines
        if not line.bank_ref and not line.is_sum
    }
