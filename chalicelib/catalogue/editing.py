"""Changing a campaign: as one likes while it is scheduled, then only where no buyer is hurt."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypedDict

from chalicelib.catalogue import campaigns, commissions, on_sale
from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.campaigns import CampaignWhole, NewOffer
from chalicelib.catalogue.rules import MOST_RAISES, Campaign, Offer, Target, raised
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Conflict, FieldError, Invalid, Stale
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import Transaction

# Longer than a request takes: what is still free to change has changed before anybody buys.
SETTLED_BEFORE_OPENING = timedelta(minutes=1)
OVER = "can no longer change"
# What an offer may still become once it is sold, and the fields that are its commission's.
WIDENED = ("limit_per_customer", "quantity_cap")
OF_COMMISSION = ("basis", "rate_bps")


class Changes(TypedDict, total=False):
    """What is to change; what is left out stays. None takes away what there need not be, and no
    `leader_ids` means every leader."""

    title: str
    opens_at: datetime
    closes_at: datetime
    target: Target | None
    max_orders: int | None
    leader_ids: Sequence[str]
    offers: Sequence[NewOffer]


@retry_stale
def edit(campaign_id: str, changes: Changes) -> CampaignWhole:
    """Change a campaign with its offers and leaders at once.

    Raises Conflict `campaign_not_editable` naming each field that may not change so any more,
    Invalid as creating does, and `edit_too_large` where one transaction cannot hold it.
    """
    before = campaigns.campaign_whole(campaign_id)
    after = _after(before, changes)
    differing = [name for name in changes if _said(before, name) != _said(after, name)]
    if not differing:
        return before
    now = clock.now()
    _check_state(before, after, differing, now)
    if "closes_at" in differing:
        campaigns.check_closes_later(after.closes_at, now)
    after = _raised(before, after) if _is_settled(before, now) else after.with_caps_laid_out()
    transaction = _written(before, after)
    # What is listed too long is judged by the campaign; what is listed too short is not found.
    later = max(before.closes_at, after.closes_at)
    if "closes_at" in differing:
        catalogue.list_at_least_until(before, later)
    transaction.commit()
    on_sale.forget(campaign_id)
    if later != after.closes_at:
        _list_by_closing(after, later)
    return campaigns.campaign_whole(campaign_id)


def _list_by_closing(campaign: Campaign, listed_by: datetime) -> None:
    with suppress(Stale):  # Whoever changed it meanwhile has left it listed long enough.
        catalogue.list_by_its_closing(campaign, listed_by)


def _after(before: CampaignWhole, changes: Changes) -> CampaignWhole:
    """The campaign as it is asked for. Raises Invalid where there can be no such campaign."""
    plain = {name: value for name, value in changes.items() if name != "offers"}
    after = before.changed(**plain)
    after = replace(after, for_every_leader=not after.leader_ids)
    if after.closes_at <= after.opens_at:
        raise Invalid.field("closes_at", "must be after opens_at")
    if "closes_at" in changes:
        after = replace(after, look_at=after.closes_at)
    return _checked(before, after, changes) if {"offers", "leader_ids"} & changes.keys() else after


def _checked(before: CampaignWhole, after: CampaignWhole, changes: Changes) -> CampaignWhole:
    """The campaign with the offers that are asked for, which its leaders can sell."""
    leaders = campaigns.check_leaders(after.leader_ids, after.currency)
    if "offers" in changes:
        offers = campaigns.offers_of(changes["offers"], after, _by_sku(before.offers))
        after = replace(after, offers=offers)
    commissions.check(after, after.offers, leaders)
    return after


def _said(campaign: CampaignWhole, name: str) -> Any:
    """A field of the campaign, as it compares: neither offers nor leaders have an order."""
    if name == "offers":
        return _by_sku(campaign.offers)
    value = getattr(campaign, name)
    return set(value) if name == "leader_ids" else value


def _by_sku(offers: Sequence[Offer]) -> dict[str, Offer]:
    return {offer.sku_id: offer for offer in offers}


def _is_settled(campaign: CampaignWhole, now: datetime) -> bool:
    return campaign.status_at(now + SETTLED_BEFORE_OPENING) != "scheduled"


def _check_state(
    before: CampaignWhole, after: CampaignWhole, differing: Collection[str], now: datetime
) -> None:
    if not _is_settled(before, now):
        return
    status = before.status_at(now)
    if status in ("closed", "cancelled"):
        wrong = [FieldError(name, OVER) for name in differing]
    else:
        hurting = [name for name in differing if name in _WHY_NOT]
        wrong = [why for name in hurting for why in _WHY_NOT[name](before, after)]
    if wrong:
        state = "opens within a minute" if status == "scheduled" else f"is {status}"
        said = "; ".join(f"{each.field} {each.message}" for each in wrong)
        raise Conflict(
            f"The campaign {state}: {said}.", code="campaign_not_editable", errors=tuple(wrong)
        )


def _of_opens_at(before: CampaignWhole, after: CampaignWhole) -> Iterator[FieldError]:
    yield FieldError("opens_at", OVER)


def _of_closes_at(before: CampaignWhole, after: CampaignWhole) -> Iterator[FieldError]:
    if after.closes_at < before.closes_at:
        yield FieldError("closes_at", "may only become later: buyers count on it")
    elif before.target:
        said = "cannot become later: buyers wait for the target to be judged then"
        yield FieldError("closes_at", said)


def _of_target(before: CampaignWhole, after: CampaignWhole) -> Iterator[FieldError]:
    was, asked = before.target, after.target
    if was is None or asked is None or was.kind != asked.kind or asked.count > was.count:
        yield FieldError("target", "may only fall, and by the kind that it has")


def _of_max_orders(before: CampaignWhole, after: CampaignWhole) -> Iterator[FieldError]:
    yield from _of_number("max_orders", before.max_orders, after.max_orders)
    yield from _of_raises("max_orders", before.max_orders_raises, after.max_orders)


def _of_leader_ids(before: CampaignWhole, after: CampaignWhole) -> Iterator[FieldError]:
    yield FieldError("leader_ids", OVER)


def _of_offers(before: CampaignWhole, after: CampaignWhole) -> Iterator[FieldError]:
    was, asked = _by_sku(before.offers), _by_sku(after.offers)
    gone = ", ".join(sku_id for sku_id in was if sku_id not in asked)
    if gone:
        yield FieldError("offers", f"must go on naming {gone}: offers can only be added")
    for n, offer in enumerate(after.offers):
        if offer.sku_id in was:
            yield from _of_offer(f"offers.{n}", was[offer.sku_id], offer)


def _of_offer(field: str, was: Offer, asked: Offer) -> Iterator[FieldError]:
    for name, value in vars(asked).items():
        if value == getattr(was, name) or name == "priced_at":
            continue
        if name in WIDENED:
            yield from _of_number(f"{field}.{name}", getattr(was, name), value)
        else:
            yield FieldError(f"{field}.{_as_sent(name)}", OVER)
    if asked.quantity_cap != was.quantity_cap:
        yield from _of_raises(f"{field}.quantity_cap", was.cap_raises, asked.quantity_cap)


def _as_sent(name: str) -> str:
    return f"commission.{name}" if name in OF_COMMISSION else name


def _of_number(field: str, was: int | None, asked: int | None) -> Iterator[FieldError]:
    if was is None or (asked is not None and asked < was):
        yield FieldError(field, "may only rise, or be lifted by null")


def _of_raises(field: str, raises: tuple[int, ...], asked: int | None) -> Iterator[FieldError]:
    if asked is not None and len(raises) >= MOST_RAISES:
        yield FieldError(field, f"has been raised {MOST_RAISES} times: lift it by null")


# Why a campaign that is sold, or soon will be, cannot become another one: by field that may hurt.
_WHY_NOT: dict[str, Callable[[CampaignWhole, CampaignWhole], Iterator[FieldError]]] = {
    "opens_at": _of_opens_at,
    "closes_at": _of_closes_at,
    "target": _of_target,
    "max_orders": _of_max_orders,
    "leader_ids": _of_leader_ids,
    "offers": _of_offers,
}


def _raised(before: CampaignWhole, after: CampaignWhole) -> CampaignWhole:
    """What orders have taken of a cap stays counted: what it is raised by is put beside it."""
    was = _by_sku(before.offers)
    return replace(
        after,
        max_orders_raises=raised(before.max_orders_raises, before.max_orders, after.max_orders),
        offers=[
            _with_raises(was[each.sku_id], each) if each.sku_id in was else each.with_cap_laid_out()
            for each in after.offers
        ],
    )


def _with_raises(before: Offer, after: Offer) -> Offer:
    raises = raised(before.cap_raises, before.quantity_cap, after.quantity_cap)
    return replace(after, cap_raises=raises)


def _written(before: CampaignWhole, after: CampaignWhole) -> Transaction:
    """All that the change writes, on condition of the campaign's version before it."""
    was, asked = _by_sku(before.offers), _by_sku(after.offers)
    transaction = Transaction()
    transaction.add(
        catalogue.replace_campaign(after),
        *(catalogue.drop_offer(each) for each in before.offers if each.sku_id not in asked),
        *(catalogue.add_offer(each) for each in after.offers if each.sku_id not in was),
        *(
            catalogue.change_offer(was[sku_id], each)
            for sku_id, each in asked.items()
            if sku_id in was and each != was[sku_id]
        ),
        *catalogue.name_others(after, before.leader_ids, after.leader_ids),
    )
    if not transaction.fits:
        raise Invalid.field(
            "offers" if was != asked else "leader_ids",
            "change too much for one transaction; change fewer offers or leaders at a time",
            code="edit_too_large",
        )
    return transaction
