"""What disputed parcels brought, held and released.

Their cost goes from the supplier's payable account to its held one. Their commission is pending
again where a run has taken it, and matures on no day.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from chalicelib.dispatch.earned import days_of, earned_by, posted_of
from chalicelib.dispatch.parcels import Parcel
from chalicelib.kernel import clock
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ordering.rules import Order
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Transaction
from chalicelib.settlement import earning
from chalicelib.settlement.earning import OfParcel


def hold_in(
    transaction: Transaction,
    order: Order,
    supplier_id: str,
    parcels: Sequence[Parcel],
    dispute_id: str,
    now: datetime,
) -> list[Parcel]:
    """Add that what the parcels brought waits. Returns them as they are then."""
    earnings = earning.earnings_of(order.leader_id)
    earned = [_earned(order, each, each.earned_on, each.matures_on) for each in parcels]
    taken = sum(each.amount for each in earned if earnings.has_taken(each.bucket))
    cost = _cost(order, parcels)
    amounts = {
        books.supplier_payable(supplier_id): cost,
        books.supplier_held(supplier_id): -cost,
        books.leader_account(order.leader_id, "available"): taken,
        books.leader_account(order.leader_id, "pending"): -taken,
    }
    _post_in(transaction, f"disputed:{dispute_id}", order, amounts, parcels, now)
    transaction.add(*earning.hold(earnings, order.currency, dispute_id, earned))
    return [replace(each, dispute_id=dispute_id, is_held=True, earned_on=None) for each in parcels]


def release_in(
    transaction: Transaction,
    order: Order,
    supplier_id: str,
    parcels: Sequence[Parcel],
    dispute_id: str,
    now: datetime,
) -> list[Parcel]:
    """Add that it waits no longer: it matures on its own day, or on this one if that is later."""
    earnings = earning.earnings_of(order.leader_id)
    today = clock.business_date(now, settings().zone).isoformat()
    days = {each.id: max(each.matures_on or today, today) for each in parcels}
    buckets = {name: earnings.bucket_for(date.fromisoformat(day)) for name, day in days.items()}
    earned = [_earned(order, each, buckets[each.id], days[each.id]) for each in parcels]
    cost = _cost(order, parcels)
    amounts = {
        books.supplier_held(supplier_id): cost,
        books.supplier_payable(supplier_id): -cost,
    }
    _post_in(transaction, f"dismissed:{dispute_id}", order, amounts, parcels, now)
    transaction.add(*earning.release(earnings, order.currency, earned))
    return [
        replace(each, is_held=False, matures_on=days[each.id], earned_on=buckets[each.id])
        for each in parcels
    ]


def _earned(order: Order, parcel: Parcel, bucket: str | None, day: str | None) -> OfParcel:
    return OfParcel(parcel.id, bucket or "", earned_by(order, parcel.id, days_of(parcel, day)))


def _cost(order: Order, parcels: Sequence[Parcel]) -> int:
    return sum(posted_of(order, each.id).cost for each in parcels)


def _post_in(
    transaction: Transaction,
    entry_id: str,
    order: Order,
    amounts: dict[str, int],
    parcels: Sequence[Parcel],
    now: datetime,
) -> None:
    """Nothing is posted of parcels without a cost whose commission no run has taken."""
    if any(amounts.values()):
        of = dict.fromkeys(amounts, tuple(each.id for each in parcels))
        entry = books.entry(entry_id, order.currency, order.id, now, amounts, of)
        transaction.add(*ledger.post(entry))
