"""Commission plans: which rule a line of an order falls under, and whom it pays what. Pure."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal, NamedTuple

from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.kernel.money import BASIS_POINTS, allocate, at_rate

Basis = Literal["sales", "gross_profit"]
SplitRole = Literal["promoter", "pickup_point", "hub"]
PlanBonusKind = Literal["first_order", "campaign_total"]
OFFER, DEFAULT, PROMOTER = "offer", "default", "promoter"
# A plan is read with an order, so what it holds of versions to come is bounded.
MOST_TO_COME = 5
# So is what an order keeps of bonuses, each of which its delivery may bring.
MOST_BONUSES = 10
# What a match may name, the most specific first, and the word that a statement has for it.
WORDS: Mapping[str, str] = {
    "sku_id": "sku",
    "product_id": "product",
    "campaign_id": "campaign",
    "category": "category",
    "level": "level",
}


@dataclass(frozen=True)
class Sold:
    """What a rule looks at: a SKU that a campaign sells through a leader of some level."""

    sku_id: str
    product_id: str
    campaign_id: str | None
    category: str | None
    level: str | None


@dataclass(frozen=True)
class Rule:
    """What a line earns that is just what this names; a rule that names nothing is the default.

    Caps and floors are in the minor unit of the plan's currency. `split` are roles with their
    basis points; none is all to the promoter.
    """

    basis: Basis
    rate_bps: int
    sku_id: str | None = None
    product_id: str | None = None
    campaign_id: str | None = None
    category: str | None = None
    level: str | None = None
    split: Sequence[Sequence[Any]] = ()
    line_cap: int | None = None
    order_cap: int | None = None
    day_cap: int | None = None
    line_floor: int | None = None

    @property
    def named(self) -> tuple[bool, ...]:
        """Which fields it names, the most specific first: of two that fit, the greater wins."""
        return tuple(getattr(self, name) is not None for name in WORDS)

    @property
    def words(self) -> str:
        """The rule as a statement names it, such as `sku:sku_1+level:gold`."""
        said = [f"{word}:{getattr(self, name)}" for name, word in WORDS.items() if self._asks(name)]
        return "+".join(said) or DEFAULT

    @property
    def names_money(self) -> bool:
        bounds = (self.line_cap, self.order_cap, self.day_cap, self.line_floor)
        return any(bound is not None for bound in bounds)

    def fits(self, sold: Sold) -> bool:
        return all(getattr(self, name) == getattr(sold, name) for name in WORDS if self._asks(name))

    def _asks(self, name: str) -> bool:
        return getattr(self, name) is not None


@dataclass(frozen=True)
class PlanBonus:
    """What the seller is paid beside its commission, in the minor unit of the plan's currency.

    `first_order`: for the first order of a new customer. `campaign_total`: where what a leader's
    orders of one campaign have brought that is delivered reaches the threshold.
    """

    kind: PlanBonusKind
    amount: int
    threshold: int | None = None

    @property
    def words(self) -> str:
        """The bonus as changes of a plan name it, such as `campaign_total:100000`."""
        return self.kind if self.threshold is None else f"{self.kind}:{self.threshold}"


@dataclass(frozen=True)
class BonusTerms(PlanBonus):
    """A bonus as an order keeps it, with the version of the plan that promised it."""

    plan_id: str = ""
    plan_version: int = 0


@dataclass(frozen=True)
class Version:
    """What a plan says from a business date on, until its next version; one that was withdrawn
    before its date has said nothing to any order."""

    plan_id: str
    number: int
    effective_from: str
    rules: tuple[Rule, ...]
    # Basis points for who invited the seller, and for who invited that one.
    upline: tuple[int, ...]
    made_by: str
    made_at: datetime
    bonuses: tuple[PlanBonus, ...] = ()
    withdrawn_by: str | None = None
    withdrawn_at: datetime | None = None

    @property
    def levels(self) -> set[str]:
        """Those that it has a rule for."""
        return {rule.level for rule in self.rules if rule.level}

    @property
    def bonus_terms(self) -> tuple[BonusTerms, ...]:
        """What an order that is placed under it keeps of its bonuses."""
        return tuple(
            BonusTerms(each.kind, each.amount, each.threshold, self.plan_id, self.number)
            for each in self.bonuses
        )

    def rule_for(self, sold: Sold) -> Rule | None:
        """The most specific rule that fits; there is one at most, since no two name the same."""
        fitting = (rule for rule in self.rules if rule.fits(sold))
        return max(fitting, key=lambda rule: rule.named, default=None)


@dataclass(frozen=True)
class Plan:
    """A plan with the version in force and those to come.

    Without a currency it is for leaders of any, and names no amounts. A country's law says whether
    it may name uplines; they are paid to sellers of that country.
    """

    id: str
    name: str
    currency: str | None
    country: str | None
    is_default: bool
    versions: tuple[Version, ...]
    last_version: int
    revision: int
    created_at: datetime

    def in_force_on(self, day: str) -> Version | None:
        begun = [each for each in self.versions if each.effective_from <= day]
        return begun[-1] if begun else None

    def first_after(self, day: str) -> Version | None:
        """The first version that begins later."""
        return next((each for each in self.versions if each.effective_from > day), None)

    def levels_on(self, day: str) -> list[str]:
        """Those that the version in force, or one to come, has a rule for."""
        return sorted(set[str]().union(*(version.levels for version in self.live_on(day))))

    def live_on(self, day: str) -> tuple[Version, ...]:
        """The version in force and those to come, by their dates."""
        now = self.in_force_on(day)
        return tuple(each for each in self.versions if each is now or each.effective_from > day)

    def with_version(self, version: Version, today: str) -> "Plan":
        """Raises Conflict where a version is in force that begins no earlier, or begins the same
        day."""
        _check_begins(self, version.effective_from, today)
        versions = sorted(
            (*self.live_on(today), version), key=lambda each: (each.effective_from, each.number)
        )
        return replace(
            self,
            versions=tuple(versions),
            last_version=version.number,
            revision=self.revision + 1,
        )

    def without_version(self, version: Version, day: str) -> "Plan":
        """Raises Conflict where it has begun by that day, and there may be orders under it."""
        if version.effective_from <= day:
            raise Conflict(
                f"Version {version.number} is of {version.effective_from}, which has begun or is "
                "about to: orders may be placed under it. Add a version that says what holds from "
                "now on.",
                code="version_begun",
            )
        return self.changed(
            versions=tuple(each for each in self.versions if each.number != version.number)
        )

    def changed(self, **changes: Any) -> "Plan":
        return replace(self, revision=self.revision + 1, **changes)


class Share(NamedTuple):
    """A part of a line's commission: `share_bps` of what the rate brings."""

    role: str
    leader_id: str
    rate_bps: int
    share_bps: int = BASIS_POINTS

    @property
    def weight(self) -> int:
        return self.rate_bps * self.share_bps


