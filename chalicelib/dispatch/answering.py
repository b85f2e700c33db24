"""A supplier's answer: what it will ship, whole or in part, and why not the rest."""

from collections.abc import Mapping
from functools import partial

from chalicelib.dispatch import moves, rules, service
from chalicelib.dispatch.answers import Acceptance, Said
from chalicelib.dispatch.giving_up import GivenUp, give_up
from chalicelib.dispatch.rules import Dispatch
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.platform.log import metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction

NOT_ACCEPTED = "out_of_stock"


@retry_stale
def accept(
    dispatch_id: str,
    units: Mapping[str, int] | None,
    reason: str | None,
    caller: Caller,
    recorder: Recorder | None,
) -> Dispatch:
    """The supplier will ship these units, or all; the rest is rejected at once.

    Raises Invalid where more is named than there is to ship, Conflict where it was accepted
    otherwise.
    """
    dispatch = service.dispatch_for(dispatch_id, caller)
    said = Said.of(reason or NOT_ACCEPTED)
    if moves.repeats_acceptance(dispatch, units, said):
        return dispatch
    waiting, now = dispatch.waiting, clock.now()
    moves.check_in_dispatch(dispatch, units or {})
    moves.check_units(waiting, units or {}, "to be shipped")
    rest = rules.less(waiting, units) if units else {}
    acceptance = Acceptance(units or waiting, said.text if rest else None)
    accepted = dispatch.moved("accepted", now, acceptance=acceptance)
    order = service.order_of(dispatch)
    if not rest:
        return service.commit(Transaction(recorder), accepted, order)
    accepted = accepted.without(rest, said, now, by_acceptance=True)
    return give_up(GivenUp(order, accepted, rest, now), partial(Transaction, recorder))


@retry_stale
def reject(
    dispatch_id: str,
    units: Mapping[str, int] | None,
    reason: str,
    caller: Caller,
    recorder: Recorder | None,
    *,
    seen: int | None = None,
) -> Dispatch:
    """The supplier will not ship these units, or whatever has not shipped yet.

    The same words reject as many units once more where a repeat would be known by its key, which
    the recorder has, or by the version that was `seen` when they were said. Raises Invalid where
    more is named than waits to be shipped, Conflict where nothing does or where all was rejected
    otherwise.
    """
    dispatch = service.dispatch_for(dispatch_id, caller)
    said = Said.of(reason)
    is_new = bool(units) and (recorder is not None or dispatch.version == seen)
    if moves.repeats_rejection(dispatch, units, said, is_new=is_new):
        return dispatch
    waiting, now = dispatch.waiting, clock.now()
    moves.check_in_dispatch(dispatch, units or {})
    moves.check_units(waiting, units or {}, "left to ship")
    rejected = units or waiting
    changed = dispatch.moved(dispatch.status, now).without(rejected, said, now, named=units)
    given_up = GivenUp(service.order_of(dispatch), changed, rejected, now)
    done = give_up(given_up, partial(Transaction, recorder))
    metric("DispatchesRejected")
    return done
