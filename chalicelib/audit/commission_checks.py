"""What must hold of the commission that an order's lines have frozen. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chalicelib.ledger.checks import Finding
from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.rules import Order
from chalicelib.plans.rules import Rule, Share, Terms, Version, commissions
from chalicelib.settlement.rules import commission_base

# A plan and the number of one of its versions.
VersionKey = tuple[str, int]


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
        """What its rate is a part of; the cost of alternates is not what was agreed."""
        net = sum(each.net - each.tax - each.spread for each in self.lines)
        cost = sum(
            each.cost if each.agreed_cost is None else each.agreed_cost for each in self.lines
        )
        return commission_base(self.first.basis, net, cost)

    @property
    def terms(self) -> Terms:
        line = self.first
        return Terms(
            basis="sales" if line.basis == "sales" else "gross_profit",
            rate_bps=line.rate_bps,
            rule=line.rule,
            others=tuple(
                Share(due.role, due.leader_id, due.rate_bps, due.share_bps) for due in line.due
            ),
            line_cap=line.line_cap,
            order_cap=line.order_cap,
            line_floor=line.line_floor,
        )


def versions_of(order: Order) -> set[VersionKey]:
    return {(line.plan_id, line.plan_version) for line in order.lines if line.plan_id}


def commission_rate(order: Order, versions: Mapping[VersionKey, Version]) -> Iterator[Finding]:
    """A line keeps the terms of its rule, and brings that rate of its base within their bounds."""
    ordered = _as_ordered(order)
    due = commissions([(each.terms, each.base) for each in ordered])
    for each, amount in zip(ordered, due, strict=True):
        what = f"{each.first.sku_id} in order {order.id}"
        if out := each.commission - amount:
            detail = f"{what} brings {each.commission}, and by its rate {amount}."
            yield Finding("commission_rate", order.id, detail, out)
    for line in order.lines:
        what = f"{line.sku_id} in order {order.id}"
        if not 0 <= sum(each.amount for each in line.due) <= line.commission:
            detail = f"{what} brings {line.commission}, and others have more of it."
            yield Finding("commission_rate", order.id, detail)
        key = (line.plan_id, line.plan_version)
        if line.plan_id and not _keeps(line, versions.get(key)):
            detail = f"{what} does not keep {line.rule} of version {key[1]} of {key[0]}."
            yield Finding("commission_rate", order.id, detail)


def _as_ordered(order: Order) -> list[Ordered]:
    by_sku: dict[str, list[OrderLine]] = {}
    for line in order.lines:
        by_sku.setdefault(line.counts_as, []).append(line)
    return [Ordered(lines) for lines in by_sku.values()]


def _keeps(line: OrderLine, version: Version | None) -> bool:
    rules = {rule.words: rule for rule in version.rules} if version else {}
    return line.rule in rules and _frozen(rules[line.rule]) == _frozen(line)


def _frozen(terms: Rule | OrderLine) -> tuple[Any, ...]:
    bounds = (terms.line_cap, terms.order_cap, terms.day_cap, terms.line_floor)
    return (terms.basis, terms.rate_bps, *bounds)
