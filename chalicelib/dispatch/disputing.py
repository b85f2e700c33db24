"""Disputing a delivery: what its supplier and leader got by it waits until an operator decides."""

from collections.abc import Sequence
from datetime import datetime

from chalicelib.cases import service as cases
from chalicelib.cases.rules import CaseKind
from chalicelib.dispatch import disputes, holding, refunding, service
from chalicelib.dispatch import store as dispatches
from chalicelib.dispatch.disputes import Dispute, Outcome
from chalicelib.dispatch.parcels import Parcel
from chalicelib.dispatch.refunding import Asked
from chalicelib.dispatch.rules import Dispatch
from chalicelib.kernel import clock, events
from chalicelib.kernel.callers import Caller
from chalicelib.kernel.errors import Invalid, NotFound
from chalicelib.kernel.events import Event
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.platform.log import logger, metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction

CASE: CaseKind = "delivery_disputed"


@retry_stale
def dispute(
    dispatch_id: str,
    parcel_id: str | None,
    reason: str,
    caller: Caller,
    recorder: Recorder | None,
) -> Dispute:
    """Open a case, and hold what the parcels brought. Raises NotFound unless the order is the
    caller's, and Conflict outside of its return window or where nothing was delivered."""
    dispatch = _for_its_people(dispatch_id, caller)
    parcel = service.parcel_for(dispatch, parcel_id) if parcel_id else None
    for before in dispatches.disputes_of(dispatch_id):
        if before.says(caller, reason, parcel_id):
            return before
    order, now = service.order_of(dispatch), clock.now()
    parcels = disputes.disputed_by(dispatch, parcel)
    disputes.check_open(order, parcels, now)
    opened = _opened(dispatch, parcels, parcel_id, reason, caller, now)
    transaction = Transaction(recorder)
    transaction.add(dispatches.add_dispute(opened))
    held = holding.hold_in(transaction, order, dispatch.supplier_id, parcels, opened.id, now)
    counted = "1 parcel" if len(parcels) == 1 else f"{len(parcels)} parcels"
    detail = (
        f"The {caller.role} of order {order.id} disputes the delivery of {counted} of "
        f"dispatch {dispatch.id}. What they brought is held until dispute {opened.id} is resolved."
    )
    cases.open_in(transaction, CASE, opened.id, detail)
    transaction.publish(Event(events.DISPATCH_UPDATED, dispatch.id))
    changed = dispatch.with_parcels(held).moved(dispatch.status, now)
    service.write(transaction, changed, order)
    if not transaction.fits:
        raise Invalid.field(
            "parcel_id",
            "is required: more leaders earned by these parcels than one dispute holds",
            code="dispute_too_large",
        )
    transaction.commit(opened)
    metric("DeliveriesDisputed")
    return opened


@retry_stale
def resolve(
    dispatch_id: str, dispute_id: str, outcome: Outcome, note: str, recorder: Recorder | None
) -> Dispute:
    """Dismissed, all is as if the parcels came on the day of the decision, or on their own if that
    matures later; upheld, what is left of them is refunded. Its case is closed with it. Raises
    NotFound and Conflict."""
    found = dispatches.get_dispute(dispatch_id, dispute_id)
    if found is None:
        raise NotFound("There is no such dispute.")
    if disputes.repeats_resolution(found, outcome, note):
        return found
    now, transaction = clock.now(), Transaction(recorder)
    if outcome == "upheld":
        resolved = found.resolved(outcome, note, now, _refund_in(transaction, found, now))
    else:
        resolved = found.resolved(outcome, note, now)
        _release_in(transaction, found, now)
    transaction.add(dispatches.replace_dispute(resolved))
    cases.close_in(transaction, CASE, resolved.id, f"The dispute was {outcome}.")
    transaction.publish(Event(events.DISPATCH_UPDATED, dispatch_id))
    refunding.check_fits(transaction, "outcome")
    transaction.commit(resolved)
    return resolved


def dispute_for(dispatch_id: str, dispute_id: str, caller: Caller) -> Dispute:
    """The dispute, for whoever has to do with the dispatch. Raises NotFound for anyone else."""
    if caller.role in ("supplier", "operator"):
        service.dispatch_for(dispatch_id, caller)
    else:
        _for_its_people(dispatch_id, caller)
    found = dispatches.get_dispute(dispatch_id, dispute_id)
    if found is None:
        raise NotFound("There is no such dispute.")
    return found


def _for_its_people(dispatch_id: str, caller: Caller) -> Dispatch:
    """The dispatch, for its order's customer and leader."""
    dispatch = dispatches.get_dispatch(dispatch_id)
    order = ordering.get_order(dispatch.order_id) if dispatch else None
    if not (dispatch and order):
        raise NotFound("There is no such dispatch.")
    if (caller.role, caller.id) not in {
        ("customer", order.customer_id),
        ("leader", order.leader_id),
    }:
        raise NotFound("There is no such dispatch.")
    logger.bind(dispatch_id=dispatch.id, order_id=order.id)
    return dispatch


def _opened(
    dispatch: Dispatch,
    parcels: Sequence[Parcel],
    parcel_id: str | None,
    reason: str,
    caller: Caller,
    now: datetime,
) -> Dispute:
    parcel_ids = tuple(each.id for each in parcels)
    return Dispute(
        id=disputes.dispute_id(dispatch.id, parcel_ids),
        dispatch_id=dispatch.id,
        order_id=dispatch.order_id,
        parcel_id=parcel_id,
        parcel_ids=parcel_ids,
        by=caller.role,
        party_id=caller.id,
        reason=reason,
        status="open",
        version=1,
        opened_at=now,
    )


def _refund_in(transaction: Transaction, found: Dispute, now: datetime) -> str | None:
    """Add the refund of what is left of the parcels; nothing may be left of them any more. Either
    way their dispatch has a new version, under which its supplier hears of it."""
    dispatch, order = _read(found)
    if not any(parcel_id in line.posted for line in order.lines for parcel_id in found.parcel_ids):
        service.write(transaction, dispatch.moved(dispatch.status, now), order)
        return None
    asked, reason = Asked(parcels=found.parcel_ids, cause="dispute"), f"dispute {found.id}"
    return refunding.refund_in(transaction, order, asked, reason, now).id


def _release_in(transaction: Transaction, found: Dispute, now: datetime) -> None:
    dispatch, order = _read(found)
    parcels = [each for each in dispatch.parcels if each.id in found.parcel_ids]
    released = holding.release_in(transaction, order, dispatch.supplier_id, parcels, found.id, now)
    changed = dispatch.with_parcels(released).moved(dispatch.status, now)
    service.write(transaction, changed, order)


def _read(found: Dispute) -> tuple[Dispatch, Order]:
    dispatch = dispatches.get_dispatch(found.dispatch_id)
    if dispatch is None:
        raise LookupError(f"dispatch {found.dispatch_id} of {found.id} is not stored")
    return dispatch, service.order_of(dispatch)
