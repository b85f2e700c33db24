"""What becomes of a campaign and its orders: told when it closes, judged by its target, cancelled.

A target is judged once, when the close is past and no order waits for its payment. Whatever is
decided, each order then goes its way by itself: every order of the campaign is asked to go on, and
`dispatch` ships or undoes it by what the campaign says.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.catalogue import campaigns, on_sale
from chalicelib.catalogue import store as catalogue
from chalicelib.catalogue.campaigns import CampaignWhole
from chalicelib.catalogue.rules import ASKED_AGAIN_AFTER, Campaign, Outcome, Target
from chalicelib.kernel import clock, events
from chalicelib.kernel.errors import Conflict
from chalicelib.kernel.events import Event
from chalicelib.ordering import store as ordering
from chalicelib.ordering.rules import Order
from chalicelib.platform import queues
from chalicelib.platform.log import metric
from chalicelib.platform.pages import PageRequest
from chalicelib.platform.retries import retry_stale
from chalicelib.platform.sweeping import sweep_each
from chalicelib.platform.transaction import Recorder, Transaction, write

CAMPAIGNS_A_SWEEP = 200
ORDERS_A_MESSAGE = 100
COUNTED_AGAIN_AFTER = timedelta(minutes=1)
# Longer than the function may run that counts.
COUNTED_BY_THEN = timedelta(minutes=6)
BYTES_OF_A_BUYER = 12
# How many orders are counted to tell how far a campaign is.
ORDERS_A_LOOK = 1000


@dataclass(frozen=True)
class Progress:
    """How far a campaign is on the way to its target, counted as it will be judged.

    Without `counted_all` there are more orders than were looked at: the newest.
    """

    buyers: int
    units: int
    orders: int
    waiting_for_payment: int
    counted_all: bool


@dataclass(frozen=True)
class CampaignOnItsWay(CampaignWhole):
    """A campaign, and how far it is where it waits for its target."""

    progress: Progress | None = None


def sweep(now: datetime) -> int:
    """Do what is due to campaigns. Returns how many were looked at."""
    due = catalogue.campaigns_due(now, CAMPAIGNS_A_SWEEP)
    return sweep_each(due, lambda campaign_id: _look_at(campaign_id, now))


@retry_stale
def cancel(campaign_id: str, recorder: Recorder | None) -> Campaign:
    """End a campaign now: each of its orders is undone or refunded whole.

    Raises Conflict where its target has been judged: its orders are on their way, or back already.
    """
    campaign = campaigns.campaign(campaign_id)
    if campaign.cancelled:
        return campaign
    if campaign.outcome:
        raise Conflict(
            f"The campaign has {campaign.outcome} its target; cancel its orders one by one.",
            code="campaign_judged",
        )
    again = clock.now() + ASKED_AGAIN_AFTER
    cancelled = campaign.changed(cancelled=True, look_at=again)
    transaction = Transaction(recorder)
    transaction.add(catalogue.replace_campaign(cancelled))
    transaction.publish(Event(events.CAMPAIGN_CANCELLED, campaign_id))
    transaction.commit(cancelled)
    on_sale.forget(campaign_id)
    return cancelled


def on_its_way(campaign_id: str) -> CampaignOnItsWay:
    whole = campaigns.campaign_whole(campaign_id)
    counts = whole.waits_for_its_target and whole.status != "scheduled"
    progress = _progress(campaign_id) if counts else None
    return CampaignOnItsWay(**vars(whole), progress=progress)


def ask_orders(campaign_id: str, shard: int | None, after: str | None) -> None:
    """Ask a page of the campaign's orders to go on; without a shard, a page of each.

    Raises LookupError for a campaign that is not stored.
    """
    if catalogue.get_campaign(campaign_id) is None:
        raise LookupError(f"campaign {campaign_id} is not stored")
    if shard is None:
        _ask_for_pages(campaign_id, [(n, None) for n in range(ordering.LISTING_SHARDS)])
        return
    found = ordering.orders_in_campaign(campaign_id, shard, after, ORDERS_A_MESSAGE)
    queues.send(queues.DISPATCH_CREATE, [{"subject": order_id} for order_id in found])
    if len(found) == ORDERS_A_MESSAGE:
        _ask_for_pages(campaign_id, [(shard, found[-1])])


def counted(target: Target, orders: Iterable[Order]) -> int | None:
    """What paid and unrefunded orders come to, in buyers or in units; None where one of them may
    still be paid. Of all orders it remembers a sum and a hash of each buyer, however many."""
    buyers, units = set[bytes](), 0
    for order in orders:
        if order.status == "pending_payment":
            return None
        if order.paid_at and order.everything_left():
            buyers.add(_hash(order.customer_id))
            units += sum(line.units_left for line in order.lines)
    return len(buyers) if target.kind == "buyers" else units


def _hash(buyer: str) -> bytes:
    return hashlib.blake2b(buyer.encode(), digest_size=BYTES_OF_A_BUYER).digest()


def _progress(campaign_id: str) -> Progress:
    found = ordering.orders_of_campaign(campaign_id, PageRequest("", ORDERS_A_LOOK))
    live = [order for order in found.items if order.paid_at and order.everything_left()]
    return Progress(
        buyers=len({order.customer_id for order in live}),
        units=sum(line.units_left for order in live for line in order.lines),
        orders=len(live),
        waiting_for_payment=sum(each.status == "pending_payment" for each in found.items),
        counted_all=found.next_after is None,
    )


def _look_at(campaign_id: str, now: datetime) -> None:
    campaign = catalogue.get_campaign(campaign_id)
    if campaign is None or campaign.look_at is None or campaign.look_at > now:
        return
    if campaign.cancelled or campaign.outcome:
        _ask_again(campaign)
    elif not campaign.closing_told:
        _tell_closed(campaign, now)
    else:
        _judge(campaign, now)


def _tell_closed(campaign: Campaign, now: datetime) -> None:
    if now < campaign.closes_at:
        return
    transaction = Transaction()
    transaction.add(catalogue.replace_campaign(campaign.told_closed(now)))
    transaction.publish(Event(events.CAMPAIGN_CLOSED, campaign.id))
    transaction.commit()


def _judge(campaign: Campaign, now: datetime) -> None:
    if campaign.target is None:
        return
    # First of all, so that a count that is too long for its function holds back no other campaign.
    counting = campaign.changed(look_at=now + COUNTED_BY_THEN)
    write(catalogue.replace_campaign(counting))
    count = counted(campaign.target, ordering.all_in_campaign(campaign.id))
    if count is None:
        write(catalogue.replace_campaign(counting.changed(look_at=now + COUNTED_AGAIN_AFTER)))
        return
    met = count >= campaign.target.count
    outcome: Outcome = "met" if met else "missed"
    transaction = Transaction()
    transaction.add(catalogue.replace_campaign(counting.judged(outcome, now)))
    transaction.publish(Event(events.CAMPAIGN_MET if met else events.CAMPAIGN_MISSED, campaign.id))
    transaction.commit()
    metric("CampaignsJudged", outcome=outcome)


def _ask_again(campaign: Campaign) -> None:
    _ask_for_pages(campaign.id, [(n, None) for n in range(ordering.LISTING_SHARDS)])
    write(catalogue.replace_campaign(campaign.changed(look_at=None)))


def _ask_for_pages(campaign_id: str, pages: Sequence[tuple[int, str | None]]) -> None:
    messages = [
        {"subject": campaign_id, "data": {"shard": shard, "after": after}} for shard, after in pages
    ]
    queues.send(queues.CAMPAIGN_ORDERS, messages)
