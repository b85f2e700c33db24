"""Requests and answers about commission plans."""

from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from chalicelib.kernel.money import BASIS_POINTS
from chalicelib.plans.changes import ChangeKind
from chalicelib.plans.checking import MOST_TOTAL_BPS, MOST_UPLINE_LEVELS
from chalicelib.plans.rules import (
    MOST_BONUSES,
    Basis,
    PlanBonus,
    PlanBonusKind,
    Rule,
    SplitRole,
    Version,
)
from chalicelib.platform.schema import (
    BasisPoints,
    BusinessDate,
    Country,
    Currency,
    EditModel,
    Identifier,
    Instant,
    PositiveAmount,
    RequestModel,
    ShortText,
    View,
)

MAX_RULES = 100
# Words of what somebody pays for taking part; commission is a part of what is sold.
PAY_TO_JOIN = ("fee", "join", "entry", "member", "recruit", "deposit", "starter", "headcount")


class _NeverPaysToJoin(RequestModel):
    @model_validator(mode="before")
    @classmethod
    def _names_no_joining_fee(cls, sent: Any) -> Any:
        named = [key for key in sent if _is_pay_to_join(key)] if isinstance(sent, dict) else []
        if named:
            raise ValueError(
                f"must not name {named[0]}: commission is a part of what is sold, and is never "
                "tied to what anybody pays for joining"
            )
        return sent


def _is_pay_to_join(key: Any) -> bool:
    return isinstance(key, str) and any(word in key.lower() for word in PAY_TO_JOIN)


class CreatePlan(_NeverPaysToJoin):
    name: ShortText
    currency: Currency | None = Field(
        default=None, description="Of its caps and floors; left out, it names none."
    )
    country: Country | None = Field(
        default=None, description="Whose law its uplines are judged by; left out, it names none."
    )


class MatchIn(_NeverPaysToJoin):
    """What a rule is for: all that it names must fit. Nothing at all is the default."""

    category: ShortText | None = None
    product_id: Identifier | None = None
    sku_id: Identifier | None = None
    campaign_id: Identifier | None = None
    level: ShortText | None = None


class SplitIn(_NeverPaysToJoin):
    role: SplitRole
    bps: BasisPoints


class CapIn(_NeverPaysToJoin):
    """The most that the rule brings, in the minor unit of the plan's currency."""

    line: PositiveAmount | None = Field(
        default=None, description="By one line, for all who have a part in it."
    )
    order: PositiveAmount | None = Field(
        default=None, description="By all lines of one order that fall under the rule."
    )
    day: PositiveAmount | None = Field(
        default=None, description="To one leader in one role, by what is delivered on one day."
    )


class FloorIn(_NeverPaysToJoin):
    """The least that the rule brings, in the minor unit of the plan's currency."""

    line: PositiveAmount | None = Field(default=None, description="By one line.")


class RuleIn(_NeverPaysToJoin):
    match: MatchIn = Field(description="The rule that names the more specific thing wins.")
    basis: Basis
    rate_bps: BasisPoints
    split: Annotated[list[SplitIn], Field(max_length=3)] = Field(
        default=[], description="Who has which part of it; left out, all is the promoter's."
    )
    cap: CapIn | None = None
    floor: FloorIn | None = None

    @field_validator("split")
    @classmethod
    def _is_the_whole(cls, split: list[SplitIn]) -> list[SplitIn]:
        if len({each.role for each in split}) < len(split):
            raise ValueError("must not name one role twice")
        total = sum(each.bps for each in split)
        if split and total != BASIS_POINTS:
            raise ValueError(f"must add up to {BASIS_POINTS}, not to {total}")
        return split

    @model_validator(mode="after")
    def _bounds_agree(self) -> "RuleIn":
        floor = self.floor.line if self.floor else None
        if floor is None:
            return self
        if not self.rate_bps:
            raise ValueError("must not have a floor where the rate is 0")
        for name, cap in (self.cap.model_dump() if self.cap else {}).items():
            if cap is not None and cap < floor:
                raise ValueError(f"must not have a cap a {name} below its floor")
        return self


class UplineIn(_NeverPaysToJoin):
    level: Annotated[int, Field(ge=1, le=MOST_UPLINE_LEVELS)] = Field(
        description="1: who invited the seller; 2: who invited that one."
    )
    bps: Annotated[int, Field(ge=1, le=MOST_TOTAL_BPS)]


class BonusIn(_NeverPaysToJoin):
    """What the seller has beside its commission, once; in the plan's currency."""

    kind: PlanBonusKind = Field(
        description="`first_order`: for the first order of a new customer. `campaign_total`: where "
        "what is delivered of a leader's orders of one campaign reaches the threshold."
    )
    amount: PositiveAmount
    threshold: PositiveAmount | None = Field(
        default=None,
        description="Of a `campaign_total`: how much must be delivered, in the minor unit.",
    )

    @model_validator(mode="after")
    def _threshold_is_of_a_total(self) -> "BonusIn":
        if self.kind == "campaign_total" and self.threshold is None:
            raise ValueError("must have a threshold")
        if self.kind == "first_order" and self.threshold is not None:
            raise ValueError("must not have a threshold")
        return self


