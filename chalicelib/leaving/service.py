"""A leader's leaving: asked for, called off, and carried on until nothing is left between it and
the platform."""

from dataclasses import replace
from datetime import datetime

from chalicelib.cases import service as cases
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.currencies import written
from chalicelib.kernel.errors import Conflict
from chalicelib.leaving import rules
from chalicelib.leaving.rules import Leaving, Standing
from chalicelib.ledger import store as ledger
from chalicelib.ordering import store as ordering
from chalicelib.parties import service as party_service
from chalicelib.parties import store as parties
from chalicelib.parties.rules import Leader
from chalicelib.platform.log import metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.sweeping import sweep_each
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.settlement import store as settlement


@retry_stale
def leave(leader_id: str, reason: str | None, caller: Caller, recorder: Recorder | None) -> Leaving:
    """From now on the leader takes no more orders; asked for again, it changes nothing."""
    leader = _leader_for(leader_id, caller)
    if leader.leaving_at:
        return _leaving(leader)
    now = clock.now()
    left = _leaving(replace(leader, leaving_at=now, leaving_reason=reason))
    transaction = Transaction(recorder)
    transaction.add(
        parties.change_leader(leader, leaving_at=now, leaving_reason=reason),
        parties.begin_leaving(leader_id),
    )
    transaction.commit(left)
    return left


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


def sweep(now: datetime) -> int:
    """Let those leave for whom nothing is left to wait for. Returns how many were looked at."""
    due = list(parties.all_leaving())
    return sweep_each(due, lambda leader_id: _go_on(leader_id, now))


@retry_stale
def _go_on(leader_id: str, now: datetime) -> None:
    leader = party_service.leader(leader_id)
    found = _leaving(leader)
    if not found.is_done:
        return
    transaction = Transaction()
    transaction.add(
        parties.change_leader(leader, left_at=now, leaving_at=leader.leaving_at),
        parties.end_leaving(leader_id),
    )
    if found.owed:
        detail = (
            f"Leader {leader_id} has left and owes {written(found.owed, found.currency)}: claim "
            "them, and book what comes as a remittance."
        )
        cases.open_in(transaction, "leader_owes", leader_id, detail)
    transaction.commit()
    metric("LeadersLeft")


def _leader_for(leader_id: str, caller: Caller) -> Leader:
    caller.must_be("leader", leader_id, "leader")
    return party_service.leader(leader_id)


def _leaving(leader: Leader) -> Leaving:
    accounts = ledger.accounts_of(f"leader:{leader.id}")
    standing = Standing(
        -accounts.pending, -accounts.available, -accounts.in_payout, accounts.collected
    )
    orders = rules.orders_of(ordering.all_of_leader(leader.id))
    return rules.leaving(leader, orders, standing, settlement.get_earnings(leader.id), clock.now())
