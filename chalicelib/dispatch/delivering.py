"""Delivery, parcel by parcel: each side is given its share of what is not refunded."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from chalicelib.dispatch import parcels, rules, service
from chalicelib.dispatch.earned import Days, delivered_entry, earned_by, posted_of
from chalicelib.dispatch.parcels import Parcel
from chalicelib.dispatch.rules import Dispatch
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry
from chalicelib.ledger.service import belongs_to
from chalicelib.ordering.lines import Shares
from chalicelib.ordering.rules import Order
from chalicelib.platform.log import metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Recorder, Transaction
from chalicelib.settlement import earning
from chalicelib.suppliers import fees


@retry_stale
def deliver(
    dispatch_id: str, given: datetime | None, caller: Caller, recorder: Recorder | None
) -> Dispatch:
    """All parcels that are on their way have arrived. Raises Conflict where nothing has shipped,
    or where all that has was delivered before at another instant."""
    dispatch = service.dispatch_for(dispatch_id, caller, leader_too=True)
    if rules.repeats_delivery(dispatch, given):
        return dispatch
    arriving = dispatch.on_the_way
    return _deliver(dispatch, arriving, given, caller, recorder, delivered_at_given=given)


@retry_stale
def deliver_parcel(
    dispatch_id: str,
    parcel_id: str,
    given: datetime | None,
    caller: Caller,
    recorder: Recorder | None,
) -> Dispatch:
    """One parcel has arrived. Raises NotFound, and Conflict where it has at another instant."""
    dispatch = service.dispatch_for(dispatch_id, caller, leader_too=True)
    parcel = service.parcel_for(dispatch, parcel_id)
    if parcels.repeats_delivery(parcel, given):
        return dispatch
    return _deliver(dispatch, [parcel], given, caller, recorder)


def _deliver(
    dispatch: Dispatch,
    arriving: Sequence[Parcel],
    given: datetime | None,
    caller: Caller,
    recorder: Recorder | None,
    **said: datetime | None,
) -> Dispatch:
    now = clock.now()
    if given:
        rules.check_delivered_at(arriving, given, now, by_operator=caller.is_operator)
    before, delivered_at = service.order_of(dispatch), given or now
    order = before.after_delivery(each.id for each in arriving)
    matures_on = earning.matures_on(delivered_at)
    bucket = earning.earnings_of(order.leader_id).bucket_for(matures_on)
    delivered = dispatch.with_parcels(
        [each.delivered(delivered_at, given, matures_on, bucket) for each in arriving]
    )
    changed = rules.as_left_by(order, delivered, now, **said)
    transaction = Transaction(recorder)
    posted = {each.id: posted_of(order, each.id) for each in arriving}
    fee = fees.of_delivery(order, dispatch.supplier_id, delivered_at, now)
    days = Days(matures_on.isoformat(), earning.delivery_day(delivered_at))
    transaction.add(
        *ledger.post(*_entries(order, dispatch, posted, delivered_at, now), *fee.entries),
        *fee.writes,
        *earning.earn(
            order.leader_id,
            order.currency,
            bucket,
            {
                parcel_id: earned_by(order, parcel_id, days)
                for parcel_id, shares in posted.items()
                if shares
            },
        ),
    )
    service.commit(transaction, changed, order)
    metric("ParcelsDelivered", len(arriving))
    return changed


def _entries(
    order: Order,
    dispatch: Dispatch,
    posted: Mapping[str, Shares],
    delivered_at: datetime,
    now: datetime,
) -> list[Entry]:
    """An entry for each parcel, but for those worth nothing any more."""
    month = belongs_to(delivered_at, now)
    payable = books.supplier_payable(dispatch.supplier_id)
    return [
        books.entry(
            delivered_entry(parcel_id),
            order.currency,
            order.id,
            now,
            {
                books.CUSTOMER_PREPAYMENTS: shares.paid,
                payable: -shares.cost,
                books.leader_account(order.leader_id, "pending"): -shares.earned,
                books.PLATFORM_REVENUE: -shares.revenue,
            },
            {payable: (dispatch.id, parcel_id)},
            month,
        )
        for parcel_id, shares in posted.items()
        if shares
    ]
