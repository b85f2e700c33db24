"""What a delivered parcel brings to each side, and how what leaders earn came about."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from chalicelib.dispatch.parcels import Parcel
from chalicelib.kernel import clock
from chalicelib.kernel.money import BASIS_POINTS, at_rate, part
from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.rules import Order
from chalicelib.ordering.shares import Shares
from chalicelib.parties.settlement_terms import SettlementBasis
from chalicelib.plans.rules import PROMOTER
from chalicelib.settlement import earning
from chalicelib.settlement.rules import EarnedLine, Method, Sold, commission_base
from chalicelib.suppliers.rules import Goods


def posted_of(order: Order, parcel_id: str) -> Shares:
    """What a delivered parcel brings to each side, as its refunds leave it."""
    return sum((line.posted.get(parcel_id, Shares()) for line in order.lines), Shares())


def goods_in(order: Order, parcel_id: str) -> list[Goods]:
    """The same for its supplier, SKU by SKU."""
    return [
        goods_of(line, line.units_in(parcel_id), line.posted[parcel_id])
        for line in order.lines
        if parcel_id in line.posted
    ]


def goods_of(line: OrderLine, units: int, shares: Shares) -> Goods:
    return Goods(
        line.sku_id,
        units,
        shares.net,
        shares.spread,
        shares.cost,
        line.unit_cost,
        cast(SettlementBasis, line.supplier_basis),
        line.fee_bps,
        line.supplier_terms,
    )


@dataclass(frozen=True)
class Days:
    """When what was delivered matures, and the business date on which it was delivered."""

    matured_on: str
    delivered_on: str
    # The refunds that have taken of it.
    refunds: Sequence[str] = ()


def days_of(parcel: Parcel, matured_on: str | None) -> Days:
    """The days of a parcel; of one that has not arrived there are none."""
    if parcel.delivered_at is None:
        return Days(matured_on or "", "")
    delivered_on = earning.delivery_day(clock.from_text(parcel.delivered_at))
    return Days(matured_on or "", delivered_on, parcel.refunds)


def delivered_entry(parcel_id: str) -> str:
    """The journal entry that gives each side its share of a parcel."""
    return f"delivered:{parcel_id}"


def refund_entry(refund_id: str) -> str:
    """The journal entry that takes back what a refund does."""
    return f"refund:{refund_id}"


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
            shares, units = line.posted[parcel_id], line.units_in(parcel_id)
            for leader_id, each in earned_lines(order, line, shares, days, units):
                made = replace(each, entry_id=delivered_entry(parcel_id))
                found[leader_id].append(replace(made, voided_by=_voided_by(line, days)))
    return found


def _voided_by(line: OrderLine, days: Days) -> tuple[str, ...]:
    """A parcel's refunds may have taken of its other lines alone."""
    if not line.refunded_amount:
        return ()
    return tuple(refund_entry(refund_id) for refund_id in days.refunds)


def earned_lines(
    order: Order, line: OrderLine, shares: Shares, days: Days, units: int = 0
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
        method=_method(line, shares),
        title=line.title,
        sold=() if line.basis == "sales" else _sold(line, shares, units),
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


def _method(line: OrderLine, shares: Shares) -> Method:
    """How the commission of some units came about: a part of a line is what its rounded amount
    changed by, and so is a line that was divided when an alternate took over units of it."""
    if line.is_limited:
        return "limited"
    net = line.net - line.tax - line.spread
    base = commission_base(line.basis, net, _cost(line, line.whole))
    if shares != line.whole or line.commission != at_rate(base, line.total_bps):
        return "by_difference"
    return "largest_remainder" if line.others else "half_up"


def _spread(commission: EarnedLine, spread: int) -> EarnedLine:
    return replace(
        commission,
        kind="spread",
        basis="spread",
        basis_amount=spread,
        rate_bps=BASIS_POINTS,
        share_bps=BASIS_POINTS,
        amount=spread,
        method="none",
        day_cap=None,
        delivered_on="",
        sold=(),
    )


def _sold(line: OrderLine, shares: Shares, units: int) -> Sold:
    net = shares.net - shares.tax - shares.spread
    return Sold(units, net, shares.spread, _cost(line, shares))


def _cost(line: OrderLine, shares: Shares) -> int:
    """The cost that commission was counted on: of a substitute that of what was ordered."""
    if line.agreed_cost is None:
        return shares.cost
    return part(line.agreed_cost, shares.net, line.net) if line.net else 0
