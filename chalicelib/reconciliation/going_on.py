"""Takes a reconciliation through: a day of the books at a time, then all of them against the lines,
then what was found, a page at a time.

Each step is written on condition of the reconciliation's version, and a page in one transaction
with all that it claims, so that one that is taken twice counts once. A worker that dies leaves its
message, which comes again.
"""

from collections.abc import Mapping, Sequence

from chalicelib.cases import service as cases
from chalicelib.cases import store as case_store
from chalicelib.cases.rules import CaseKind
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.platform import queues
from chalicelib.platform.log import logger, metric
from chalicelib.platform.transaction import Transaction, write
from chalicelib.reconciliation import gathering, rules
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.lines import Booked, Line, line_claims, with_own_fees
from chalicelib.reconciliation.matching import Matcher, balance_differences
from chalicelib.reconciliation.rules import (
    Difference,
    Match,
    NumberedDifference,
    Outcome,
    Reconciliation,
)

STEPS_A_MESSAGE = 20
CASE: CaseKind = "reconciliation_difference"


def go_on(reconciliation_id: str) -> None:
    """Take the next steps, and ask for those after them."""
    lines: dict[int, Line] = {}
    for _ in range(STEPS_A_MESSAGE):
        made = reconciliations.get_reconciliation(reconciliation_id)
        if made is None or made.is_done:
            return
        lines = lines or {line.n: line for line in reconciliations.lines(made.id)}
        try:
            _take_step(made, lines)
        except Stale:
            logger.info("the step was taken meanwhile")
    queues.send(queues.RECONCILE, [{"subject": reconciliation_id}])


def _take_step(made: Reconciliation, lines: Mapping[int, Line]) -> None:
    match made.status:
        case "gathering":
            _gather(made)
        case "matching":
            _match(made, list(lines.values()))
        case _:
            _write_page(made, lines)


def _gather(made: Reconciliation) -> None:
    days = made.days
    reconciliations.keep_booked(made.id, made.step, gathering.of_day(days[made.step]))
    is_last = made.step + 1 == len(days)
    after = made.after(status="matching", step=0) if is_last else made.after(step=made.step + 1)
    write(reconciliations.replace_reconciliation(after))


def _match(made: Reconciliation, lines: Sequence[Line]) -> None:
    repeated = _repeated(made, lines)
    left = with_own_fees([line for line in lines if line.n not in repeated])
    carried = gathering.carried(made)
    booked = _each_once([*reconciliations.booked(made.id, len(made.days)), *carried])
    booked = _each_once([*booked, *gathering.named(left, booked)])
    found = Matcher(
        made.account,
        left,
        booked,
        (made.first, made.last),
        made.transit_from,
        gathering.sent(left),
        {each.entry_id for each in carried},
    ).run()
    totals = {each.currency: each.amount for each in made.totals}
    outcomes = [*found.outcomes, *balance_differences(lines, totals)]
    pages = reconciliations.keep_outcomes(made.id, rules.pages(outcomes))
    days = {each.entry_id: each.day for each in booked}
    in_transit = {entry_id: days[entry_id] for entry_id in found.in_transit}
    reconciliations.leave_in_transit(made.account, in_transit)
    after = made.after(
        status="writing",
        step=0,
        pages=pages,
        in_transit=len(in_transit),
        repeated=len(lines) - len(left),
    )
    write(reconciliations.replace_reconciliation(after if pages else _done(after)))


def _repeated(made: Reconciliation, lines: Sequence[Line]) -> set[int]:
    """Lines that another statement had, by the bank's own ids of them."""
    claims = line_claims(lines)
    taken = reconciliations.claimed_lines(made.account, claims.values())
    return {n for n, ref in claims.items() if ref in taken}


def _each_once(booked: Sequence[Booked]) -> list[Booked]:
    return list({each.name: each for each in booked}.values())


def _write_page(made: Reconciliation, lines: Mapping[int, Line]) -> None:
    found = reconciliations.outcomes(made.id, made.step)
    gone, repeated = _taken_meanwhile(made, found, lines)
    outcomes = [
        outcome
        for each in found
        if (outcome := rules.still_true(each, gone, repeated, lines)) is not None
    ]
    matches = [each for each in outcomes if isinstance(each, Match)]
    differences = [each for each in outcomes if isinstance(each, Difference)]
    after = made.after(
        step=made.step + 1,
        matched=made.matched + len(matches),
        differences=made.differences + len(differences),
        unresolved=made.unresolved + len(differences),
        repeated=made.repeated + len(repeated),
        kinds=rules.counted(made.kinds, differences),
    )
    transaction = Transaction()
    transaction.add(
        reconciliations.replace_reconciliation(_done(after) if after.step == after.pages else after)
    )
    claims = line_claims(lines.values())
    for each in matches:
        _claim(transaction, made, each, claims)
    for n, difference in enumerate(differences, made.differences + 1):
        _claim(transaction, made, difference, claims)
        _add_difference(transaction, made, n, difference)
    transaction.commit()
    if after.step == after.pages:
        metric("Reconciliations")


def _taken_meanwhile(
    made: Reconciliation, found: Sequence[Outcome], lines: Mapping[int, Line]
) -> tuple[set[str], set[int]]:
    """Entries and lines of a page that another statement has taken since they were looked at."""
    entries = [each for outcome in found for each in _entries_of(made, outcome)]
    gone = {entry_id for _, entry_id in reconciliations.claimed_entries(entries)}
    claims = line_claims(lines.values())
    refs = {claims[n]: n for outcome in found for n in _lines_of(outcome) if claims[n]}
    taken = reconciliations.claimed_lines(made.account, refs)
    return gone, {refs[ref] for ref in taken}


def _claim(
    transaction: Transaction, made: Reconciliation, outcome: Outcome, claims: Mapping[int, str]
) -> None:
    by = outcome.entry_id if isinstance(outcome, Match) else outcome.kind
    transaction.add(
        *(
            reconciliations.claim_line(made.account, claims[n], made.id, n, by)
            for n in _lines_of(outcome)
        )
    )
    # What is missing may come yet.
    if isinstance(outcome, Match) or outcome.kind != "missing":
        for account, entry_id in _entries_of(made, outcome):
            transaction.add(reconciliations.claim_entry(account, entry_id, made.id, by))


def _add_difference(
    transaction: Transaction, made: Reconciliation, n: int, difference: Difference
) -> None:
    case_id = case_store.case_id(CASE, made.id, str(n))
    numbered = NumberedDifference(n, made.id, difference, case_id, made.made_by, version=1)
    transaction.add(reconciliations.add_difference(numbered))
    detail = f"{difference.kind}, difference {n} of {made.account}: {difference.detail}"
    cases.open_in(transaction, CASE, made.id, detail, occurrence=str(n))


def _entries_of(made: Reconciliation, outcome: Outcome) -> list[tuple[str, str]]:
    if isinstance(outcome, Match):
        return [(made.account, outcome.entry_id)]
    return [(outcome.account or made.account, each) for each in outcome.entries]


def _lines_of(outcome: Outcome) -> tuple[int, ...]:
    return (outcome.line,) if isinstance(outcome, Match) else outcome.lines


def _done(made: Reconciliation) -> Reconciliation:
    return Reconciliation(**vars(made) | {"status": "done", "done_at": clock.now()})
