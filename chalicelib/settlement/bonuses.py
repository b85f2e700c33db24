"""What leaders are given beside their commission: what an operator gives for tasks, and all of
it."""

from dataclasses import dataclass

from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Conflict
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.parties import service as parties
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.settlement import bonus_store, earning
from chalicelib.settlement.rules import Bonus


@dataclass(frozen=True)
class Given:
    """A bonus, and whether it was given just now."""

    bonus: Bonus
    is_new: bool


@retry_stale
def give(
    leader_id: str,
    task: str,
    amount: int,
    reference: str,
    caller: Caller,
    recorder: Recorder | None,
) -> Given:
    """Give a leader a bonus for a task, once by its reference. Raises NotFound, and Conflict where
    the reference stands for another one."""
    leader, now = parties.leader(leader_id), clock.now()
    bonus = Bonus(
        id=ids.derived("bns", leader_id, "task", reference),
        leader_id=leader_id,
        kind="task",
        task=task,
        reference=reference,
        amount=amount,
        currency=leader.currency,
        matures_on=earning.matures_on(now).isoformat(),
        given_at=now,
        given_by=caller.id,
    )
    before = bonus_store.get_bonus(leader_id, bonus.id)
    if before:
        return Given(_the_same(before, bonus), is_new=False)
    given = Given(bonus, is_new=True)
    earnings = earning.earnings_of([leader_id])[leader_id]
    transaction = Transaction(recorder)
    transaction.add(
        *bonus_store.add_bonus(bonus),
        *ledger.post(_entry(bonus)),
        *earning.give(earnings, bonus.currency, bonus.id, bonus.line),
    )
    transaction.commit(given)
    return given


def bonuses_of(leader_id: str, caller: Caller, page: PageRequest) -> Page[Bonus]:
    """What a leader was given, the last first. Raises NotFound unless it is the caller's."""
    caller.must_be("leader", leader_id, "leader")
    return bonus_store.bonuses(parties.leader(leader_id).id, page)


def _the_same(before: Bonus, wanted: Bonus) -> Bonus:
    if (before.task, before.amount) != (wanted.task, wanted.amount):
        raise Conflict(
            f"The reference {before.reference} stands for a bonus of "
            f"{written(before.amount, before.currency)} for {before.task} already.",
            code="reference_reused",
        )
    return before


def _entry(bonus: Bonus) -> books.Entry:
    return books.entry(
        bonus.entry_id,
        bonus.currency,
        bonus.id,
        bonus.given_at,
        {
            books.PLATFORM_REVENUE: bonus.amount,
            books.leader_account(bonus.leader_id, "pending"): -bonus.amount,
        },
    )
