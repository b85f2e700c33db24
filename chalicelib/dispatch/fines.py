"""What a supplier pays for a clock that it missed, and letting it off."""

from datetime import datetime

from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.deadlines import Clock
from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.service import dispatch_for
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, Invalid, NotFound
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.platform.log import metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction, Write


def charge(dispatch: Dispatch, missed: Clock, amount: int, now: datetime) -> list[Write]:
    """Take a fine from what the supplier is owed, which may fall below nothing."""
    return _posted(f"fine:{dispatch.id}:{missed.name}", dispatch, amount, now)


@retry_stale
def waive(
    dispatch_id: str,
    kind: str,
    parcel_id: str | None,
    reason: str,
    caller: Caller,
    recorder: Recorder | None,
) -> Dispatch:
    """Give a fine back. Raises NotFound where there is none, Invalid where it may be that of
    several parcels, Conflict where another reason was given before."""
    dispatch = dispatch_for(dispatch_id, caller)
    fined = _fined(dispatch, kind, parcel_id)
    if fined.waived_for == reason:
        return dispatch
    if fined.waived_at:
        raise Conflict("The fine was waived before, for another reason.", code="already_waived")
    now, transaction = clock.now(), Transaction(recorder)
    waived = dispatch.with_clock(fined.waived(now, reason)).moved(dispatch.status, now)
    entry_id = f"fine_waived:{dispatch.id}:{fined.name}"
    transaction.add(
        dispatches.replace_dispatch(waived),
        *_posted(entry_id, dispatch, -(fined.fined or 0), now),
    )
    transaction.commit(waived)
    metric("FinesWaived")
    return waived


def _fined(dispatch: Dispatch, kind: str, parcel_id: str | None) -> Clock:
    found = [
        each
        for each in dispatch.clocks
        if each.fined and each.kind == kind and parcel_id in (None, each.parcel_id)
    ]
    if not found:
        raise NotFound("There is no such fine.")
    if len(found) > 1:
        raise Invalid.field("parcel_id", "is required where several parcels were fined")
    return found[0]


def _posted(entry_id: str, dispatch: Dispatch, amount: int, now: datetime) -> list[Write]:
    moved = {
        books.supplier_payable(dispatch.supplier_id): amount,
        books.PLATFORM_REVENUE: -amount,
    }
    return ledger.post(books.entry(entry_id, dispatch.currency, dispatch.order_id, now, moved))