@dataclass(frozen=True)
class Terms:
    """What a line's commission is counted by, frozen when its order is placed.

    `others` have their parts of it beside the promoter, who has `share_bps` of the rate.
    """

    basis: Basis
    rate_bps: int
    rule: str = OFFER
    plan_id: str = ""
    plan_version: int = 0
    share_bps: int = BASIS_POINTS
    others: tuple[Share, ...] = ()
    line_cap: int | None = None
    order_cap: int | None = None
    day_cap: int | None = None
    line_floor: int | None = None

    @property
    def total_bps(self) -> int:
        """The rate with the uplines' on top."""
        return self.rate_bps + sum(each.rate_bps for each in self.others if is_upline(each.role))

    def amount(self, base: int) -> int:
        """What a line brings all who have a part in it, by itself: within its floor and cap."""
        amount = max(at_rate(base, self.total_bps), self.line_floor or 0)
        return amount if self.line_cap is None else min(amount, self.line_cap)

    def divided(self, amount: int) -> list[int]:
        """The promoter's part of a line's commission, then the others', by largest remainder."""
        promoter = Share(PROMOTER, "", self.rate_bps, self.share_bps)
        return allocate(amount, [each.weight for each in (promoter, *self.others)])


@dataclass(frozen=True)
class Seller:
    """The leader that an order is placed with, as a plan sees it."""

    level: str | None
    country: str
    pickup_leader_id: str | None
    hub_id: str | None
    # Who invited it, and who invited that one; empty in the place of one that takes no part.
    upline: Sequence[str]

    @property
    def others(self) -> set[str]:
        """Who has a part in what the seller brings, beside itself."""
        return {each for each in (self.pickup_leader_id, self.hub_id, *self.upline) if each}

    def without(self, gone: Collection[str]) -> "Seller":
        return replace(
            self,
            pickup_leader_id=None if self.pickup_leader_id in gone else self.pickup_leader_id,
            hub_id=None if self.hub_id in gone else self.hub_id,
            upline=tuple("" if each in gone else each for each in self.upline),
        )


