"""Daily caps: what a leader may earn at most by some rule for the deliveries of one day. Pure.

Whatever comes in several runs, late or taken back, the lines of a day and its `cap` lines add up to
what the day brought, or to its cap if that is less.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from chalicelib.kernel.money import allocate
from chalicelib.settlement.rules import EarnedLine, Withheld


@dataclass(frozen=True)
class CappedDay:
    """What runs have taken of one rule's lines of a delivery day, before its cap: the highest that
    any of them that came to something was placed under.

    `borne` is what of it suppliers have paid for, as (account, amount): lines that were refunded
    and that the leader keeps.
    """

    delivered_on: str
    role: str
    plan_id: str
    rule: str
    day_cap: int = 0
    earned: int = 0
    borne: tuple[tuple[str, int], ...] = ()

    @property
    def withheld(self) -> int:
        return max(0, self.earned - self.day_cap)

    @property
    def withheld_for(self) -> Mapping[str, int]:
        """What is withheld, by the account that pays so much less; "" is the platform's revenue.

        The platform has what the cap would withhold of what nobody else bears; so bearers pay just
        what the leader would have lost by their refunds.
        """
        borne = [amount for _, amount in self.borne]
        own = min(self.withheld, max(0, self.earned - sum(borne) - self.day_cap))
        if own == self.withheld:
            return {"": own}
        parts = allocate(self.withheld - own, borne)
        by_account = zip((account for account, _ in self.borne), parts, strict=True)
        return {"": own, **dict(by_account)}

    def with_lines(self, lines: Iterable[EarnedLine]) -> "CappedDay":
        lines, borne = list(lines), Counter(dict(self.borne))
        for line in lines:
            if line.borne_by:
                borne[line.borne_by] += line.amount
        return replace(
            self,
            day_cap=max([self.day_cap, *(line.day_cap or 0 for line in lines if line.amount)]),
            earned=self.earned + sum(line.amount for line in lines),
            borne=tuple(sorted((account, n) for account, n in borne.items() if n)),
        )


def delivery_days(lines: Iterable[EarnedLine]) -> list[str]:
    """The delivery days of capped lines, in order."""
    return sorted({line.delivered_on for line in lines if line.day_cap is not None})


def capped(
    before: Iterable[CappedDay], lines: Sequence[EarnedLine]
) -> tuple[list[EarnedLine], list[CappedDay]]:
    """The `cap` lines that these lines bring, and what the days of `before` come to with them.

    A cap line is negative where more is withheld, and positive where lines that were taken back
    leave room below the cap. One that another than the platform has or pays says so.
    """
    taken: dict[CappedDay, list[EarnedLine]] = defaultdict(list)
    for line in lines:
        if line.day_cap is not None:
            taken[_group(line)].append(line)
    after = {_without_sums(day): day for day in before}
    made = []
    for group, of_group in sorted(taken.items(), key=lambda each: _order(each[0])):
        was = after.get(group, group)
        now = was.with_lines(of_group)
        after[group] = now
        made += _cap_lines(was, now, of_group)
    return made, sorted(after.values(), key=_order)


def withheld(
    before: Iterable[CappedDay], after: Iterable[CappedDay], caps: Iterable[EarnedLine]
) -> list[Withheld]:
    """Of each cap line, from the days as they were before it and as they are with it."""
    was = {_without_sums(day): day for day in before}
    now = {_without_sums(day): day for day in after}
    return [_withheld(was.get(_group(each)), now[_group(each)], each.borne_by) for each in caps]


def _withheld(was: CappedDay | None, now: CappedDay, account: str) -> Withheld:
    borne = dict(now.borne)
    return Withheld(
        before=was.withheld_for.get(account, 0) if was else 0,
        now=now.withheld_for.get(account, 0),
        borne=borne.get(account, 0),
        borne_in_all=sum(borne.values()),
    )


def _cap_lines(was: CappedDay, now: CappedDay, lines: Sequence[EarnedLine]) -> list[EarnedLine]:
    before, after = was.withheld_for, now.withheld_for
    accounts = sorted({*before, *after})
    given = {each: before.get(each, 0) - after.get(each, 0) for each in accounts}
    return [_cap_line(now, each, amount, lines) for each, amount in given.items() if amount]


def _cap_line(now: CappedDay, account: str, amount: int, lines: Sequence[EarnedLine]) -> EarnedLine:
    """Its basis is what the day comes to before its cap."""
    return EarnedLine(
        order_id="",
        sku_id="",
        kind="cap",
        basis="day_cap",
        basis_amount=now.earned,
        rate_bps=0,
        amount=amount,
        matured_on=max(line.matured_on for line in lines),
        role=now.role,
        plan_id=now.plan_id,
        plan_version=max(line.plan_version for line in lines),
        rule=now.rule,
        day_cap=now.day_cap,
        delivered_on=now.delivered_on,
        borne_by=account,
    )


def _group(line: EarnedLine) -> CappedDay:
    return CappedDay(line.delivered_on, line.role, line.plan_id, line.rule)


def _without_sums(day: CappedDay) -> CappedDay:
    return CappedDay(day.delivered_on, day.role, day.plan_id, day.rule)


def _order(day: CappedDay) -> tuple[str, str, str, str]:
    return day.delivered_on, day.role, day.plan_id, day.rule
