"""Lines that may be what an earlier statement of those days has told: one of both has no id of the
bank's own and they say the same, or, in a file of another format, moved the same; or one is a part
of what the other is the whole of. Nobody can tell, so a person is told of both."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from chalicelib.reconciliation import claim_store, piece_store
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.claim_store import ClaimRow
from chalicelib.reconciliation.line_names import LineName, line_names
from chalicelib.reconciliation.lines import Line
from chalicelib.reconciliation.rules import Reconciliation


def told_before(
    made: Reconciliation, lines: Iterable[Line], names: Mapping[int, LineName]
) -> dict[int, str]:
    """By number, which line of which statement it was, the first one, and what became of that."""
    # Of one that sums up fees, each statement has others.
    new = [line for line in lines if not line.is_sum]
    of_those_days = list(_of_those_days(made))
    is_of_one_form = all(before.format == made.format for before in of_those_days)
    found = {} if is_of_one_form else _of_batches(made, new)
    for before in of_those_days:
        found |= _by(before, made, new, names)
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
    before: Reconciliation,
    made: Reconciliation,
    new: Collection[Line],
    names: Mapping[int, LineName],
) -> dict[int, str]:
    every = piece_store.lines(before.id)
    their_names = line_names(every, before.format)
    known_again = {each.ref for each in names.values() if each.ref}
    told = [each for each in every if not each.is_sum and each.bank_ref not in known_again]
    is_same_form = before.format == made.format
    # Where both have an id of the bank's own, that says whether they are one.
    with_an_id_in_one = (
        ([each for each in new if each.bank_ref], [each for each in told if not each.bank_ref]),
        ([each for each in new if not each.bank_ref], told),
    )
    both = dict[int, int]()
    for some, others in with_an_id_in_one:
        ours = _by_name(some, names, with_words=is_same_form)
        theirs = _by_name(others, their_names, with_words=is_same_form)
        both |= {ours[name]: theirs[name] for name in ours.keys() & theirs.keys()}
    claims = claim_store.claims_of_lines(
        before.account, before.id, {n: their_names[n] for n in both.values()}
    )
    says = " says" if is_same_form else f", a {before.format} file, moved"
    return {
        n: f"Line {other} of {before.id}{says} the same ({claims[other].by})."
        for n, other in both.items()
        if other in claims
    }


def _by_name(
    lines: Iterable[Line], names: Mapping[int, LineName], *, with_words: bool
) -> dict[tuple[str, int], int]:
    """By what each says, and which of those it is."""
    same, found = Counter[str](), {}
    for line in lines:
        said = names[line.n].says if with_words else names[line.n].moved
        same[said] += 1
        found[said, same[said]] = line.n
    return found


def _of_batches(made: Reconciliation, new: Iterable[Line]) -> dict[int, str]:
    """Parts of a batch have its id with a number behind it; a file of another format may tell it as
    one line."""
    refs = {line.n: line.bank_ref for line in new if line.bank_ref}
    wholes = {n: ref.rpartition("/")[0] for n, ref in refs.items() if "/" in ref}
    parts = {n: f"{ref}/1" for n, ref in refs.items()}
    found = dict[int, str]()
    for others, is_what in ((parts, "a part of it"), (wholes, "the whole of it")):
        for n, claim in claim_store.claimed_refs(made.account, others).items():
            if claim.form not in (None, made.format):
                found[n] = _may_be(claim, others[n], is_what)
    return found


def _may_be(claim: ClaimRow, ref: str, is_what: str) -> str:
    of = f"{claim.reconciliation_id}, a {claim.form} file"
    return f"Line {ref} of {of}, may be {is_what} ({claim.by})."
