"""An order as it would have been placed under a draft of a plan. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.kernel.money import allocate
from chalicelib.ordering.as_ordered import Ordered, as_ordered
from chalicelib.ordering.lines import Due, OrderLine
from chalicelib.ordering.rules import Order
from chalicelib.ordering.shares import Shares
from chalicelib.plans.rules import (
    OFFER,
    Plan,
    Seller,
    Sold,
    Terms,
    Version,
    commissions,
    terms_for,
)

# In place of a parcel, for what is not delivered.
UNDELIVERED = ""
NOTHING = Terms("sales", 0)


@dataclass(frozen=True)
class DraftedLine:
    """A line, and what it would have been; `pieces` are what is not refunded of that, by parcel."""

    line: OrderLine
    drafted: OrderLine

    @property
    def pieces(self) -> dict[str, Shares]:
        """Where amounts were refunded of the line, what is kept of its pieces is in the old shares:
        it falls with the net, as they did."""
        line, drafted = self.line, self.drafted
        if drafted.whole == line.whole:
            return pieces_of(line)
        if not line.marks:
            return pieces_of(drafted)
        return {
            parcel_id: drafted.whole.portion(*self._part(parcel_id, shares))
            for parcel_id, shares in pieces_of(line).items()
        }

    def _part(self, parcel_id: str, shares: Shares) -> tuple[int, int]:
        """Which part of the line a piece is: by its net, or by its units where there is none."""
        if self.line.net:
            return shares.net, self.line.net
        arrived = parcel_id != UNDELIVERED
        units = self.line.units_in(parcel_id) if arrived else self.line.undelivered
        return units, self.line.quantity


@dataclass(frozen=True)
class Drafted:
    """An order with those of its lines that the draft would have sold."""

    order: Order
    lines: Sequence[DraftedLine]

    @property
    def lines_without_rule(self) -> int:
        return len(self.order.lines) - len(self.lines)

    @property
    def earns_by_plan(self) -> bool:
        """Whether it would have kept the draft's bonuses."""
        return any(each.line.rule != OFFER for each in self.lines)

    @property
    def delivered_net(self) -> int:
        """What would count for its campaign's total."""
        sold = tuple(each.line for each in self.lines)
        return replace(self.order, lines=sold).delivered_net

    @property
    def capped_parcels(self) -> set[str]:
        """The parcels that have brought something under a daily cap, on either side."""
        lines = (*self.order.lines, *(each.drafted for each in self.lines))
        return {each for line in lines if line.day_cap is not None for each in line.posted}


def drafted(
    order: Order, plan: Plan, draft: Version, seller: Seller, goods: Mapping[str, Sold]
) -> Drafted:
    """The order as the draft would have it; an offer's own commission wins over any plan."""
    placed = as_ordered(order)
    terms = [_terms(each.first, plan, draft, seller, goods) for each in placed]
    amounts = commissions(
        [
            (each, ordered.base_by(each.basis)) if each else (NOTHING, 0)
            for each, ordered in zip(terms, placed, strict=True)
        ]
    )
    found = zip(placed, terms, amounts, strict=True)
    return Drafted(order, [line for each in found for line in _drafted(*each)])


def _drafted(ordered: Ordered, terms: Terms | None, amount: int) -> Iterator[DraftedLine]:
    """A line as it was ordered, and what was shipped in its place; none where it is not sold."""
    if terms:
        yield from _placed_under(ordered, terms, amount)
    elif ordered.first.rule == OFFER:
        yield from (DraftedLine(line, line) for line in ordered.lines)


def pieces_of(line: OrderLine) -> dict[str, Shares]:
    """What is not refunded of a line: of each parcel that has arrived, and what is to come."""
    return {**line.posted, UNDELIVERED: line.held}


def lines_of_plans(orders: Sequence[Order]) -> Iterator[OrderLine]:
    return (line for order in orders for line in order.lines if line.rule != OFFER)


def _terms(
    line: OrderLine, plan: Plan, draft: Version, seller: Seller, goods: Mapping[str, Sold]
) -> Terms | None:
    sold = goods.get(line.counts_as)
    rule = draft.rule_for(sold) if sold and line.rule != OFFER else None
    return terms_for(plan, draft, rule, seller) if rule else None


def _placed_under(ordered: Ordered, terms: Terms, amount: int) -> Iterator[DraftedLine]:
    parts = [_among(ordered.lines, n, part) for n, part in enumerate(terms.divided(amount))]
    for line, own, *others in zip(ordered.lines, *parts, strict=True):
        yield DraftedLine(line, _line_under(line, terms, own, others))


def _among(lines: Sequence[OrderLine], place: int, amount: int) -> list[int]:
    """What each has of somebody's part, as an alternate takes over: by what it has of that now."""
    has = [(line.whole.commission, *line.whole.others)[place : place + 1] for line in lines]
    weights = [sum(each) for each in has]
    return allocate(amount, weights if any(weights) else [line.quantity for line in lines])


def _line_under(line: OrderLine, terms: Terms, own: int, parts: Sequence[int]) -> OrderLine:
    others = zip(terms.others, parts, strict=True)
    return replace(
        line,
        basis=terms.basis,
        rate_bps=terms.rate_bps,
        rule=terms.rule,
        plan_id=terms.plan_id,
        plan_version=terms.plan_version,
        share_bps=terms.share_bps,
        commission=own + sum(parts),
        others=tuple(Due(s.role, s.leader_id, n, s.rate_bps, s.share_bps) for s, n in others),
        day_cap=terms.day_cap,
    )
