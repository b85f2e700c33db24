"""What must hold of the commission that an order's lines have frozen. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.ledger.checks import Finding
from chalicelib.ordering.as_ordered import as_ordered
from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.rules import Order
from chalicelib.plans.rules import Rule, Version, commissions

# A plan and the number of one of its versions.
VersionKey = tuple[str, int]


def versions_of(order: Order) -> set[VersionKey]:
    return {(line.plan_id, line.plan_version) for line in order.lines if line.plan_id}


def commission_rate(order: Order, versions: Mapping[VersionKey, Version]) -> Iterator[Finding]:
    """A line keeps the terms of its rule, and brings that rate of its base within their bounds."""
    ordered = as_ordered(order)
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
        version = versions.get(key)
        if line.plan_id and not _keeps(line, version):
            detail = f"{what} does not keep {line.rule} of version {key[1]} of {key[0]}."
            yield Finding("commission_rate", order.id, detail)
        if version and version.withdrawn_at:
            detail = f"{what} falls under version {key[1]} of {key[0]}, which was withdrawn."
            yield Finding("commission_rate", order.id, detail)


def _keeps(line: OrderLine, version: Version | None) -> bool:
    rules = {rule.words: rule for rule in version.rules} if version else {}
    return line.rule in rules and _frozen(rules[line.rule]) == _frozen(line)


def _frozen(terms: Rule | OrderLine) -> tuple[Any, ...]:
    bounds = (terms.line_cap, terms.order_cap, terms.day_cap, terms.line_floor)
    return (terms.basis, terms.rate_bps, *bounds)
