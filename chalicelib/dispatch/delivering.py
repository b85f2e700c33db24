"""Delivery, parcel by parcel: each side is given its share of what is not refunded."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from chalicelib.dispatch import moves, parcels, rules, service
from chalicelib.dispatch.earned import (
    Days,
    delivered_entry,
    earned_by,
    earned_of,
    goods_in,
    posted_of,
)
from chalicelib.dispatch.parcels import Parcel
from chalicelib.dispatch.rules import Dispatch
from chalicelib.kernel import clock
from chalicelib.kernel.callers import Caller
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.rules import Entry
from chalicelib.ledger.service import belongs_to
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.ordering.shares import Shares
from chalicelib.plans.rules import MOST_BONUSES
from chalicelib.platform.log import metric
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import WRITE_LIMIT, Recorder, Transaction, Write
from chalicelib.settlement import earning, plan_bonuses
from chalicelib.settlement.earning import NOTHING, Beside
from chalicelib.settlement.plan_bonuses import Given
from chalicelib.settlement.rules import EarnedLine
from chalicelib.suppliers import fees
from chalicelib.suppliers.fees import FirstDelivery

# Of a delivery's transaction: the answer's record, dispatch, order, limits and caps, the supplier's
# balance and day, its community's fee. Of each leader: its earnings, the day's sum and its balance.
OTHER_ITEMS, ITEMS_A_LEADER = 20, 3
# Of each bonus: what it is, its place in the list, its entry and its line; of all of them the
# customer's first order and the campaign's total.
ITEMS_A_BONUS, ITEMS_OF_BONUSES = 4, 2
# The promoter, its pick-up point, its hub, and two who invited it.
MOST_LEADERS = 5


@retry_stale
def deliver(
    dispatch_id: str, given: datetime | None, caller: Caller, recorder: Recorder | None
) -> Dispatch:
    """All parcels that are on their way have arrived. Raises Conflict where nothing has shipped,
    or where all that has was delivered before at another instant."""
    dispatch = service.dispatch_for(dispatch_id, caller, leader_too=True)
    if moves.repeats_delivery(dispatch, given):
        return dispatch
    while len(dispatch.on_the_way) > _room_for(MOST_LEADERS, MOST_BONUSES):
        order = service.order_of(dispatch)
        most = _room_for(len(order.earning_leaders), len(order.bonuses))
        if len(dispatch.on_the_way) <= most:
            break
        # What stops in between is as if some had arrived before the others.
        dispatch = _deliver(dispatch, dispatch.on_the_way[:most], given, caller, None)
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
        moves.check_delivered_at(arriving, given, now, by_operator=caller.is_operator)
    before, delivered_at = service.order_of(dispatch), given or now
    order = before.after_delivery(each.id for each in arriving)
    matures_on = earning.matures_on(delivered_at)
    bucket = earning.open_bucket(earning.earnings_of(order.earning_leaders), matures_on)
    delivered = dispatch.with_parcels(
        [each.delivered(delivered_at, given, matures_on, bucket) for each in arriving]
    )
    changed = rules.as_left_by(order, delivered, now, **said)
    transaction = Transaction(recorder)
    days = Days(matures_on.isoformat(), earning.delivery_day(delivered_at))
    transaction.add(*_shared_out(order, dispatch, arriving, days, bucket, now))
    service.commit(transaction, changed, order)
    metric("ParcelsDelivered", len(arriving))
    return changed


def _shared_out(
    order: Order,
    dispatch: Dispatch,
    arriving: Sequence[Parcel],
    days: Days,
    bucket: str,
    now: datetime,
) -> list[Write]:
    """What each side gets of the parcels, in the books and in the leaders' earnings."""
    posted = {each.id: posted_of(order, each.id) for each in arriving}
    earned = {
        parcel_id: earned_by(order, parcel_id, days)
        for parcel_id, shares in posted.items()
        if shares
    }
    # What was refunded on its way brings its supplier nothing, and costs it nothing.
    fee, bonuses = FirstDelivery(), NOTHING
    if any(posted.values()):
        fee = fees.of_delivery(order, dispatch.supplier_id, days.delivered_on, now)
        bonuses = _bonuses(order, posted.values(), Given(now, days.matured_on, bucket))
    entries = _entries(order, dispatch, posted, days, now)
    return [
        *ledger.post(*entries, *fee.entries, *bonuses.entries),
        *fee.writes,
        *bonuses.writes,
        *_earned(order, bucket, earned, [line for _, line in bonuses.lines]),
    ]


def _bonuses(order: Order, posted: Iterable[Shares], given: Given) -> Beside:
    """What the plan promises the order's leader for it, beside its commission."""
    if not order.bonuses:
        return NOTHING
    net = sum(shares.net - shares.tax for shares in posted)
    return plan_bonuses.of_delivery(order, net, given, partial(_is_of_new_customer, order))


def _is_of_new_customer(order: Order) -> bool:
    """Whether nothing of its customer's other orders was delivered before."""
    others = ordering.all_of_customer(order.customer_id)
    return not any(each.has_arrived for each in others if each.id != order.id)


def _room_for(leaders: int, bonuses: int) -> int:
    """How many parcels a transaction has room for: each has its entry, a row of its supplier's
    history, and one for every leader that earns by it."""
    of_bonuses = ITEMS_A_BONUS * bonuses + ITEMS_OF_BONUSES if bonuses else 0
    others = OTHER_ITEMS + ITEMS_A_LEADER * leaders + of_bonuses
    return (WRITE_LIMIT - others) // (2 + leaders)


def _earned(
    order: Order,
    bucket: str,
    parcels: Mapping[str, Mapping[str, Sequence[EarnedLine]]],
    bonuses: Sequence[EarnedLine],
) -> list[Write]:
    """What each leader earns by each parcel, as `parcels` say it; bonuses are its own leader's."""
    return [
        write
        for leader_id in order.earning_leaders
        for write in earning.earn(
            leader_id,
            order.currency,
            bucket,
            {name: of_all[leader_id] for name, of_all in parcels.items() if leader_id in of_all},
            bonuses if leader_id == order.leader_id else (),
        )
    ]


def _entries(
    order: Order,
    dispatch: Dispatch,
    posted: Mapping[str, Shares],
    days: Days,
    now: datetime,
) -> list[Entry]:
    """An entry for each parcel, but for those worth nothing any more."""
    month = belongs_to(days.delivered_on, now)
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
                **{
                    books.leader_account(leader_id, "pending"): -amount
                    for leader_id, amount in earned_of(order, parcel_id).items()
                },
                books.PLATFORM_REVENUE: -shares.revenue,
            },
            {payable: (dispatch.id, parcel_id)},
            month,
            {payable: goods_in(order, parcel_id)},
        )
        for parcel_id, shares in posted.items()
        if shares
    ]
