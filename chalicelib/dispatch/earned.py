"""What a delivered parcel brings to each side, and how what its leader earns came about. Pure."""

from dataclasses import replace

from chalicelib.kernel.money import BASIS_POINTS, part
from chalicelib.ordering.lines import OrderLine, Shares
from chalicelib.ordering.rules import Order
from chalicelib.settlement.rules import EarnedLine, commission_base


def posted_of(order: Order, parcel_id: str) -> Shares:
    """What a delivered parcel brings to each side, as its refunds leave it."""
    return sum((line.posted.get(parcel_id, Shares()) for line in order.lines), Shares())


def earned_by(order: Order, parcel_id: str, matured_on: str) -> list[EarnedLine]:
    """The statement lines of a delivered parcel."""
    return [
        each
        for line in order.lines
        if parcel_id in line.posted
        for each in earned_lines(order.id, line, line.posted[parcel_id], matured_on)
    ]


def earned_lines(
    order_id: str, line: OrderLine, shares: Shares, matured_on: str
) -> list[EarnedLine]:
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
        matured_on=matured_on,
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
    )
    return [commission, spread]


def _cost(line: OrderLine, shares: Shares) -> int:
    """The cost that commission was counted on: of a substitute that of what was ordered."""
    if line.agreed_cost is None:
        return shares.cost
    return part(line.agreed_cost, shares.net, line.net) if line.net else 0
