"""What an operator corrects of what a leader has available, such as a bonus given by mistake."""

from dataclasses import dataclass

from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.parties import service as parties
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.settlement import bonus_store, earning
from chalicelib.settlement.rules import Adjustment


@dataclass(frozen=True)
class Wanted:
    """What an operator asks for: an amount in the leader's favour, or, negative, in its disfavour;
    in the leader's own currency unless another is said."""

    amount: int
    currency: str | None
    reason: str
    reference: str


@dataclass(frozen=True)
class Adjusted:
    """An adjustment, and whether it was made just now."""

    adjustment: Adjustment
    is_new: bool


@retry_stale
def adjust(leader_id: str, wanted: Wanted, caller: Caller, recorder: Recorder | None) -> Adjusted:
    """Change what a leader has available, once by its reference; it may fall below zero. Raises
    NotFound, Invalid for another currency than the leader's, and Conflict where the reference
    stands for another adjustment."""
    leader, now = parties.leader(leader_id), clock.now()
    if wanted.currency not in (None, leader.currency):
        raise Invalid.field(
            "currency", f"is not the leader's, {leader.currency}", code="currency_mismatch"
        )
    made = Adjustment(
        id=ids.derived("adj", leader_id, wanted.reference),
        leader_id=leader_id,
        amount=wanted.amount,
        currency=leader.currency,
        reason=wanted.reason,
        reference=wanted.reference,
        business_date=clock.business_date(now, settings().zone).isoformat(),
        made_at=now,
        made_by=caller.id,
    )
    before = bonus_store.get_adjustment(leader_id, made.id)
    if before:
        return Adjusted(_the_same(before, made), is_new=False)
    adjusted = Adjusted(made, is_new=True)
    earnings = earning.earnings_of([leader_id])[leader_id]
    transaction = Transaction(recorder)
    transaction.add(
        *bonus_store.add_adjustment(made),
        *ledger.post(_entry(made)),
        *earning.adjust(earnings, made.currency, made.id, [made.line]),
    )
    transaction.commit(adjusted)
    return adjusted


def adjustments_of(leader_id: str, caller: Caller, page: PageRequest) -> Page[Adjustment]:
    """What was adjusted of a leader, newest first. Raises NotFound unless it is the caller's."""
    caller.must_be("leader", leader_id, "leader")
    return bonus_store.adjustments(parties.leader(leader_id).id, page)


def _the_same(before: Adjustment, wanted: Adjustment) -> Adjustment:
    if (before.amount, before.reason) != (wanted.amount, wanted.reason):
        raise Conflict(
            f"The reference {before.reference} stands for an adjustment of "
            f"{written(before.amount, before.currency)} already: {before.reason}",
            code="reference_reused",
        )
    return before


def _entry(made: Adjustment) -> books.Entry:
    amounts = {
        books.PLATFORM_REVENUE: made.amount,
        books.leader_account(made.leader_id, "available"): -made.amount,
    }
    note = f"{made.reference}: {made.reason}"
    return books.entry(made.entry_id, made.currency, made.id, made.made_at, amounts, note=note)
