"""What a person does about differences: says whose they are, and what is posted. Each once."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from chalicelib.cases.service import close_in
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, Invalid, NotFound, Stale
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry
from chalicelib.ledger.service import belongs_to
from chalicelib.payouts import results
from chalicelib.payouts import store as payouts
from chalicelib.payouts.rules import Told
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction, Write, write
from chalicelib.reconciliation import claim_store, deciding, piece_store, turning_up
from chalicelib.reconciliation import store as reconciliations
from chalicelib.reconciliation.deciding import Candidate
from chalicelib.reconciliation.rules import (
    CASE,
    SUSPENSE,
    Change,
    NumberedDifference,
    Reconciliation,
    Resolution,
    change,
)
from chalicelib.reconciliation.taking import check_used, reconciliation_of


@dataclass(frozen=True)
class Said:
    """How a difference is resolved; `account` is the other one of money that was moved, and
    `new_account` that the books may have had nothing in it yet."""

    resolution: Resolution
    note: str
    account: str | None = None
    candidate: Candidate = field(default_factory=Candidate)
    new_account: bool = False


@retry_stale
def assign(
    reconciliation_id: str, n: int, owner: str, recorder: Recorder | None
) -> NumberedDifference:
    """Raises Conflict once it is resolved."""
    before = _difference(reconciliation_id, n)
    if before.owner == owner:
        return before
    if before.is_resolved:
        raise _resolved_before(before)
    after = replace(before, owner=owner, version=before.version + 1)
    transaction = Transaction(recorder)
    transaction.add(reconciliations.replace_difference(after))
    transaction.commit(after)
    return after


def resolve(
    reconciliation_id: str, n: int, said: Said, caller: Caller, recorder: Recorder | None
) -> NumberedDifference:
    """Post what the resolution means, close the case, and keep who said so.

    Raises Conflict where it was resolved otherwise, where its kind cannot be resolved so, while the
    reconciliation is under way, or where the payout cannot have come to that.
    """
    made = reconciliation_of(reconciliation_id)
    before = _difference(reconciliation_id, n)
    _check(made, before, said)
    if said.resolution == "match":
        return deciding.match(made, n, said.candidate, said.note, caller, recorder)
    if said.resolution == "paid" or said.resolution == "returned":
        _tell(before, said.resolution, said, caller)
    after = _resolve(made, n, said, caller, recorder)
    account = before.difference.account if _is_moved(before, said) else made.account
    # Where nobody comes to this, the next statement does.
    turning_up.let_go_of_claimed(account, after.entries)
    return after


def _tell(before: NumberedDifference, result: Told, said: Said, caller: Caller) -> None:
    """Say what has become of the payout. Nobody can resolve it otherwise from before that on; told
    again it changes nothing, so that whoever dies behind it may begin anew."""
    begun = _begin(before.reconciliation_id, before.n, said)
    if begun.is_resolved:
        return
    payout_id, reference = begun.difference.payout_id, f"{begun.reconciliation_id}/{begun.n}"
    try:
        _must_have_gone(payout_id, result)
        results.tell(payout_id, result, reference, None, by=caller.id)
    except Exception:
        if not _is_told(payout_id, result, reference):
            _give_up(begun)
        raise


@retry_stale
def _begin(reconciliation_id: str, n: int, said: Said) -> NumberedDifference:
    """Whoever says the same takes over from who has begun it."""
    before = _difference(reconciliation_id, n)
    _check_same(before, said)
    if before.is_resolved:
        return before
    begun = replace(before, resolution=said.resolution, note=said.note, version=before.version + 1)
    write(reconciliations.replace_difference(begun))
    return begun


def _must_have_gone(payout_id: str, result: Told) -> None:
    """Money comes back of a payout that was paid; told as returned alone it posts none of it."""
    (payout,) = payouts.get_payouts([payout_id])
    if result == "returned" and not payout.is_over:
        raise Conflict(
            "Nobody has told yet that the payout was paid. Resolve the line with which it went out "
            "first, or tell its result.",
            code="payout_not_paid",
        )


def _is_told(payout_id: str, result: Told, reference: str) -> bool:
    payout = payouts.get_payout(payout_id)
    return payout is not None and (payout.outcome, payout.reference) == (result, reference)


def _give_up(begun: NumberedDifference) -> None:
    """Nothing was told; it stays begun where another has taken over."""
    again = replace(begun, resolution=None, note=None, version=begun.version + 1)
    with suppress(Stale):
        write(reconciliations.replace_difference(again))


@retry_stale
def _resolve(
    made: Reconciliation, n: int, said: Said, caller: Caller, recorder: Recorder | None
) -> NumberedDifference:
    before, now = _difference(made.id, n), clock.now()
    _check_same(before, said)
    if before.is_resolved:
        return before
    entries = _entries(made, before, said, now)
    posted = (*_told(before, said), *(entry.id for entry in entries))
    after = replace(
        before,
        resolution=said.resolution,
        note=said.note,
        resolved_by=caller.id,
        resolved_at=now,
        posted=posted,
        version=before.version + 1,
    )
    transaction = Transaction(recorder)
    transaction.add(
        reconciliations.replace_difference(after),
        reconciliations.count_resolved(made.id),
        *ledger.post(*entries),
        *_claims(made, before, said, posted),
    )
    note = f"{said.resolution}: {said.note}"
    close_in(transaction, CASE, made.id, note, occurrence=before.occurrence)
    transaction.commit(after)
    return after


def _check(made: Reconciliation, before: NumberedDifference, said: Said) -> None:
    if not made.is_done:
        raise Conflict(
            f"The reconciliation is {made.status}; its differences are resolved once it is done.",
            code="reconciliation_under_way",
        )
    if said.resolution not in before.resolutions:
        known = ", ".join(before.resolutions)
        raise Conflict(
            f"This difference, of the kind {before.kind}, is resolved by {known}.",
            code="resolution_not_possible",
        )
    _check_candidate(said)
    _check_account(made, before, said)


def _check_account(made: Reconciliation, before: NumberedDifference, said: Said) -> None:
    """Money is moved to an account that is in the books, or to one that is meant to be new."""
    if said.resolution == "post_to_other_account":
        other = said.account or before.difference.account
        if not other or other == made.account:
            raise Invalid.field("account", "must be the other account that the money is in")
        if not said.new_account:
            check_used(other)
    elif said.account or said.new_account:
        field = "account" if said.account else "new_account"
        raise Invalid.field(field, "is sent with post_to_other_account alone")


def _check_candidate(said: Said) -> None:
    """A match is with one entry, or one payout's; nothing else is with any."""
    of = said.candidate
    if said.resolution == "match" and bool(of.entry_id) == bool(of.payout_id):
        raise Invalid.field("entry_id", "or payout_id is sent with match, one of them")
    if said.resolution != "match" and of != Candidate():
        field = next(name for name, value in vars(of).items() if value)
        raise Invalid.field(field, "is sent with match alone")


