"""The audit trail: who has changed a plan or a leader's terms, when and how. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chalicelib.plans.rules import Rule, Version

ChangeKind = Literal[
    "created",
    "version_added",
    "version_withdrawn",
    "made_default",
    "no_longer_default",
    "leader_changed",
]


@dataclass(frozen=True)
class Difference:
    """What a field said before and after, in words; None where it said nothing."""

    field: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Change:
    """Who changed what, and when: of a plan, or of what a leader earns by."""

    id: str
    plan_id: str | None
    leader_id: str | None
    what: ChangeKind
    by: str
    changed_at: datetime
    differences: tuple[Difference, ...]


def differences(
    before: Mapping[str, str | None], after: Mapping[str, str | None]
) -> tuple[Difference, ...]:
    names = dict.fromkeys((*before, *after))
    return tuple(
        Difference(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    )


def said(version: Version | None) -> dict[str, str | None]:
    """What a version says, by field, in words that can be compared."""
    if version is None:
        return {}
    upline = ", ".join(f"{bps} bps" for bps in version.upline)
    return {
        "version": str(version.number),
        "effective_from": version.effective_from,
        **{f"rules.{rule.words}": _said_of(rule) for rule in version.rules},
        "upline": upline or None,
        **{f"bonuses.{each.words}": str(each.amount) for each in version.bonuses},
    }


def _said_of(rule: Rule) -> str:
    bounds = {
        "at most {} a line": rule.line_cap,
        "at most {} an order": rule.order_cap,
        "at most {} a day": rule.day_cap,
        "at least {} a line": rule.line_floor,
    }
    split = " / ".join(f"{role} {bps}" for role, bps in rule.split)
    return ", ".join(
        [
            f"{rule.rate_bps} bps of {rule.basis}",
            *([split] if split else []),
            *(words.format(bound) for words, bound in bounds.items() if bound is not None),
        ]
    )
