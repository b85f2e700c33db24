"""How the commission of an order's line became the amount of a statement's line. Pure."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from chalicelib.kernel.money import BASIS_POINTS, at_rate, part
from chalicelib.ordering.as_ordered import Ordered, as_ordered
from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.rules import Order
from chalicelib.plans.rules import PROMOTER, Share, Terms, commissions
from chalicelib.settlement.rules import EarnedLine, Method

StepName = Literal["rate", "floor", "cap", "order_cap", "division", "units"]


@dataclass(frozen=True)
class Portion:
    """One of several things that a step divides, or takes from each other, in the minor unit. A
    role's has its `weight` and that of all roles, `of_weight`, in basis points of the base."""

    of: str
    exact: str
    amount: int
    weight: str | None = None
    of_weight: str | None = None


@dataclass(frozen=True)
class Step:
    """What a step leaves. `exact` is that before rounding, a fraction such as `999/10`; `bound` is
    the cap or floor that said it."""

    name: StepName
    amount: int
    exact: str | None = None
    bound: int | None = None
    portions: Sequence[Portion] = ()


@dataclass(frozen=True)
class Withheld:
    """A step of a whole line in which others than the reader have a part: its amounts are theirs as
    well, and only the cap or floor is told."""

    name: StepName
    bound: int | None
    amount: None = None
    exact: None = None
    portions: Sequence[Portion] = ()


@dataclass(frozen=True)
class Rounding:
    """How a line's amount comes from `exact`, a fraction of the minor unit such as `999/10`."""

    exact: str
    method: Method
    steps: Sequence[Step | Withheld] = ()


def is_rated(line: EarnedLine) -> bool:
    """Whether it is a part of what was sold; what a leader asks on top is all its own."""
    return bool(line.order_id and line.rate_bps and line.basis != "spread")


def rounding(line: EarnedLine, order: Order | None = None, reader: str | None = None) -> Rounding:
    """What the rate of the basis, or a role's share of it, is exactly, and how the amount was made
    of it, which the line has kept; nothing is rounded where both are the same. The steps begin with
    the whole line of the order, as far as the leader that reads them may see it; None sees all."""
    if not line.rate_bps:
        return Rounding(str(line.amount), "none")
    exact = Fraction(line.basis_amount * line.rate_bps * line.share_bps, BASIS_POINTS**2)
    method = "none" if exact == line.amount else line.method
    return Rounding(str(exact), method, steps(line, order, reader) if order else ())


def steps(line: EarnedLine, order: Order, reader: str | None = None) -> Sequence[Step | Withheld]:
    """From the rate of the whole line, as it was ordered, to the amount; none where the order has
    no such line."""
    lines = as_ordered(order)
    for ordered in lines:
        if any(each.sku_id == line.sku_id for each in ordered.lines):
            found = list(_of_whole_line(ordered, lines))
            found += _division(ordered.terms, found[-1].amount, line.role)
            found += _units(line, ordered, found[-1].amount)
            return _for(reader, order, ordered.terms, found) if reader else found
    return []


def _for(
    reader: str, order: Order, terms: Terms, found: Sequence[Step]
) -> Sequence[Step | Withheld]:
    """What a leader may see: all where nobody else has a part in the line, which is so of each line
    under its rule; else what is of its own roles."""
    has = {PROMOTER: order.leader_id} | {each.role: each.leader_id for each in terms.others}
    if set(has.values()) == {reader}:
        return found
    return [_own(each, {role for role in has if has[role] == reader}) for each in found]


def _own(step: Step, roles: Set[str]) -> Step | Withheld:
    if step.name == "units":
        return step
    if step.name == "division":
        return replace(step, portions=[each for each in step.portions if each.of in roles])
    return Withheld(step.name, step.bound)


def _of_whole_line(ordered: Ordered, lines: Sequence[Ordered]) -> Iterator[Step]:
    terms, base = ordered.terms, ordered.base
    amount = at_rate(base, terms.total_bps)
    yield Step("rate", amount, str(Fraction(base * terms.total_bps, BASIS_POINTS)))
    if terms.line_floor is not None and amount < terms.line_floor:
        yield Step("floor", terms.line_floor, bound=terms.line_floor)
    if terms.line_cap is not None and terms.amount(base) < amount:
        yield Step("cap", terms.line_cap, bound=terms.line_cap)
    if terms.order_cap is not None:
        yield from _order_cap(ordered, terms.order_cap, lines)


def _order_cap(ordered: Ordered, cap: int, lines: Sequence[Ordered]) -> Iterator[Step]:
    """What the order's lines under one rule bring together is divided in proportion to them."""
    under = [each for each in lines if each.terms.rule == ordered.terms.rule]
    brought = [each.terms.amount(each.base) for each in under]
    if sum(brought) <= cap:
        return
    left = commissions([(each.terms, each.base) for each in under])
    portions = [
        Portion(each.first.counts_as, str(Fraction(cap * of, sum(brought))), amount)
        for each, of, amount in zip(under, brought, left, strict=True)
    ]
    own = portions[under.index(ordered)]
    yield Step("order_cap", own.amount, own.exact, cap, portions)


def _division(terms: Terms, amount: int, role: str) -> Iterator[Step]:
    """By largest remainder between those who have a part in it, in proportion to their weights: so
    where a cap has said what there is of it, all of them have less."""
    if not terms.others:
        return
    shares = [Share(PROMOTER, "", terms.rate_bps, terms.share_bps), *terms.others]
    whole = sum(each.weight for each in shares)
    portions = [
        Portion(
            each.role,
            str(Fraction(amount * each.weight, whole)),
            given,
            _in_bps(each.weight),
            _in_bps(whole),
        )
        for each, given in zip(shares, terms.divided(amount), strict=True)
    ]
    own = next(each for each in portions if each.of == role)
    yield Step("division", own.amount, own.exact, portions=portions)


def _in_bps(weight: int) -> str:
    return str(Fraction(weight, BASIS_POINTS))


def _units(line: EarnedLine, ordered: Ordered, whole: int) -> Iterator[Step]:
    """Of a part of the units, what the role's rounded amount changed by with them."""
    if line.amount == whole and line.method != "by_difference":
        return
    parcel_id = line.entry_id.removeprefix("delivered:")
    for each in ordered.lines:
        portions = _before_and_after(each, parcel_id, line.role)
        if portions and portions[0].amount - portions[1].amount == line.amount:
            yield Step("units", line.amount, portions=portions)
            return
    yield Step("units", line.amount)


def _before_and_after(line: OrderLine, parcel_id: str, role: str) -> list[Portion]:
    """What was left of the role's amount before the parcel's units were delivered, and after them;
    nothing where a refund by amount has divided the line anew."""
    amounts = {PROMOTER: line.whole.commission} | {due.role: due.amount for due in line.due}
    left = line.quantity
    for each, units in line.arrived:
        if each == parcel_id and role in amounts and not line.marks:
            return [_left(amounts[role], n, line.quantity) for n in (left, left - units)]
        left -= units
    return []


def _left(amount: int, units: int, of: int) -> Portion:
    exact = str(Fraction(amount * units, of))
    return Portion(f"{units} of {of} units", exact, part(amount, units, of))
