"""Lines that may be what an earlier statement of those days has told: one of both has no id of the
bank's own and they say the same, or, in a file of another format, moved the same; or one is a part
of what the other is the whole of. Nobody can tell, so a person is told of both."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from chalicelib.reconciliation import claim_store, piece_store
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.line_names import LineName, line_names, not_among
from chalicelib.reconciliation.lines import Line
from chalicelib.reconciliation.once_more import Pair, Side, pairs
from chalicelib.reconciliation.rules import NumberedDifference, Reconciliation

# How many parts of a batch are told with what became of them.
FEW = 5


def told_before(
    made: Reconciliation, lines: Collection[Line], names: Mapping[int, LineName]
) -> dict[int, str]:
    """By number, which line of which statement it was, the first one, and what became of that.
    `names` has what is passed over as repeated as well."""
    left = {line.n for line in lines}
    passed_over = [name for n, name in names.items() if n not in left]
    # Of one that sums up fees, each statement has others.
    new = Side([line for line in lines if not line.is_sum], names)
    found = dict[int, str]()
    for before in _of_those_days(made):
        found |= _by(before, made, new, passed_over)
    return found


def _of_those_days(made: Reconciliation) -> Iterator[Reconciliation]:
    """The last one first."""
    account = reconciliations.get_account(made.account)
    if account is None or made.first > account.told_through:
        return
    for before in reconciliations.taken_before(made):
        if before.first <= made.last and made.first <= before.last:
            yield before


def _by(
    before: Reconciliation, made: Reconciliation, new: Side, passed_over: Collection[LineName]
) -> dict[int, str]:
    every = piece_store.lines(before.id)
    names = line_names(every, before.format)
    others = not_among(names, passed_over)
    told = Side([each for each in every if not each.is_sum and each.n in others], names)
    is_same_form = before.format == made.format
    found = list(pairs(new, told, with_words=is_same_form))
    became = _became(before, {n: names[n] for each in found for n in each.theirs})
    form = "" if is_same_form else before.format
    return {
        n: _said(each, before.id, form, [became[n] for n in each.theirs if n in became])
        for each in found
        if became.keys() & {*each.theirs}
        for n in each.ours
    }


def _said(pair: Pair, before_id: str, other_form: str, became: Sequence[str]) -> str:
    """Of a file of another format it names that."""
    first, last = pair.theirs[0], pair.theirs[-1]
    of = f"Line {first}" if first == last else f"Lines {first} to {last}"
    file = f", a {other_form} file," if other_form else ""
    more = [f"and {len(became) - FEW} more"] if len(became) > FEW else []
    says = {
        "same": "moved the same" if other_form else "says the same",
        "whole": "may be the whole of it",
        "parts": "may be its parts",
    }
    return f"{of} of {before_id}{file} {says[pair.are]} ({'; '.join([*became[:FEW], *more])})."


def _became(before: Reconciliation, names: Mapping[int, LineName]) -> dict[int, str]:
    """Of each line that was not left out there."""
    claims = claim_store.claims_of_lines(before.account, before.id, names)
    own = {n: claim for n, claim in claims.items() if claim.reconciliation_id == before.id}
    repeated = {n: f"repeated from {claims[n].reconciliation_id}" for n in claims.keys() - own}
    matched = {n: f"matched with {claim.by}" for n, claim in own.items() if ":" in claim.by}
    differences = _differences(before.id, own.keys() - matched)
    differing = {n: _became_of(n, each) for n, each in differences.items()}
    return repeated | matched | differing


def _became_of(n: int, difference: NumberedDifference) -> str:
    for each in difference.decided:
        if each.line == n:
            return f"matched with {each.entry_id}"
    resolved = f"resolved by {difference.resolution}" if difference.is_resolved else "unresolved"
    return f"{difference.kind}, {resolved}"


def _differences(before_id: str, wanted: Collection[int]) -> dict[int, NumberedDifference]:
    """By line."""
    if not wanted:
        return {}
    found = reconciliations.every_difference(before_id)
    return {n: each for each in found for n in each.lines if n in wanted}
