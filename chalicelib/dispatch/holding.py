"""What disputed parcels brought, held and released.

Their cost goes from the supplier's payable account to its held one. Their commission is pending
again where a run has taken it, and matures on no day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from chalicelib.dispatch.earned import earned_by, posted_of
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
    cost = _cost(order, parcels)
    amounts = {books.supplier_payable(supplier_id): cost, books.supplier_held(supplier_id): -cost}
    for leader_id, earnings in earning.earnings_of(order.earning_leaders).items():
        earned = _earned(
            order, leader_id, {each.id: (each.earned_on, each.matures_on) for each in parcels}
        )
        taken = sum(each.amount for each in earned if earnings.has_taken(each.bucket))
        amounts[books.leader_account(leader_id, "available")] = taken
        amounts[books.leader_account(leader_id, "pending")] = -taken
        transaction.add(*earning.hold(earnings, order.currency, dispute_id, earned))
    _post_in(transaction, f"disputed:{dispute_id}", order, amounts, now)
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
    earnings = earning.earnings_of(order.earning_leaders)
    today = clock.business_date(now, settings().zone).isoformat()
    days = {each.id: max(each.matures_on or today, today) for each in parcels}
    buckets = {
        name: earning.open_bucket(earnings, date.fromisoformat(day)) for name, day in days.items()
    }
    cost = _cost(order, parcels)
    amounts = {
        books.supplier_held(supplier_id): cost,
        books.supplier_payable(supplier_id): -cost,
    }
    _post_in(transaction, f"dismissed:{dispute_id}", order, amounts, now)
    when = {name: (buckets[name], day) for name, day in days.items()}
    for leader_id, of_leader in earnings.items():
        earned = _earned(order, leader_id, when)
        transaction.add(*earning.release(of_leader, order.currency, earned))
    return [
        replace(each, is_held=False, matures_on=days[each.id], earned_on=buckets[each.id])
        for each in parcels
    ]


def _earned(
    order: Order, leader_id: str, parcels: Mapping[str, tuple[str | None, str | None]]
) -> list[OfParcel]:
    """What the parcels brought a leader: each under its bucket, matured on its day."""
    found = (
        (parcel_id, bucket or "", earned_by(order, parcel_id, day or ""))
        for parcel_id, (bucket, day) in parcels.items()
    )
    return [
        OfParcel(parcel_id, bucket, of_all[leader_id])
        for parcel_id, bucket, of_all in found
        if leader_id in of_all
    ]


def _cost(order: Order, parcels: Sequence[Parcel]) -> int:
    return sum(posted_of(order, each.id).cost for each in parcels)


def _post_in(
    transaction: Transaction, entry_id: str, order: Order, amounts: dict[str, int], now: datetime
) -> None:
    """Nothing is posted of parcels without a cost whose commission no run has taken."""
    if any(amounts.values()):
        transaction.add(*ledger.post(books.entry(entry_id, order.currency, order.id, now, amounts)))
