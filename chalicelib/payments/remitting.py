"""Cash that leaders hand over pays down what they have collected, once by its reference; what was
booked by mistake is reversed."""

from chalicelib.kernel import clock, ids
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Conflict, NotFound, Stale
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Bound
from chalicelib.ledger.store import OutOfBounds
from chalicelib.parties import service as parties
from chalicelib.parties.remittances import Remitted, reversed_again, told_again
from chalicelib.payments import remittance_store
from chalicelib.payments.rules import Remittance
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction, Write


@retry_stale
def remit(
    leader_id: str, amount: int, reference: str, caller: Caller, recorder: Recorder | None
) -> Remitted[Remittance]:
    """Book what a leader has handed over: of the cash that it holds, or of commission that it owes,
    which the next batch of payouts nets with it.

    Raises Conflict where the reference stands for another amount or was reversed, or where the
    leader does not owe as much: nothing is booked then.
    """
    leader = parties.leader(leader_id)
    remittance = Remittance(
        id=remittance_id(leader_id, reference),
        leader_id=leader_id,
        amount=amount,
        currency=leader.currency,
        reference=reference,
        received_at=clock.now(),
        booked_by=caller.id,
    )
    before = remittance_store.get_remittance(remittance.id)
    if before:
        return Remitted(told_again(before, amount), is_new=False)
    remitted = Remitted(remittance, is_new=True)
    transaction = Transaction(recorder)
    transaction.add(*_writes(remittance))
    try:
        transaction.commit(remitted)
    except OutOfBounds:
        raise too_much(remittance) from None
    return remitted


def remittance_id(leader_id: str, reference: str) -> str:
    return ids.derived("rem", leader_id, reference)


def add_in(transaction: Transaction, remittance: Remittance) -> str:
    """Book one in a transaction whose commit may raise OutOfBounds; its entry. Raises Conflict
    where its reference was booked before."""
    if remittance_store.get_remittance(remittance.id):
        raise Conflict(
            f"The reference {remittance.reference} stands for a remittance already.",
            code="reference_reused",
        )
    transaction.add(*_writes(remittance))
    return _entry(remittance).id


@retry_stale
def reverse(
    leader_id: str, remittance_id: str, reason: str, caller: Caller, recorder: Recorder | None
) -> Remittance:
    """Take back what was booked by mistake: the leader holds it again, whatever its limit.

    Raises NotFound, or Conflict where it was reversed for another reason.
    """
    remittance = remittance_store.get_remittance(remittance_id)
    if remittance is None or remittance.leader_id != leader_id:
        raise NotFound("There is no such remittance of this leader.")
    if remittance.reversed_at:
        return reversed_again(remittance, reason)
    now = clock.now()
    after = remittance.reversed(reason, caller.id, now)
    taking_back = books.reversal(_entry(remittance), remittance.reversal_id, now, note=reason)
    transaction = Transaction(recorder)
    transaction.add(remittance_store.reverse_remittance(after), *ledger.post(taking_back))
    transaction.commit(after)
    return after


def remittances_of(leader_id: str, caller: Caller, page: PageRequest) -> Page[Remittance]:
    """A leader's remittances, newest first."""
    caller.must_be("leader", leader_id, "leader")
    parties.leader(leader_id)
    return remittance_store.remittances_of(leader_id, page)


def _writes(remittance: Remittance) -> list[Write]:
    held = _down_to(f"leader:{remittance.leader_id}")
    return [
        remittance_store.add_remittance(remittance),
        *ledger.post(_entry(remittance), within=held),
    ]


def _down_to(party: str) -> Bound:
    """As far as what it holds and owes goes."""
    return Bound(party, "collected", at_least=-max(0, ledger.accounts_of(party).available))


def too_much(remittance: Remittance) -> Exception:
    """Why it is refused; Stale where so much was collected meanwhile that it fits."""
    bound = _down_to(f"leader:{remittance.leader_id}")
    held = ledger.accounts_of(bound.party).collected
    if bound.admits(held - remittance.amount):
        return Stale()
    owes = f" and owes {written(-bound.at_least, remittance.currency)} of commission"
    return Conflict(
        f"The leader holds {written(held, remittance.currency)} of collected cash"
        f"{owes if bound.at_least else ''}, less than "
        f"{written(remittance.amount, remittance.currency)}.",
        code="more_than_collected",
    )


def _entry(remittance: Remittance) -> books.Entry:
    return books.entry(
        remittance.entry_id,
        remittance.currency,
        remittance.id,
        remittance.received_at,
        {
            remittance.cash_account: remittance.amount,
            books.leader_account(remittance.leader_id, "collected"): -remittance.amount,
        },
    )