def terms_for(plan: Plan, version: Version, rule: Rule, seller: Seller) -> Terms:
    """A rule with those who have a part in what the seller brings; what a role would have that
    nobody fills is the promoter's, and what an upline would have nobody's."""
    fills = {"pickup_point": seller.pickup_leader_id, "hub": seller.hub_id}
    split = [
        Share(role, leader_id, rule.rate_bps, bps)
        for role, bps in rule.split
        if bps and (leader_id := fills.get(role))
    ]
    upline = version.upline if seller.country == plan.country else ()
    above = [
        Share(f"upline_{n}", leader_id, bps)
        for n, (leader_id, bps) in enumerate(zip(seller.upline, upline, strict=False), start=1)
        if leader_id
    ]
    return Terms(
        rule.basis,
        rule.rate_bps,
        rule.words,
        plan.id,
        version.number,
        BASIS_POINTS - sum(each.share_bps for each in split),
        (*split, *above),
        rule.line_cap,
        rule.order_cap,
        rule.day_cap,
        rule.line_floor,
    )


def commissions(lines: Sequence[tuple[Terms, int]]) -> list[int]:
    """What each line of an order brings by its terms and its base, within its bounds and those of
    the order. Lines under one rule give up by largest remainder what is beyond its order's cap."""
    found = [terms.amount(base) for terms, base in lines]
    under: dict[str, list[int]] = defaultdict(list)
    for n, (terms, _) in enumerate(lines):
        if terms.order_cap is not None:
            under[terms.rule].append(n)
    for places in under.values():
        cap, brought = lines[places[0]][0].order_cap or 0, [found[n] for n in places]
        if sum(brought) > cap:
            for n, left in zip(places, allocate(cap, brought), strict=True):
                found[n] = left
    return found


def is_upline(role: str) -> bool:
    return role.startswith("upline_")


def _free_day(plan: Plan, today: str) -> date:
    """The first from tomorrow on, on which no version begins."""
    taken = {each.effective_from for each in plan.versions}
    day = date.fromisoformat(today) + timedelta(days=1)
    while day.isoformat() in taken:
        day += timedelta(days=1)
    return day


def _check_begins(plan: Plan, effective_from: str, today: str) -> None:
    now = plan.in_force_on(today)
    if now and effective_from < now.effective_from:
        since = f"Version {now.number} is in force since {now.effective_from}"
        raise _overlap(f"{since}; a new one begins today or later.")
    for each in plan.live_on(today):
        if each.effective_from == effective_from:
            raise _overlap(
                f"Version {each.number} begins on {effective_from} as well, and a version is never "
                f"edited. {_instead(plan, each, today)}"
            )
    if now and effective_from < today:
        raise Invalid.field("effective_from", "must not lie in the past: orders keep their version")
    to_come = [each for each in plan.versions if each.effective_from > today]
    if effective_from > today and len(to_come) >= MOST_TO_COME:
        raise Conflict(
            f"{MOST_TO_COME} versions are to come already.", code="too_many_versions_to_come"
        )


def _instead(plan: Plan, version: Version, today: str) -> str:
    """What to do where the day that a new version asks for is that of another."""
    begin = f"begin the new one on a day of its own, such as {_free_day(plan, today)}"
    if version.effective_from <= today:
        return f"So {begin}."
    path = f"/v1/commission-plans/{plan.id}/versions/{version.number}/withdraw"
    return f"Where it is wrong, withdraw it first (POST {path}); else {begin}."


def _overlap(detail: str) -> Conflict:
    return Conflict(detail, code="versions_overlap")
