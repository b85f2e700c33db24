"""What a supplier pays for a clock that it missed, and letting it off."""

from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.deadlines import Clock, ClockKind
from chalicelib.dispatch.rules import Dispatch
from chalicelib.dispatch.service import dispatch_for
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Conflict, Invalid, NotFound
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.parties import store as parties
from chalicelib.platform.log import metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Recorder, Transaction, Write
from chalicelib.suppliers import store as suppliers


@dataclass(frozen=True)
class Charge:
    """A fine as far as the supplier's cap leaves room for it in this month, in minor units."""

    amount: int
    month: str
    cap: int | None

    def writes(self, dispatch: Dispatch, missed: Clock, now: datetime) -> list[Write]:
        """Take it from what the supplier is owed, which may fall below nothing. Stale where another
        fine has taken that room meanwhile."""
        if not self.amount:
            return []
        counted = suppliers.count_fine(dispatch.supplier_id, self.month, self.amount, self.cap)
        return [counted, *_posted(f"fine:{dispatch.id}:{missed.name}", dispatch, self.amount, now)]


def charge_of(supplier_id: str, amount: int, now: datetime) -> Charge:
    """What of a fine is charged: of all fines of a business month together no more than the cap
    that the supplier's terms have now."""
    cap, month = parties.settlement_terms_of([supplier_id])[supplier_id].fine_cap, _month(now)
    if cap is None:
        return Charge(amount, month, cap)
    room = max(0, cap - suppliers.fined_in(supplier_id, month))
    return Charge(min(amount, room), month, cap)


@retry_stale
def waive(
    dispatch_id: str,
    kind: str,
    parcel_id: str | None,
    reason: str,
    caller: Caller,
    recorder: Recorder | None,
) -> Dispatch:
    """Give a fine back, and its room under the cap of its month. Raises NotFound where there is
    none, Invalid where `kind` is no clock or it may be the fine of several parcels, Conflict where
    another reason was given before."""
    if kind not in get_args(ClockKind):
        raise Invalid.field("clock", "must be 'accept', 'ship' or 'deliver'")
    dispatch = dispatch_for(dispatch_id, caller)
    fined = _fined(dispatch, kind, parcel_id)
    if fined.waived_for == reason:
        return dispatch
    if fined.waived_at:
        raise Conflict("The fine was waived before, for another reason.", code="already_waived")
    now, transaction = clock.now(), Transaction(recorder)
    waived = dispatch.with_clock(fined.waived(now, reason)).moved(dispatch.status, now)
    entry_id, amount = f"fine_waived:{dispatch.id}:{fined.name}", -(fined.fined or 0)
    charged_in = _month(clock.from_text(fined.fired_at or ""))
    transaction.add(
        dispatches.replace_dispatch(waived),
        suppliers.count_fine(dispatch.supplier_id, charged_in, amount),
        *_posted(entry_id, dispatch, amount, now),
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
        whose = f"of parcel {parcel_id}" if parcel_id else "of this dispatch"
        raise NotFound(f"The clock {kind} {whose} was not fined.")
    if len(found) > 1:
        raise Invalid.field("parcel_id", "is required where several parcels were fined")
    return found[0]


def _month(instant: datetime) -> str:
    return f"{clock.business_date(instant, settings().zone):%Y-%m}"


def _posted(entry_id: str, dispatch: Dispatch, amount: int, now: datetime) -> list[Write]:
    payable = books.supplier_payable(dispatch.supplier_id)
    moved, of = {payable: amount, books.PLATFORM_REVENUE: -amount}, {payable: [dispatch.id]}
    return ledger.post(books.entry(entry_id, dispatch.currency, dispatch.order_id, now, moved, of))
