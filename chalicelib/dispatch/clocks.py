"""What suppliers' clocks bring: a reminder at half time, and at the end what their terms say.

Each is one transaction on condition of the dispatch's version, with the mark in the clock that it
is done: however often sweeps look, and whatever the supplier answers meanwhile, it is done once or
is no longer called for.
"""

from datetime import datetime

from chalicelib.cases import service as cases
from chalicelib.cases.rules import CaseKind
from chalicelib.dispatch import calling_off, fines
from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.deadlines import Clock, ClockKind
from chalicelib.dispatch.fines import Charge
from chalicelib.dispatch.rules import Dispatch
from chalicelib.kernel import events
from chalicelib.kernel.currencies import written
from chalicelib.kernel.events import Event
from chalicelib.platform.log import logger, metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.sweeping import sweep_until_done
from chalicelib.platform.transaction import Transaction

# A campaign's orders come to their clocks at one instant: ten thousand take two or three minutes.
BATCH, SIDE_BY_SIDE, SECONDS = 500, 16, 40
MISSED: dict[ClockKind, CaseKind] = {
    "accept": "accept_missed",
    "ship": "ship_missed",
    "deliver": "deliver_missed",
}
OWED: dict[ClockKind, str] = {
    "accept": "was not accepted",
    "ship": "was not shipped",
    "deliver": "was not delivered",
}


def sweep(now: datetime) -> int:
    """Do what is due to dispatches, as far as the time reaches. Returns how many were looked at."""
    return sweep_until_done(
        lambda limit: dispatches.due_before(now, limit),
        lambda dispatch_id: look_at(dispatch_id, now),
        batch=BATCH,
        side_by_side=SIDE_BY_SIDE,
        seconds=SECONDS,
    )


@retry_stale
def look_at(dispatch_id: str, now: datetime) -> None:
    """Do all that is due to one dispatch, one thing after another.

    Raises Busy where it cannot be written however often it is read: a person must look then.
    """
    dispatch = dispatches.get_dispatch(dispatch_id)
    while dispatch and (due := dispatch.due_clock(now)):
        dispatch = _fire(dispatch, due, now)


def _fire(dispatch: Dispatch, due: Clock, now: datetime) -> Dispatch:
    """Do what comes at the end where that is over already, though nobody looked at half time."""
    logger.bind(dispatch_id=dispatch.id, order_id=dispatch.order_id)
    return _miss(dispatch, due, now) if due.is_over_at(now) else _remind(dispatch, due, now)


def _remind(dispatch: Dispatch, due: Clock, now: datetime) -> Dispatch:
    reminded = dispatch.with_clock(due.reminded(now)).moved(dispatch.status, now)
    transaction = Transaction()
    transaction.add(dispatches.replace_dispatch(reminded))
    transaction.publish(Event(events.DISPATCH_REMINDER, dispatch.id))
    transaction.commit()
    metric("SuppliersReminded")
    return reminded


def _miss(dispatch: Dispatch, due: Clock, now: datetime) -> Dispatch:
    """Call a person, and let the supplier bear what it agreed to."""
    fine = _fine(dispatch, due, now)
    fined = fine.amount if fine else None
    # What is on its way cannot be called back, nor is the rest to blame for it.
    owes_shipping = due.kind != "deliver" and bool(dispatch.waiting)
    expires = due.on_missed == "cancel" and owes_shipping
    missed = dispatch.with_clock(due.fired(now, fined))

    def begin() -> Transaction:
        transaction = Transaction()
        cases.open_in(
            transaction,
            MISSED[due.kind],
            dispatch.id,
            _detail(dispatch, due, expires, fined),
            occurrence=due.parcel_id or "",
        )
        if fine:
            transaction.add(*fine.writes(dispatch, due, now))
        return transaction

    if expires:
        reason = f"{OWED[due.kind]} in time"
        missed = calling_off.expire(dispatch, missed, reason, now, begin)
    else:
        missed = missed.moved(missed.status, now)
        transaction = begin()
        transaction.add(dispatches.replace_dispatch(missed))
        transaction.commit()
    metric("ClocksMissed", clock=due.kind)
    return missed


def _fine(dispatch: Dispatch, due: Clock, now: datetime) -> Charge | None:
    if due.on_missed != "fine" or not due.fine_amount:
        return None
    return fines.charge_of(dispatch.supplier_id, due.fine_amount, now)


def _detail(dispatch: Dispatch, due: Clock, expires: bool, fined: int | None) -> str:
    parcel = f"Parcel {due.parcel_id} of dispatch" if due.parcel_id else "Dispatch"
    said = (
        f"{parcel} {dispatch.id} of order {dispatch.order_id} {OWED[due.kind]} by {due.due_at} by "
        f"its supplier {dispatch.supplier_id}."
    )
    if expires:
        return f"{said} What was not shipped went to an alternate or is refunded."
    if fined == 0:
        return f"{said} The supplier has been fined this month's most before."
    if fined:
        return f"{said} The supplier was fined {written(fined, dispatch.currency)}."
    return said
