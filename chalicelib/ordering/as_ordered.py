"""An order's lines as they were ordered, whatever alternates have taken over of them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.rules import Order
from chalicelib.plans.rules import Share, Terms
from chalicelib.settlement.rules import commission_base


@dataclass(frozen=True)
class Ordered:
    """A line as it was ordered: with what was shipped in its place since."""

    lines: Sequence[OrderLine]

    @property
    def first(self) -> OrderLine:
        return self.lines[0]

    @property
    def commission(self) -> int:
        return sum(each.commission for each in self.lines)

    @property
    def base(self) -> int:
        """What its rate is a part of."""
        return self.base_by(self.first.basis)

    def base_by(self, basis: str) -> int:
        """What a rate of that basis is a part of; the cost of alternates is not what was agreed."""
        net = sum(each.net - each.tax - each.spread for each in self.lines)
        cost = sum(
            each.cost if each.agreed_cost is None else each.agreed_cost for each in self.lines
        )
        return commission_base(basis, net, cost)

    @property
    def terms(self) -> Terms:
        line = self.first
        return Terms(
            basis="sales" if line.basis == "sales" else "gross_profit",
            rate_bps=line.rate_bps,
            rule=line.rule,
            share_bps=line.share_bps,
            others=tuple(
                Share(due.role, due.leader_id, due.rate_bps, due.share_bps) for due in line.due
            ),
            line_cap=line.line_cap,
            order_cap=line.order_cap,
            line_floor=line.line_floor,
        )


def as_ordered(order: Order) -> list[Ordered]:
    by_sku: dict[str, list[OrderLine]] = {}
    for line in order.lines:
        by_sku.setdefault(line.counts_as, []).append(line)
    return [Ordered(lines) for lines in by_sku.values()]
