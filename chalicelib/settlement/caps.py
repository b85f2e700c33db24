"""Daily caps: what a leader may earn at most by some rule for the deliveries of one day. Pure.

Whatever comes in several runs, late or taken back, the lines of a day and its `cap` lines add up to
what the day brought, or to its cap if that is less.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from chalicelib.settlement.rules import EarnedLine


@dataclass(frozen=True)
class CappedDay:
    """What runs have taken of one rule's lines of a delivery day, before its cap."""

    delivered_on: str
    role: str
    plan_id: str
    rule: str
    day_cap: int
    earned: int = 0

    @property
    def withheld(self) -> int:
        return max(0, self.earned - self.day_cap)


def delivery_days(lines: Iterable[EarnedLine]) -> list[str]:
    """The delivery days of capped lines, in order."""
    return sorted({line.delivered_on for line in lines if line.day_cap is not None})


def capped(
    before: Iterable[CappedDay], lines: Sequence[EarnedLine]
) -> tuple[list[EarnedLine], list[CappedDay]]:
    """The `cap` lines that these lines bring, and what the days of `before` come to with them.

    A cap line is negative where more is withheld, and positive where lines that were taken back
    leave room below the cap.
    """
    taken: dict[CappedDay, list[EarnedLine]] = defaultdict(list)
    for line in lines:
        if line.day_cap is not None:
            taken[_group(line, line.day_cap)].append(line)
    after = {_without_sum(day): day for day in before}
    made = []
    for group, of_group in sorted(taken.items(), key=lambda each: _order(each[0])):
        was = after.get(group, group)
        now = replace(was, earned=was.earned + sum(line.amount for line in of_group))
        after[group] = now
        if now.withheld != was.withheld:
            made.append(_cap_line(was, now, of_group))
    return made, sorted(after.values(), key=_order)


def _cap_line(was: CappedDay, now: CappedDay, lines: Sequence[EarnedLine]) -> EarnedLine:
    """Its basis is what the day comes to before its cap."""
    return EarnedLine(
        order_id="",
        sku_id="",
        kind="cap",
        basis="day_cap",
        basis_amount=now.earned,
        rate_bps=0,
        amount=was.withheld - now.withheld,
        matured_on=max(line.matured_on for line in lines),
        role=now.role,
        plan_id=now.plan_id,
        plan_version=max(line.plan_version for line in lines),
        rule=now.rule,
        day_cap=now.day_cap,
        delivered_on=now.delivered_on,
    )


def _group(line: EarnedLine, day_cap: int) -> CappedDay:
    return CappedDay(line.delivered_on, line.role, line.plan_id, line.rule, day_cap)


def _without_sum(day: CappedDay) -> CappedDay:
    return replace(day, earned=0)


def _order(day: CappedDay) -> tuple[str, str, str, str, int]:
    return day.delivered_on, day.role, day.plan_id, day.rule, day.day_cap
