"""Changing a campaign: as one likes while it is scheduled, then only where no buyer is hurt."""

from dataclasses import dataclass
from datetime import datetime

from chalicelib.catalogue import campaigns
from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.campaigns import CampaignWhole
from chalicelib.catalogue.rules import Campaign, Target
from chalicelib.kernel import clock
from chalicelib.kernel.errors import Conflict, Invalid
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.transaction import write


@dataclass(frozen=True)
class Changes:
    """What is to be changed; None leaves it."""

    title: str | None = None
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    target: Target | None = None

    def named(self) -> dict[str, object]:
        return {name: value for name, value in vars(self).items() if value is not None}


@retry_stale
def edit(campaign_id: str, changes: Changes) -> CampaignWhole:
    """Raises Conflict `campaign_not_editable` naming each field that may no longer change, Invalid
    for a window that closes before it opens."""
    campaign = campaigns.campaign(campaign_id)
    _check(campaign, changes, clock.now())
    changed = campaign.changed(**changes.named())
    if changed.closes_at <= changed.opens_at:
        raise Invalid.field("closes_at", "must be after opens_at")
    if changes.closes_at:
        changed = campaign.changed(**changes.named(), look_at=changes.closes_at)
        # Before the campaign itself: what is listed by these is judged by the campaign.
        catalogue.move_closing(campaign_id, changes.closes_at)
    write(catalogue.replace_campaign(changed))
    return campaigns.campaign_whole(campaign_id)


def _check(campaign: Campaign, changes: Changes, now: datetime) -> None:
    status = campaign.status_at(now)
    if status == "scheduled":
        return
    hurts = _hurts(campaign, changes) if status == "open" else dict.fromkeys(changes.named(), OVER)
    if hurts:
        said = "; ".join(f"{name} {why}" for name, why in hurts.items())
        raise Conflict(f"The campaign is {status}: {said}.", code="campaign_not_editable")


OVER = "can no longer change"


def _hurts(campaign: Campaign, changes: Changes) -> dict[str, str]:
    """What of the changes to an open campaign would hurt who has bought, or is about to."""
    found = {}
    if changes.opens_at:
        found["opens_at"] = OVER
    if changes.closes_at and changes.closes_at < campaign.closes_at:
        found["closes_at"] = "may only become later: buyers count on it"
    elif changes.closes_at and campaign.target:
        found["closes_at"] = "cannot become later: buyers wait for the target to be judged then"
    if changes.target and not _easier(campaign.target, changes.target):
        found["target"] = "may only fall, and by the kind that it has"
    return found


def _easier(before: Target | None, after: Target) -> bool:
    return before is not None and after.kind == before.kind and after.count <= before.count
