"""Commission that a supplier bears of refunds, and what daily caps give back of it. Pure.

A supplier is told what it bears, and nothing of what leaders or other suppliers have beside it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from chalicelib.kernel.money import BASIS_POINTS, at_rate
from chalicelib.ledger.rules import Posting
from chalicelib.settlement.rules import EarnedLine, StatementWhole, Withheld
from chalicelib.suppliers.rules import Commission

# `limited`: a cap or floor of the plan set it; the others are those of goods.
CommissionMethod = Literal["exact", "half_up", "by_difference", "limited"]


@dataclass(frozen=True)
class CommissionExplained:
    """Commission of refunded units of one SKU; `amount` is in the supplier's favour."""

    sku_id: str
    title: str
    basis: str
    base: int
    rate_bps: int
    amount: int
    method: CommissionMethod


@dataclass(frozen=True)
class CapExplained:
    """What a daily cap gives back of what a supplier has `borne` of a day: the leader would not
    have had it. `amount` is what that has changed by, in the supplier's favour.

    The day counts up to its cap and what is borne of it, which is None where others bear some too:
    what lies beyond the cap is then divided by what each has borne, by largest remainder.
    """

    leader_id: str
    delivered_on: str
    day_cap: int
    came_to: int | None
    borne: int
    is_shared: bool
    withheld_before: int
    withheld: int
    amount: int
    entries: tuple[str, ...]


def commission_of(posting: Posting, titles: Mapping[str, str]) -> list[CommissionExplained]:
    """A debit takes it from the supplier, a credit gives it back."""
    sign = -1 if posting.amount > 0 else 1
    return [_commission(Commission(*each), sign, titles) for each in posting.parts]


def _commission(of: Commission, sign: int, titles: Mapping[str, str]) -> CommissionExplained:
    return CommissionExplained(
        sku_id=of.sku_id,
        title=titles.get(of.sku_id, ""),
        basis=of.basis,
        base=of.base,
        rate_bps=of.rate_bps,
        amount=sign * of.amount,
        method=_method(of),
    )


def _method(of: Commission) -> CommissionMethod:
    if of.is_limited:
        return "limited"
    if of.amount != at_rate(of.base, of.rate_bps):
        return "by_difference"
    return "half_up" if of.base * of.rate_bps % BASIS_POINTS else "exact"


def caps_of(made: StatementWhole, account: str) -> Iterator[CapExplained]:
    """What the run of a leader's statement has moved of a supplier's account; of a statement that
    was made before it kept how, nothing."""
    for line, withheld in zip(made.caps, made.withheld, strict=False):
        if line.borne_by == account:
            yield _cap(made, line, withheld)


def _cap(made: StatementWhole, cap: EarnedLine, withheld: Withheld) -> CapExplained:
    is_shared = withheld.borne != withheld.borne_in_all
    day_cap = cap.day_cap or 0
    counted = min(cap.basis_amount, day_cap + withheld.borne_in_all)
    return CapExplained(
        leader_id=made.leader_id,
        delivered_on=cap.delivered_on,
        day_cap=day_cap,
        came_to=None if is_shared else counted,
        borne=withheld.borne,
        is_shared=is_shared,
        withheld_before=withheld.before,
        withheld=withheld.now,
        amount=-cap.amount,
        entries=tuple(_borne_by(made, cap)),
    )


def _borne_by(made: StatementWhole, cap: EarnedLine) -> Iterator[str]:
    """The entries by which the supplier has borne what the run took of the day, or was given some
    of it back."""
    found = (each.entry_id for each in made.lines if each.kind != "cap" and _same_day(each, cap))
    yield from dict.fromkeys(found)


def _same_day(line: EarnedLine, cap: EarnedLine) -> bool:
    return _of_day(line) == _of_day(cap)


def _of_day(line: EarnedLine) -> tuple[str, str, str, str, str]:
    return line.delivered_on, line.role, line.plan_id, line.rule, line.borne_by