def _entries(
    made: Reconciliation, before: NumberedDifference, said: Said, now: datetime
) -> list[Entry]:
    """Take the account to what the statement says of it, one entry a currency."""
    against = {
        "post_fee": books.PLATFORM_REVENUE,
        "returned": books.PLATFORM_REVENUE,
        "post_to_suspense": SUSPENSE,
        "post_to_other_account": said.account or before.difference.account,
    }.get(said.resolution)
    if against is None:
        return []
    month = belongs_to(_day_of(made, before), now)
    return [
        books.entry(
            f"reconciled:{before.named(each.currency)}",
            each.currency,
            made.id,
            now,
            {made.account: each.amount, against: -each.amount},
            belongs_to=month,
            note=f"{said.resolution}: {said.note}",
        )
        for each in _changes(before, said)
    ]


def _changes(before: NumberedDifference, said: Said) -> Sequence[Change]:
    """What of the difference is left to post: of a payout that came back, what the bank kept."""
    if said.resolution != "returned":
        return before.changes
    (payout,) = payouts.get_payouts([before.difference.payout_id])
    came_back = [(each.currency, each.amount) for each in before.changes]
    return change(*came_back, (payout.currency, -payout.amount))


def _day_of(made: Reconciliation, before: NumberedDifference) -> str:
    """The business date of what differs: of its line, of its entry, or the statement's last."""
    numbers, entries = before.difference.lines, before.difference.entries
    if numbers:
        return next(each.day for each in piece_store.lines(made.id) if each.n in numbers)
    entry = ledger.get_entry(entries[0]) if entries else None
    if entry:
        return clock.business_date(entry.posted_at, settings().zone).isoformat()
    return made.last


def _told(before: NumberedDifference, said: Said) -> tuple[str, ...]:
    """The entry by which the payout has come to what the statement shows."""
    if said.resolution not in ("paid", "returned"):
        return ()
    return (f"payout-{said.resolution}:{before.difference.payout_id}",)


def _check_same(before: NumberedDifference, said: Said) -> None:
    if before.resolution and (before.resolution, before.note) != (said.resolution, said.note):
        raise _resolved_before(before)


def _is_moved(before: NumberedDifference, said: Said) -> bool:
    """Whether what the books have in another account is moved from there."""
    account = before.difference.account
    moved = before.kind == "wrong_account" and said.resolution == "post_to_other_account"
    return moved and said.account in (None, account)


def _claims(
    made: Reconciliation, before: NumberedDifference, said: Said, posted: Sequence[str]
) -> list[Write]:
    """What was posted has its line in this statement, and so has what may be meant by it; what is
    missing, and is posted against, has none until now. What is moved has none where the books had
    it, and nor has what moves it."""
    meant = before.open_entries if before.kind == "ambiguous" else ()
    missing = before.entries if before.kind == "missing" and posted else ()
    found = Conflict(
        "What it is of has its line in another statement by now, or may have: look there first, "
        "then accept it.",
        code="found_meanwhile",
    )
    moved = (*before.entries, *posted) if _is_moved(before, said) else ()
    claimed = [
        *((made.account, each) for each in posted),
        *((before.difference.account, each) for each in moved),
    ]
    return [
        *(
            claim_store.claim_entry(account, each, made.id, str(before.n), found)
            for account, each in claimed
        ),
        *(claim_store.decide_entry(made.account, each, made.id) for each in meant),
        *(claim_store.not_claimed(made.account, each, found) for each in missing),
    ]


def _difference(reconciliation_id: str, n: int) -> NumberedDifference:
    found = reconciliations.get_difference(reconciliation_id, n)
    if found is None:
        raise NotFound("There is no such difference.")
    return found


def _resolved_before(before: NumberedDifference) -> Conflict:
    return Conflict(
        f"The difference was resolved before, by {before.resolution}.", code="already_resolved"
    )
