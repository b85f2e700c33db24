"""That nobody sells an offer under no rule: an offer names its commission, or a plan does."""

from collections.abc import Sequence
from datetime import datetime

from chalicelib.catalogue.rules import Campaign, Offer
from chalicelib.kernel import clock
from chalicelib.kernel.errors import FieldError, Invalid
from chalicelib.parties.rules import Leader
from chalicelib.plans import store as plans
from chalicelib.plans.rules import Plan
from chalicelib.platform.settings import settings


def check(campaign: Campaign, offers: Sequence[Offer], leaders: Sequence[Leader]) -> None:
    """Raise Invalid naming each offer without a commission for which the plans of its leaders,
    or where the campaign is for every one the platform's default plan, have no rule when it opens.

    What is changed of plans afterwards is found out when an order is placed.
    """
    open_offers = {n: offer for n, offer in enumerate(offers) if offer.commission is None}
    if not open_offers:
        return
    day = _day(max(campaign.opens_at, clock.now()))
    sellers = _plans_of(campaign, leaders)
    wrong = tuple(
        FieldError(f"offers.{n}.commission", "is required: no commission plan has a rule for it")
        for n, offer in open_offers.items()
        if not all(_has_rule(plan, day, offer, level) for plan, level in sellers)
    )
    if wrong:
        raise Invalid("Some offers have no commission.", code="no_commission_rule", errors=wrong)


def _plans_of(
    campaign: Campaign, leaders: Sequence[Leader]
) -> list[tuple[Plan | None, str | None]]:
    """By which plan, and at which level, its leaders earn; each kind of them once."""
    default = plans.get_defaults().plan_of(campaign.currency)
    kinds = {(leader.plan_id or default, leader.level): None for leader in leaders}
    kinds = kinds or {(default, None): None}
    found = plans.get_plans(plan_id for plan_id, _ in kinds if plan_id)
    return [(found.get(plan_id or ""), level) for plan_id, level in kinds]


def _has_rule(plan: Plan | None, day: str, offer: Offer, level: str | None) -> bool:
    version = plan.in_force_on(day) if plan else None
    return version is not None and version.rule_for(offer.sold_at(level)) is not None


def _day(instant: datetime) -> str:
    return clock.business_date(instant, settings().zone).isoformat()
