"""Lines that have no id of the bank's own, and say what one of an earlier statement of those days
has said: nobody can tell whether it is the same one again, so a person is told of both."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from chalicelib.reconciliation import claim_store, piece_store
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.line_names import LineName, line_names
from chalicelib.reconciliation.lines import Line
from chalicelib.reconciliation.rules import Reconciliation


def told_before(
    made: Reconciliation, lines: Collection[Line], names: Mapping[int, LineName]
) -> dict[int, str]:
    """By number, which line of which statement it was, the first one, and what became of that."""
    found: dict[int, str] = {}
    has_nameless = any(map(_is_nameless, lines))
    for before in _of_those_days(made) if has_nameless else ():
        their_lines = piece_store.lines(before.id)
        their_names = line_names(their_lines, before.format)
        is_same_form = before.format == made.format
        ours = _by_name(lines, names, with_words=is_same_form)
        theirs = _by_name(their_lines, their_names, with_words=is_same_form)
        both = {ours[name]: theirs[name] for name in ours.keys() & theirs.keys()}
        claims = claim_store.claims_of_lines(
            before.account, before.id, {n: their_names[n] for n in both.values()}
        )
        says = " says" if is_same_form else f", a {before.format} file, moved"
        found |= {
            n: f"Line {other} of {before.id}{says} the same ({claims[other].by})."
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


def _by_name(
    lines: Iterable[Line], names: Mapping[int, LineName], *, with_words: bool
) -> dict[tuple[str, int], int]:
    """By what each says, and which of those it is."""
    same, found = Counter[str](), {}
    for line in filter(_is_nameless, lines):
        said = names[line.n].says if with_words else names[line.n].moved
        same[said] += 1
        found[said, same[said]] = line.n
    return found


def _is_nameless(line: Line) -> bool:
    """Of one that sums up fees, each statement has others."""
    return not line.bank_ref and not line.is_sum
