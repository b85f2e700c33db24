"""Cash that leaders hand over pays down what they have collected, once by its reference."""

from dataclasses import dataclass

from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Conflict, Stale
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Bound
from chalicelib.ledger.store import OutOfBounds
from chalicelib.parties import service as parties
from chalicelib.payments import store as payments
from chalicelib.payments.rules import Remittance
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction


@dataclass(frozen=True)
class Remitted:
    """A remittance, and whether it was booked just now."""

    remittance: Remittance
    is_new: bool


@retry_stale
def remit(leader_id: str, amount: int, reference: str, recorder: Recorder | None) -> Remitted:
    """Book cash that a leader has handed over.

    Raises Conflict where the reference stands for another amount, or where the leader does not
    hold as much: nothing is booked then.
    """
    leader = parties.leader(leader_id)
    remittance = Remittance(
        id=ids.derived("rem", leader_id, reference),
        leader_id=leader_id,
        amount=amount,
        currency=leader.currency,
        reference=reference,
        received_at=clock.now(),
    )
    before = payments.get_remittance(remittance.id)
    if before:
        return Remitted(_the_same(before, amount), is_new=False)
    remitted = Remitted(remittance, is_new=True)
    held = Bound(f"leader:{leader_id}", "collected", at_least=0)
    transaction = Transaction(recorder)
    transaction.add(
        payments.add_remittance(remittance), *ledger.post(_entry(remittance), within=held)
    )
    try:
        transaction.commit(remitted)
    except OutOfBounds:
        raise _too_much(remittance, held) from None
    return remitted


def remittances_of(leader_id: str, caller: Caller, page: PageRequest) -> Page[Remittance]:
    """A leader's remittances, newest first."""
    caller.must_be("leader", leader_id, "leader")
    parties.leader(leader_id)
    return payments.remittances_of(leader_id, page)


def _the_same(before: Remittance, amount: int) -> Remittance:
    if before.amount != amount:
        raise Conflict(
            f"The reference {before.reference} stands for a remittance of "
            f"{written(before.amount, before.currency)} already.",
            code="reference_reused",
        )
    return before


def _too_much(remittance: Remittance, bound: Bound) -> Exception:
    """Why it is refused; Stale where so much was collected meanwhile that it fits."""
    held = ledger.accounts_of(bound.party).collected
    if bound.admits(held - remittance.amount):
        return Stale()
    return Conflict(
        f"The leader holds {written(held, remittance.currency)} of collected cash, less than "
        f"{written(remittance.amount, remittance.currency)}.",
        code="more_than_collected",
    )


def _entry(remittance: Remittance) -> books.Entry:
    collected = books.leader_account(remittance.leader_id, "collected")
    return books.entry(
        f"remittance:{remittance.leader_id}:{remittance.reference}",
        remittance.currency,
        remittance.id,
        remittance.received_at,
        {books.cash("bank"): remittance.amount, collected: -remittance.amount},
    )
