"""A leader's leaving: asked for, called off, and carried on until nothing is left between it and
the platform."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial

from chalicelib.cases import service as cases
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Conflict
from chalicelib.leaving import rules
from chalicelib.leaving.rules import Leaving, Standing
from chalicelib.ledger import store as ledger
from chalicelib.ledger.store import AccountsRow
from chalicelib.ordering import store as ordering
from chalicelib.parties import service as party_service
from chalicelib.parties import store as parties
from chalicelib.parties.rules import Leader
from chalicelib.parties.store import LeavingRow
from chalicelib.plans.rules import PROMOTER
from chalicelib.platform.log import metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.sweeping import sweep_each
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.settlement import store as settlement

Look = Callable[[], None]


@retry_stale
def leave(leader_id: str, reason: str | None, caller: Caller, recorder: Recorder | None) -> Leaving:
    """From now on the leader takes no more orders; asked for again, it changes nothing but a
    reason that was left out. Raises Conflict for another reason than was given."""
    leader = _leader_for(leader_id, caller)
    if leader.leaving_at:
        return _with_reason(leader, reason, recorder)
    now = clock.now()
    left = _leaving(replace(leader, leaving_at=now, leaving_reason=reason))
    transaction = Transaction(recorder)
    transaction.add(
        parties.change_leader(leader, leaving_at=now, leaving_reason=reason),
        parties.begin_leaving(leader_id),
    )
    transaction.commit(left)
    return left


def _with_reason(leader: Leader, reason: str | None, recorder: Recorder | None) -> Leaving:
    if reason in (None, leader.leaving_reason):
        return _leaving(leader)
    if leader.leaving_reason:
        raise Conflict(
            "The leader is leaving for another reason; let it stay first to say a new one.",
            code="already_leaving",
        )
    told = _leaving(replace(leader, leaving_reason=reason))
    transaction = Transaction(recorder)
    transaction.add(
        parties.change_leader(leader, leaving_at=leader.leaving_at, leaving_reason=reason)
    )
    transaction.commit(told)
    return told


@retry_stale
def stay(leader_id: str, caller: Caller, recorder: Recorder | None) -> Leaving:
    """The leader takes orders again. Raises Conflict where it has left."""
    leader = _leader_for(leader_id, caller)
    if leader.left_at:
        raise Conflict("The leader has left.", code="already_left")
    if leader.leaving_at is None:
        return _leaving(leader)
    stays = _leaving(replace(leader, leaving_at=None, leaving_reason=None))
    transaction = Transaction(recorder)
    transaction.add(
        parties.change_leader(leader, leaving_at=None, leaving_reason=None, left_at=None),
        parties.end_leaving(leader_id),
    )
    transaction.commit(stays)
    return stays


def leaving_of(leader_id: str, caller: Caller) -> Leaving:
    """Where the leader stands, and what it waits for. Raises NotFound."""
    return _leaving(_leader_for(leader_id, caller))


def may_be_paid(leader_id: str) -> bool:
    """Whether a leader that leaves waits for nothing but its payout, or has left. Raises
    NotFound."""
    return _leaving(party_service.leader(leader_id)).may_be_paid


def sweep(now: datetime) -> int:
    """Let those leave for whom nothing is left to wait for, and claim what those that have left
    have come to owe. Returns how many there were."""
    due: dict[str, Look] = {each: partial(_go_on, each, now) for each in parties.all_leaving()}
    for page in parties.all_that_left():
        due |= _claims(page, now)
    return sweep_each(due, lambda leader_id: due[leader_id]())


@retry_stale
def _go_on(leader_id: str, now: datetime) -> None:
    leader = party_service.leader(leader_id)
    found = _leaving(leader)
    if not found.is_done:
        return
    transaction = Transaction()
    transaction.add(
        parties.change_leader(leader, left_at=now, leaving_at=leader.leaving_at),
        parties.has_left(leader_id, found.owed),
    )
    if found.owed:
        _claim(transaction, leader_id, written(found.owed, found.currency), "")
    transaction.commit()
    metric("LeadersLeft")


def _claims(left: Sequence[LeavingRow], now: datetime) -> dict[str, Look]:
    """Of leaders that owe something else than was told when they were looked at last."""
    balances = ledger.accounts_of_each(f"leader:{row.pk}" for row in left)
    found: dict[str, Look] = {}
    for row in left:
        accounts = balances.get(f"leader:{row.pk}")
        owed = max(0, -_standing(accounts).net) if accounts else 0
        if accounts and owed != row.owed:
            found[row.pk] = partial(_tell, row, owed, accounts.currency or "", now)
    return found


def _tell(before: LeavingRow, owed: int, currency: str, now: datetime) -> None:
    """Keep what it owes, and open a case where that is more than was told."""
    transaction = Transaction()
    transaction.add(parties.told_to_owe(before, owed))
    if owed > before.owed:
        _claim(transaction, before.pk, written(owed, currency), clock.to_text(now))
    transaction.commit()


def _claim(transaction: Transaction, leader_id: str, owed: str, occurrence: str) -> None:
    detail = (
        f"Leader {leader_id} has left and owes {owed}: claim them, and book what comes as a "
        "remittance."
    )
    cases.open_in(transaction, "leader_owes", leader_id, detail, occurrence=occurrence)


def _leader_for(leader_id: str, caller: Caller) -> Leader:
    caller.must_be("leader", leader_id, "leader")
    return party_service.leader(leader_id)


def _leaving(leader: Leader) -> Leaving:
    standing = _standing(ledger.accounts_of(f"leader:{leader.id}"))
    now = clock.now()
    of_others = ordering.get_orders(_with_a_part(leader.id, now))
    orders = rules.orders_of(ordering.all_of_leader(leader.id), of_others)
    return rules.leaving(leader, orders, standing, settlement.get_earnings(leader.id), now)


def _with_a_part(leader_id: str, now: datetime) -> set[str]:
    """The orders of other leaders whose parts in it can be returned, since they were delivered
    lately: none of them has matured before that."""
    first = clock.business_date(now - settings().return_window, settings().zone)
    since = clock.day_before(first).isoformat()
    lines = settlement.earned_between(leader_id, since, date.max.isoformat())
    return {line.order_id for line in lines if line.order_id and line.role != PROMOTER}


def _standing(accounts: AccountsRow) -> Standing:
    return Standing(-accounts.pending, -accounts.available, -accounts.in_payout, accounts.collected)
