"""What a delivered parcel brings to each side, and how what leaders earn came about."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from chalicelib.dispatch.parcels import Parcel
from chalicelib.kernel import clock
from chalicelib.kernel.money import BASIS_POINTS, part
from chalicelib.ordering.lines import OrderLine, Shares
from chalicelib.ordering.rules import Order
from chalicelib.plans.rules import PROMOTER
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


def earned_of(order: Order, parcel_id: str) -> Mapping[str, int]:
    """What a delivered parcel brings each leader, as its refunds leave it."""
    found: dict[str, int] = defaultdict(int)
    for line in order.lines:
        for leader_id, amount in order.earned_of(line, line.posted.get(parcel_id, Shares())):
            found[leader_id] += amount
    return found


def earned_by(order: Order, parcel_id: str, days: Days) -> Mapping[str, list[EarnedLine]]:
    """The statement lines of a delivered parcel, by leader."""
    found: dict[str, list[EarnedLine]] = defaultdict(list)
    for line in order.lines:
        if parcel_id in line.posted:
            for leader_id, each in earned_lines(order, line, line.posted[parcel_id], days):
                found[leader_id].append(replace(each, entry_id=delivered_entry(parcel_id)))
    return found


def earned_lines(
    order: Order, line: OrderLine, shares: Shares, days: Days
) -> Iterator[tuple[str, EarnedLine]]:
    """The statement lines of some units' shares, each with the leader that it is for."""
    net = shares.net - shares.tax - shares.spread
    commission = EarnedLine(
        order_id=order.id,
        sku_id=line.sku_id,
        kind="commission",
        basis=line.basis,
        basis_amount=commission_base(line.basis, net, _cost(line, shares)),
        rate_bps=line.rate_bps,
        amount=shares.commission,
        matured_on=days.matured_on,
        role=PROMOTER,
        share_bps=line.share_bps,
        plan_id=line.plan_id,
        plan_version=line.plan_version,
        rule=line.rule,
        day_cap=line.day_cap,
        delivered_on="" if line.day_cap is None else days.delivered_on,
    )
    yield order.leader_id, commission
    if line.spread:
        # All of what the leader asks above the offer's price is its own.
        yield order.leader_id, _spread(commission, shares.spread)
    for due, amount in line.divided(shares):
        yield (
            due.leader_id,
            replace(
                commission,
                role=due.role,
                rate_bps=due.rate_bps,
                share_bps=due.share_bps,
                amount=amount,
            ),
        )


def _spread(commission: EarnedLine, spread: int) -> EarnedLine:
    return replace(
        commission,
        kind="spread",
        basis="spread",
        basis_amount=spread,
        rate_bps=BASIS_POINTS,
        share_bps=BASIS_POINTS,
        amount=spread,
        day_cap=None,
        delivered_on="",
    )


def _cost(line: OrderLine, shares: Shares) -> int:
    """The cost that commission was counted on: of a substitute that of what was ordered."""
    if line.agreed_cost is None:
        return shares.cost
    return part(line.agreed_cost, shares.net, line.net) if line.net else 0
