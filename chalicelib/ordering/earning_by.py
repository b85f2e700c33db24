"""By which rule of its leader's plan each line of a new order earns, and who has a part in it."""

from collections.abc import Sequence
from datetime import datetime

from chalicelib.catalogue.rules import Offer
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Conflict, FieldError
from chalicelib.parties import store as parties
from chalicelib.parties.rules import Leader
from chalicelib.plans.rules import BonusTerms, Plan, Seller, Terms, Version, terms_for
from chalicelib.platform.settings import settings


def terms_of(
    plan: Plan | None, seller: Seller, offers: Sequence[Offer], now: datetime
) -> list[Terms | None]:
    """The terms of each offer by the plan's version of this business date; None where the offer
    names a commission, which wins over any plan.

    Raises Conflict `no_commission_rule` where neither says anything: nobody sells for nothing
    because a rule was forgotten.
    """
    found = [terms_by(plan, seller, offer, now) for offer in offers]
    wrong = tuple(
        FieldError(f"lines.{n}.sku_id", "is sold under no commission rule")
        for n, (offer, terms) in enumerate(zip(offers, found, strict=True))
        if offer.commission is None and terms is None
    )
    if wrong:
        raise Conflict(
            "The leader's commission plan has no rule for some lines.",
            code="no_commission_rule",
            errors=wrong,
        )
    return found


def terms_by(plan: Plan | None, seller: Seller, offer: Offer, now: datetime) -> Terms | None:
    """The terms of one offer by a plan; None where it names a commission, or the plan no rule."""
    if offer.commission or plan is None:
        return None
    version = _in_force(plan, now)
    rule = version.rule_for(offer.sold_at(seller.level)) if version else None
    return terms_for(plan, version, rule, seller) if version and rule else None


def selling(leader: Leader) -> Seller:
    """The leader as it sells from now on: who leaves has no part in what others bring any more."""
    found = seller(leader)
    return found.without(parties.leaving_of(found.others)) if found.others else found


def bonuses_of(plan: Plan | None, now: datetime) -> tuple[BonusTerms, ...]:
    """The bonuses that an order which is placed now keeps, of the plan's version of this day."""
    version = _in_force(plan, now) if plan else None
    return version.bonus_terms if version else ()


def _in_force(plan: Plan, now: datetime) -> Version | None:
    return plan.in_force_on(clock.business_date(now, settings().zone).isoformat())


def seller(leader: Leader) -> Seller:
    return Seller(
        leader.level,
        leader.pickup_point.country,
        leader.pickup_leader_id,
        leader.hub_id,
        leader.upline,
    )
