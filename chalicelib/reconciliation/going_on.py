"""Takes a reconciliation through: a day of the books at a time, then all of them against the lines,
then what was found, a page at a time. Those of one account go one after the other, since each looks
at what the one before it has left.

Each step is written on condition of the reconciliation's version, and a page in one transaction
with all that it claims, so that one that is taken twice counts once. A worker that dies leaves its
message, which comes again.
"""

from collections.abc import Mapping, Sequence

from chalicelib.cases import service as cases
from chalicelib.cases import store as case_store
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.ledger.service import SETTLED_AFTER
from chalicelib.platform import queues
from chalicelib.platform.log import logger, metric
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Transaction, write
from chalicelib.reconciliation import claim_store, gathering, piece_store, rules, turning_up
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.accounts import gap, look_from, reached
from chalicelib.reconciliation.claim_store import LineClaim
from chalicelib.reconciliation.line_names import LineName, line_names, with_known_ids
from chalicelib.reconciliation.lines import Booked, Line, with_own_fees
from chalicelib.reconciliation.matching import Matcher, balance_differences
from chalicelib.reconciliation.rules import (
    CASE,
    Difference,
    Found,
    InTransit,
    Match,
    NumberedDifference,
    Outcome,
    Reconciliation,
)
from chalicelib.reconciliation.told_before import told_before

STEPS_A_MESSAGE = 20


def go_on(reconciliation_id: str) -> None:
    """Take the next steps, and ask for those after them."""
    lines: dict[int, Line] = {}
    names: dict[int, LineName] = {}
    for _ in range(STEPS_A_MESSAGE):
        made = reconciliations.get_reconciliation(reconciliation_id)
        if made is None or _must_wait(made):
            return
        if made.is_done:
            _go_on_behind(made)
            return
        lines = lines or {line.n: line for line in piece_store.lines(made.id)}
        names = names or line_names(lines.values(), made.format)
        try:
            _take_step(made, lines, names)
        except Stale:
            logger.info("the step was taken meanwhile")
    queues.send(queues.RECONCILE, [{"subject": reconciliation_id}])


def _must_wait(made: Reconciliation) -> bool:
    """Until the one before it is done, which asks for this one then."""
    before = reconciliations.get_reconciliation(made.behind) if made.behind else None
    return before is not None and not before.is_done


def _go_on_behind(made: Reconciliation) -> None:
    behind = reconciliations.taken_behind(made.id)
    waiting = reconciliations.get_reconciliation(behind) if behind else None
    if waiting and not waiting.is_done:
        queues.send(queues.RECONCILE, [{"subject": waiting.id}])


def _take_step(
    made: Reconciliation, lines: Mapping[int, Line], names: Mapping[int, LineName]
) -> None:
    match made.status:
        case "gathering":
            _gather(made)
        case "matching":
            _match(made, list(lines.values()), names)
        case _ if made.step < made.pages:
            _write_page(made, lines, names)
        case _:
            _finish(made)


def _gather(made: Reconciliation) -> None:
    days = made.days
    piece_store.keep_booked(made.id, made.step, gathering.of_day(days[made.step]))
    is_last = made.step + 1 == len(days)
    after = made.after(status="matching", step=0) if is_last else made.after(step=made.step + 1)
    write(reconciliations.replace_reconciliation(after))


def _match(made: Reconciliation, lines: Sequence[Line], names: Mapping[int, LineName]) -> None:
    claimed = claim_store.claimed_lines(made.account, names)
    repeated = {n for n, each in claimed.items() if each.is_same}
    left = with_own_fees([line for line in lines if line.n not in repeated])
    left = gathering.with_chargebacks(left, made.account)
    account = reconciliations.get_account(made.account)
    # Before the entries: what is told in between has its entry among them.
    sent = gathering.sent(left, made.account)
    carried = gathering.carried(made.account)
    booked = _each_once([*piece_store.booked(made.id, len(made.days)), *carried])
    booked = _each_once([*booked, *gathering.named(left, booked)])
    found = Matcher(
        made.account,
        left,
        booked,
        (look_from(account, made.first), made.last),
        made.transit_from,
        sent,
        with_known_ids(names, claimed),
        told_before(made, left, names),
    ).run()
    totals = {each.currency: each.amount for each in made.totals}
    missed = gap(account, made)
    outcomes = [
        *found.outcomes,
        *balance_differences(lines, totals),
        *((missed,) if missed else ()),
    ]
    piece_store.keep_in_transit(made.id, _in_transit(made, booked, found))
    pages = piece_store.keep_outcomes(made.id, rules.pages(outcomes))
    after = made.after(
        status="writing",
        step=0,
        pages=pages,
        in_transit=len(found.in_transit),
        repeated=len(lines) - len(left),
    )
    write(reconciliations.replace_reconciliation(after))


