"""What disputed parcels brought, held and released.

Their cost goes from the supplier's payable account to its held one. Their commission is pending
again where a run has taken it, and matures on no day.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from chalicelib.dispatch.earned import days_of, earned_by, goods_in, posted_of
from chalicelib.dispatch.parcels import Parcel
from chalicelib.kernel import clock
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ordering.rules import Order
from chalicelib.platform.settings import settings
from chalicelib.platform.transaction import Transaction
from chalicelib.settlement import earning
from chalicelib.settlement.earning import OfParcel


class Waiting(NamedTuple):
    """A parcel, under which day of the leaders' earnings it waits, and when it matures."""

    parcel: Parcel
    bucket: str | None
    day: str | None


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
    waiting = [Waiting(each, each.earned_on, each.matures_on) for each in parcels]
    for leader_id, earnings in earning.earnings_of(order.earning_leaders).items():
        earned = _earned(order, leader_id, waiting)
        taken = sum(each.amount for each in earned if earnings.has_taken(each.bucket))
        amounts[books.leader_account(leader_id, "available")] = taken
        amounts[books.leader_account(leader_id, "pending")] = -taken
        transaction.add(*earning.hold(earnings, order.currency, dispute_id, earned))
    _post_in(transaction, f"disputed:{dispute_id}", order, amounts, parcels, now)
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
    _post_in(transaction, f"dismissed:{dispute_id}", order, amounts, parcels, now)
    maturing = [Waiting(each, buckets[each.id], days[each.id]) for each in parcels]
    for leader_id, of_leader in earnings.items():
        earned = _earned(order, leader_id, maturing)
        transaction.add(*earning.release(of_leader, order.currency, earned))
    return [
        replace(each, is_held=False, matures_on=days[each.id], earned_on=buckets[each.id])
        for each in parcels
    ]


def _earned(order: Order, leader_id: str, parcels: Sequence[Waiting]) -> list[OfParcel]:
    """What the parcels brought a leader: each under its bucket, matured on its day."""
    found = (
        (each, earned_by(order, each.parcel.id, days_of(each.parcel, each.day))) for each in parcels
    )
    return [
        OfParcel(each.parcel.id, each.bucket or "", of_all[leader_id])
        for each, of_all in found
        if leader_id in of_all
    ]


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
        goods = [each for parcel in parcels for each in goods_in(order, parcel.id)]
        parts = {each: goods for each in amounts if each.startswith("supplier:")}
        entry = books.entry(entry_id, order.currency, order.id, now, amounts, of, parts=parts)
        transaction.add(*ledger.post(entry))