class Says(_NeverPaysToJoin):
    """What a version of a plan says."""

    rules: Annotated[list[RuleIn], Field(min_length=1, max_length=MAX_RULES)]
    upline: Annotated[list[UplineIn], Field(max_length=MOST_UPLINE_LEVELS)] = Field(
        default=[], description="On top of the rate, of the same base; the platform bears it."
    )
    bonuses: Annotated[list[BonusIn], Field(max_length=MOST_BONUSES)] = Field(
        default=[],
        description="One for a first order at most, and one for each threshold; the platform "
        "bears them.",
    )

    @field_validator("upline")
    @classmethod
    def _leaves_no_level_out(cls, upline: list[UplineIn]) -> list[UplineIn]:
        if [each.level for each in upline] != list(range(1, len(upline) + 1)):
            raise ValueError("must name the levels in order, from 1 on, each once")
        return upline


class AddVersion(Says):
    effective_from: BusinessDate = Field(
        description="Its first day in the platform's time zone; it holds until the next one's."
    )
    drops_levels: Annotated[list[ShortText], Field(max_length=MAX_RULES)] = Field(
        default=[],
        description="Levels that the version before has and this one is meant not to have, or that "
        "this one has and the one after it has not.",
    )


class WithdrawVersion(RequestModel):
    drops_levels: Annotated[list[ShortText], Field(max_length=MAX_RULES)] = Field(
        default=[],
        description="Levels that no other version in force or to come has a rule for, or that the "
        "version after it drops of the one before it.",
    )


class MakeDefault(RequestModel):
    is_default: bool


class SetLeaderPlan(RequestModel):
    plan_id: Identifier | None = Field(description="Null: the platform's default plan.")
    level: ShortText | None = Field(
        default=None, description="Left out, it stays as it is; null takes it away."
    )


class EditLeader(EditModel):
    """What is left out stays as it is; null takes it away."""

    level: ShortText | None = None
    pickup_leader_id: Identifier | None = Field(
        default=None, description="Who has the pick-up point's part of what this leader brings."
    )
    hub_id: Identifier | None = Field(default=None, description="Who has the hub's part.")
    invited_by: Identifier | None = Field(
        default=None, description="Stands once the leader has invited others."
    )


class MatchView(View):
    category: str | None
    product_id: str | None
    sku_id: str | None
    campaign_id: str | None
    level: str | None


class SplitView(View):
    role: SplitRole
    bps: int


class CapView(View):
    line: int | None
    order: int | None
    day: int | None


class FloorView(View):
    line: int | None


class RuleView(View):
    words: str = Field(description="As statements name it: `default`, or such as `sku:sku_...`.")
    match: MatchView
    basis: Basis
    rate_bps: int
    split: list[SplitView]
    cap: CapView
    floor: FloorView


class UplineView(View):
    level: int
    bps: int


class PlanBonusView(View):
    kind: PlanBonusKind
    amount: int
    threshold: int | None


class VersionView(View):
    plan_id: str
    version: int
    effective_from: str
    rules: list[RuleView]
    upline: list[UplineView]
    bonuses: list[PlanBonusView]
    made_by: str
    made_at: Instant
    withdrawn_by: str | None = Field(description="Who took it back before it began.")
    withdrawn_at: Instant | None


class PlanView(View):
    id: str
    name: str
    currency: str | None
    country: str | None
    is_default: bool
    versions: list[VersionView] = Field(description="The one in force and those to come.")
    created_at: Instant


class DifferenceView(View):
    field: str
    before: str | None
    after: str | None


class ChangeView(View):
    id: str
    plan_id: str | None
    leader_id: str | None
    what: ChangeKind
    by: str
    changed_at: Instant
    differences: list[DifferenceView]


def rules_of(sent: Says) -> list[Rule]:
    return [_rule(each) for each in sent.rules]


def upline_of(sent: Says) -> list[int]:
    return [each.bps for each in sent.upline]


def bonuses_of(sent: Says) -> list[PlanBonus]:
    return [PlanBonus(each.kind, each.amount, each.threshold) for each in sent.bonuses]


def _rule(sent: RuleIn) -> Rule:
    cap, floor = sent.cap or CapIn(), sent.floor or FloorIn()
    return Rule(
        sent.basis,
        sent.rate_bps,
        **sent.match.model_dump(),
        split=tuple((each.role, each.bps) for each in sent.split),
        line_cap=cap.line,
        order_cap=cap.order,
        day_cap=cap.day,
        line_floor=floor.line,
    )


def shown(version: Version) -> VersionView:
    return VersionView(
        plan_id=version.plan_id,
        version=version.number,
        effective_from=version.effective_from,
        rules=[_shown_rule(each) for each in version.rules],
        upline=[UplineView(level=n, bps=bps) for n, bps in enumerate(version.upline, start=1)],
        bonuses=[PlanBonusView.model_validate(each) for each in version.bonuses],
        made_by=version.made_by,
        made_at=version.made_at,
        withdrawn_by=version.withdrawn_by,
        withdrawn_at=version.withdrawn_at,
    )


def _shown_rule(rule: Rule) -> RuleView:
    return RuleView(
        words=rule.words,
        match=MatchView.model_validate(rule),
        basis=rule.basis,
        rate_bps=rule.rate_bps,
        split=[SplitView(role=role, bps=bps) for role, bps in rule.split],
        cap=CapView(line=rule.line_cap, order=rule.order_cap, day=rule.day_cap),
        floor=FloorView(line=rule.line_floor),
    )