def _in_transit(made: Reconciliation, booked: Sequence[Booked], found: Found) -> list[InTransit]:
    of = {each.entry_id: each for each in booked if each.account == made.account}
    entries = (of[entry_id] for entry_id in found.in_transit)
    return [InTransit(each.entry_id, each.day, each.currency, each.amount) for each in entries]


def _each_once(booked: Sequence[Booked]) -> list[Booked]:
    return list({each.name: each for each in booked}.values())


def _write_page(
    made: Reconciliation, lines: Mapping[int, Line], names: Mapping[int, LineName]
) -> None:
    page = piece_store.outcomes(made.id, made.step)
    of_page = {n: names[n] for outcome in page for n in _lines_of(outcome)}
    claimed = claim_store.claimed_lines(made.account, of_page)
    found = _still_true(made, page, lines, claimed)
    after = made.after(
        step=made.step + 1,
        matched=made.matched + len(found.matches),
        differences=made.differences + len(found.differences),
        unresolved=made.unresolved + len(found.differences),
        repeated=made.repeated + found.repeated,
        kinds=rules.counted(made.kinds, found.differences),
    )
    transaction = Transaction()
    transaction.add(reconciliations.replace_reconciliation(after))
    for match in found.matches:
        _claim(transaction, made, match, names, claimed)
    for n, difference in enumerate(found.differences, made.differences + 1):
        _claim(transaction, made, difference, names, claimed)
        _add_difference(transaction, made, n, difference)
    transaction.commit()


def _finish(made: Reconciliation) -> None:
    account = reconciliations.get_account(made.account)
    _leave_the_rest(made, look_from(account, made.first))
    turning_up.let_go_of_all_claimed(made.account)
    done = made.after(status="done", done_at=clock.now())
    write(
        reconciliations.replace_reconciliation(done),
        reconciliations.replace_account(reached(account, made, _settled(made))),
    )
    metric("Reconciliations")


def _leave_the_rest(made: Reconciliation, first: str) -> None:
    """Leave whatever is claimed by nothing to the statements to come: what is in transit, and what
    was dropped with an outcome that was not true any more."""
    due = [
        each.name
        for each in piece_store.booked(made.id, len(made.days))
        if each.account == made.account and first <= each.day <= made.last
    ]
    claimed = claim_store.claimed_entries(due)
    claim_store.leave(made.account, [each[1] for each in due if each not in claimed])


def _settled(made: Reconciliation) -> str:
    """The last day that was over so long before it was taken that nothing more is posted then."""
    on = clock.business_date(made.made_at - SETTLED_AFTER, settings().zone)
    return clock.day_before(on).isoformat()


def _still_true(
    made: Reconciliation,
    found: Sequence[Outcome],
    lines: Mapping[int, Line],
    claimed: Mapping[int, LineClaim],
) -> Found:
    """What of a page no other statement has taken since it was looked at."""
    entries = [each for outcome in found for each in _entries_of(made, outcome)]
    gone = {entry_id for _, entry_id in claim_store.claimed_entries(entries)}
    repeated = {n for n, each in claimed.items() if each.is_same}
    outcomes = (rules.still_true(each, gone, repeated, lines) for each in found)
    return Found(tuple(each for each in outcomes if each is not None), repeated=len(repeated))


def _claim(
    transaction: Transaction,
    made: Reconciliation,
    outcome: Outcome,
    names: Mapping[int, LineName],
    claimed: Mapping[int, LineClaim],
) -> None:
    by = outcome.entry_id if isinstance(outcome, Match) else outcome.kind
    for n in _lines_of(outcome):
        transaction.add(
            claim_store.claim_line(made.account, names[n], made.id, n, by, is_reused=n in claimed)
        )
    # What is missing may come yet, and what another account has may be in its own statement.
    if isinstance(outcome, Match) or outcome.kind not in ("missing", "wrong_account"):
        for account, entry_id in _entries_of(made, outcome):
            transaction.add(claim_store.claim_entry(account, entry_id, made.id, by))


def _add_difference(
    transaction: Transaction, made: Reconciliation, n: int, difference: Difference
) -> None:
    case_id = case_store.case_id(CASE, made.id, str(n))
    numbered = NumberedDifference(n, made.id, difference, case_id, made.made_by, version=1)
    transaction.add(reconciliations.add_difference(numbered))
    if difference.kind == "missing":
        (entry_id,) = difference.entries
        transaction.add(claim_store.leave_missing(made.account, entry_id, made.id, n))
    detail = f"{difference.kind}, difference {n} of {made.account}: {difference.detail}"
    cases.open_in(transaction, CASE, made.id, detail, occurrence=str(n))


def _entries_of(made: Reconciliation, outcome: Outcome) -> list[tuple[str, str]]:
    if isinstance(outcome, Match):
        return [(made.account, outcome.entry_id)]
    return [(outcome.account or made.account, each) for each in outcome.entries]


def _lines_of(outcome: Outcome) -> tuple[int, ...]:
    return (outcome.line,) if isinstance(outcome, Match) else outcome.lines
