"""What a plan may not say: by itself, and by the law of its country. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from chalicelib.kernel.errors import FieldError, Invalid
from chalicelib.plans.rules import Plan, PlanBonus, Rule, Version

# What no law that allows levels allows more of: edges above the seller, and commission in all.
MOST_UPLINE_LEVELS, MOST_TOTAL_BPS = 2, 5_000
# Where an operator finds what a country's law is said to allow.
SET_BY = "the setting UplineLimits (docs/operations.md)"


@dataclass(frozen=True)
class UplineLimit:
    """What a country's law allows: edges above the seller, and commission in all."""

    levels: int = 0
    total_bps: int = MOST_TOTAL_BPS


def check(plan: Plan, rules: Sequence[Rule], upline: Sequence[int], limit: UplineLimit) -> None:
    """Raise Invalid for what the plan may not say, naming the rule that it breaks."""
    wrong = [*_named_twice(rules), *_amounts_without_currency(plan, rules)]
    if wrong:
        raise Invalid("The version cannot be saved.", errors=tuple(wrong))
    if upline:
        _check_upline(plan, rules, upline, limit)


def check_bonuses(
    plan: Plan, bonuses: Sequence[PlanBonus], upline: Sequence[int], limit: UplineLimit
) -> None:
    """Raise Invalid for bonuses that the plan may not promise, naming the rule that they break."""
    wrong = [*_bonuses_named_twice(bonuses), *_bonuses_without_currency(plan, bonuses)]
    if wrong:
        raise Invalid("The version cannot be saved.", errors=tuple(wrong))
    if upline and bonuses:
        raise _amount_beside_upline("bonuses", plan, limit)


def check_levels(plan: Plan, version: Version, dropped: Collection[str]) -> None:
    """Raise Invalid for levels that the version before has and this one silently has not, or that
    this one has and the one after it has not."""
    before, after = _beside(plan, version)
    if missing := sorted(_levels(before) - {*version.levels, *dropped}):
        raise Invalid.field(
            "rules",
            f"have none for {', '.join(missing)}, which the version before has; leaders of such a "
            "level would earn as if they had none. Name it in drops_levels where that is meant.",
            code="levels_dropped",
        )
    if after and (missing := sorted(version.levels - {*_levels(before), *after.levels, *dropped})):
        raise _dropped_then(missing, after)


def check_levels_left(
    plan: Plan, withdrawn: Version, left: Iterable[str], dropped: Collection[str]
) -> None:
    """Raise Invalid for levels that a version to be withdrawn has, and silently no other one; or
    that the version after it drops of the one before it, which nobody has said."""
    if missing := sorted(withdrawn.levels - {*left, *dropped}):
        raise Invalid.field(
            "drops_levels",
            f"must name {', '.join(missing)}: version {withdrawn.number} alone has rules for them, "
            "and leaders of such a level would earn as if they had none",
            code="levels_dropped",
        )
    before, after = _beside(plan, withdrawn)
    kept = {*withdrawn.levels, *dropped}
    if after and (missing := sorted(_levels(before) - {*after.levels, *kept})):
        raise _dropped_then(missing, after)


def _beside(plan: Plan, version: Version) -> tuple[Version | None, Version | None]:
    """What is in force before a version, and what comes after it."""
    day = version.effective_from
    others = replace(plan, versions=tuple(v for v in plan.versions if v.number != version.number))
    return others.in_force_on(day), others.first_after(day)


def _levels(version: Version | None) -> set[str]:
    return version.levels if version else set()


def _dropped_then(missing: Sequence[str], after: Version) -> Invalid:
    return Invalid.field(
        "drops_levels",
        f"must name {', '.join(missing)}: version {after.number} has no rules for them, so from "
        f"{after.effective_from} on leaders of such a level would earn as if they had none",
        code="levels_dropped",
    )


def _named_twice(rules: Sequence[Rule]) -> Iterable[FieldError]:
    seen: set[str] = set()
    for n, rule in enumerate(rules):
        if rule.words in seen:
            yield FieldError(f"rules.{n}.match", f"is that of another rule: {rule.words}")
        seen.add(rule.words)


def _amounts_without_currency(plan: Plan, rules: Sequence[Rule]) -> Iterable[FieldError]:
    for n, rule in enumerate(rules):
        if rule.names_money and plan.currency is None:
            yield FieldError(f"rules.{n}", "names amounts, and the plan has no currency for them")


def _bonuses_named_twice(bonuses: Sequence[PlanBonus]) -> Iterable[FieldError]:
    seen: set[str] = set()
    for n, bonus in enumerate(bonuses):
        if bonus.words in seen:
            yield FieldError(f"bonuses.{n}", f"is that of another bonus: {bonus.words}")
        seen.add(bonus.words)


def _bonuses_without_currency(plan: Plan, bonuses: Sequence[PlanBonus]) -> Iterable[FieldError]:
    if plan.currency is None:
        for n in range(len(bonuses)):
            yield FieldError(f"bonuses.{n}", "is an amount, and the plan has no currency for it")


def _check_upline(
    plan: Plan, rules: Sequence[Rule], upline: Sequence[int], limit: UplineLimit
) -> None:
    if plan.country is None:
        raise _not_allowed("upline", "is allowed by the law of a country, and the plan names none")
    if len(upline) > limit.levels:
        said = f"has {len(upline)} levels, and max_upline_levels of {plan.country}"
        raise _not_allowed("upline", f"{said} is {limit.levels} by {SET_BY}")
    for n, rule in enumerate(rules):
        total = rule.rate_bps + sum(upline)
        if total > limit.total_bps:
            raise _not_allowed(
                f"rules.{n}.rate_bps",
                f"comes to {total} basis points with the uplines', and max_total_bps of "
                f"{plan.country} is {limit.total_bps} by {SET_BY}",
            )
        if rule.line_floor is not None:
            raise _amount_beside_upline(f"rules.{n}.floor", plan, limit)


def _amount_beside_upline(field: str, plan: Plan, limit: UplineLimit) -> Invalid:
    return _not_allowed(
        field,
        "is an amount whatever is sold, so it may come to more than max_total_bps of "
        f"{plan.country}, which is {limit.total_bps} by {SET_BY}; a version with uplines has none",
    )


def _not_allowed(field: str, message: str) -> Invalid:
    return Invalid.field(field, message, code="upline_not_allowed")
