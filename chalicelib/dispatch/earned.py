"""What a delivered parcel brings to each side, and how what its leader earns came about."""

from dataclasses import dataclass, replace

from chalicelib.dispatch.parcels import Parcel
from chalicelib.kernel import clock
from chalicelib.kernel.money import BASIS_POINTS, part
from chalicelib.ordering.lines import OrderLine, Shares
from chalicelib.ordering.rules import Order
from chalicelib.settlement import earning
from chalicelib.settlement.rules import EarnedLine, commission_base


def posted_of(order: Order, parcel_id: str) -> Shares:
    """What a delivered parcel brings to each side, as its refunds leave it."""
    return sum((line.posted.get(parcel_id, Shares()) for line in order.lines), Shares())


@dataclass(frozen=True)
class Days:
    """When what was delivered matures, and the business date on which it was delivered."""

    matured_on: str
    delivered_on: str


def days_of(parcel: Parcel, matured_on: str | None) -> Days:
    """The days of a parcel; of one that has not arrived there are none."""
    if parcel.delivered_at is None:
        return Days(matured_on or "", "")
    return Days(matured_on or "", earning.delivery_day(clock.from_text(parcel.delivered_at)))


def delivered_entry(parcel_id: str) -> str:
    """The journal entry that gives each side its share of a parcel."""
    return f"delivered:{parcel_id}"


def earned_by(order: Order, parcel_id: str, days: Days) -> list[EarnedLine]:
    """The statement lines of a delivered parcel."""
    return [
        replace(each, entry_id=delivered_entry(parcel_id))
        for line in order.lines
        if parcel_id in line.posted
        for each in earned_lines(order.id, line, line.posted[parcel_id], days)
    ]


def earned_lines(order_id: str, line: OrderLine, shares: Shares, days: Days) -> list[EarnedLine]:
    """The statement lines of some units' shares."""
    net = shares.net - shares.tax - shares.spread
    commission = EarnedLine(
        order_id=order_id,
        sku_id=line.sku_id,
        kind="commission",
        basis=line.basis,
        basis_amount=commission_base(line.basis, net, _cost(line, shares)),
        rate_bps=line.rate_bps,
        amount=shares.commission,
        matured_on=days.matured_on,
        plan_version=line.plan_version,
        day_cap=line.cap_day,
        delivered_on="" if line.cap_day is None else days.delivered_on,
    )
    if not line.spread:
        return [commission]
    # All of what the leader asks above the offer's price is its own.
    spread = replace(
        commission,
        kind="spread",
        basis="spread",
        basis_amount=shares.spread,
        rate_bps=BASIS_POINTS,
        amount=shares.spread,
        day_cap=None,
        delivered_on="",
    )
    return [commission, spread]


def _cost(line: OrderLine, shares: Shares) -> int:
    """The cost that commission was counted on: of a substitute that of what was ordered."""
    if line.agreed_cost is None:
        return shares.cost
    return part(line.agreed_cost, shares.net, line.net) if line.net else 0
