"""Campaigns, their offers and the leaders they are for: in the catalogue table."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.catalogue.pricing import PriceStep, QuantityBreak
from chalicelib.catalogue.product_store import SKU, CatalogueMeta, SkuRow
from chalicelib.catalogue.rules import (
    EVERY_LEADER,
    Campaign,
    LeaderPrice,
    Offer,
    Target,
)
from chalicelib.kernel import clock, ids
from chalicelib.kernel.errors import Stale
from chalicelib.parties.terms import STANDARD
from chalicelib.platform import store
from chalicelib.platform.indexes import Due, Listing
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.store import Key
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    IntegersAttribute,
    RecordAttribute,
    RecordsAttribute,
    Row,
    absent,
)
from chalicelib.platform.transaction import WRITE_LIMIT, Check, Delete, Put, Update, create, write

CAMPAIGN, CAMPAIGNS = "campaign", "campaigns"
OFFER_PREFIX, LEADER_PREFIX, PRICES_PREFIX = "offer#", "leader#", "prices#"
DUE_SHARDS = 4
CAMPAIGNS_A_READ = 20


class ByLeader(GlobalSecondaryIndex[Any]):
    """Campaigns for a leader (or for `*`, every leader), by their closing."""

    class Meta:
        index_name = "by_leader"
        projection = KeysOnlyProjection()

    leader_id = UnicodeAttribute(hash_key=True)
    closes_at = InstantAttribute(range_key=True)


class BySku(GlobalSecondaryIndex[Any]):
    """The offers of a SKU, by the age of their campaigns."""

    class Meta:
        index_name = "by_sku"
        projection = KeysOnlyProjection()

    sku_id = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)


class CampaignRow(EntityRow[Campaign]):
    Meta = CatalogueMeta
    entity = Campaign

    listing = UnicodeAttribute()
    listed = Listing()
    due = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    by_due = Due()
    id = UnicodeAttribute()
    title = UnicodeAttribute()
    opens_at = InstantAttribute()
    closes_at = InstantAttribute()
    currency = UnicodeAttribute()
    for_every_leader = BooleanAttribute()
    cancelled = BooleanAttribute()
    version = IntegerAttribute()
    created_at = InstantAttribute()
    look_at = InstantAttribute(null=True)
    closing_told = BooleanAttribute()
    target = RecordAttribute(Target, null=True)
    outcome = UnicodeAttribute(null=True)
    judged_at = InstantAttribute(null=True)
    max_orders = IntegerAttribute(null=True)
    max_orders_raises = IntegersAttribute(default=())
    place_shards = IntegerAttribute(default=1)
    full_until = InstantAttribute(null=True)

    @classmethod
    def keys(cls, entity: Campaign) -> dict[str, Any]:
        keys: dict[str, Any] = {"pk": entity.id, "sk": CAMPAIGN, "listing": CAMPAIGNS}
        if entity.look_at:
            shard = ids.shard(entity.id, DUE_SHARDS)
            keys |= {"due": _due(shard), "due_at": entity.look_at}
        return keys


class OfferRow(EntityRow[Offer]):
    Meta = CatalogueMeta
    entity = Offer

    campaign_id = UnicodeAttribute()
    sku_id = UnicodeAttribute()
    product_id = UnicodeAttribute()
    # Under another name than a product's, so that offers stay out of `by_supplier`.
    supplier_id = UnicodeAttribute(attr_name="offer_supplier_id")
    supplier_sku = UnicodeAttribute(null=True)
    title = UnicodeAttribute()
    category = UnicodeAttribute(null=True)
    price = IntegerAttribute()
    unit_cost = IntegerAttribute()
    basis = UnicodeAttribute(null=True)
    rate_bps = IntegerAttribute(null=True)
    limit_per_customer = IntegerAttribute(null=True)
    floor_price = IntegerAttribute(null=True)
    price_schedule = RecordsAttribute(PriceStep)
    quantity_breaks = RecordsAttribute(QuantityBreak)
    quantity_cap = IntegerAttribute(null=True)
    cap_raises = IntegersAttribute(default=())
    cap_shards = IntegerAttribute(default=1)
    priced_at = IntegerAttribute(default=1)
    fulfilment_mode = UnicodeAttribute(default=STANDARD)
    stock_shards = IntegerAttribute(default=1)
    sold_out_until = InstantAttribute(null=True)
    of_sku = BySku()

    @classmethod
    def keys(cls, entity: Offer) -> dict[str, Any]:
        return {"pk": entity.campaign_id, "sk": OFFER_PREFIX + entity.sku_id}


class CampaignLeaderRow(Row):
    """Opens a campaign to one leader's community, or to every one."""

    Meta = CatalogueMeta

    leader_id = UnicodeAttribute()
    closes_at = InstantAttribute()
    for_leader = ByLeader()


class LeaderPricesRow(Row):
    """The prices that one leader has set in one campaign, all in an item: one read an order."""

    Meta = CatalogueMeta

    prices = RecordsAttribute(LeaderPrice)
    version = IntegerAttribute()

    @property
    def by_sku(self) -> dict[str, LeaderPrice]:
        return {each.sku_id: each for each in self.prices}


def campaign_key(campaign_id: str) -> Key:
    return Key(CampaignRow, campaign_id, CAMPAIGN)


def offer_key(campaign_id: str, sku_id: str) -> Key:
    return Key(OfferRow, campaign_id, OFFER_PREFIX + sku_id)


def campaign_leader_key(campaign_id: str, leader_id: str) -> Key:
    return Key(CampaignLeaderRow, campaign_id, LEADER_PREFIX + leader_id)


def leader_prices_key(campaign_id: str, leader_id: str) -> Key:
    return Key(LeaderPricesRow, campaign_id, PRICES_PREFIX + leader_id)


def get_campaign(campaign_id: str) -> Campaign | None:
    row = store.get(CampaignRow, campaign_id, CAMPAIGN)
    return row.to_entity() if row else None


def campaigns(page: PageRequest) -> Page[Campaign]:
    return store.newest(CampaignRow.listed, [CAMPAIGNS], CampaignRow.pk, page).map(
        CampaignRow.to_entity
    )


def offers(campaign_id: str) -> list[Offer]:
    rows = store.query(OfferRow, campaign_id, where=OfferRow.sk.startswith(OFFER_PREFIX))
    return [row.to_entity() for row in rows]


def get_offer(campaign_id: str, sku_id: str) -> Offer | None:
    row = store.get(OfferRow, campaign_id, OFFER_PREFIX + sku_id)
    return row.to_entity() if row else None


def get_offers(campaign_id: str, sku_ids: Iterable[str]) -> list[Offer]:
    rows = store.get_many(OfferRow, [(campaign_id, OFFER_PREFIX + each) for each in sku_ids])
    return [row.to_entity() for row in rows]


def names_leader(campaign_id: str, leader_id: str) -> bool:
    return store.get(CampaignLeaderRow, campaign_id, LEADER_PREFIX + leader_id) is not None


def leader_prices(campaign_id: str, leader_id: str) -> dict[str, LeaderPrice]:
    """What a leader asks in a campaign, by SKU; the offer's price stands for the others."""
    row = store.get(LeaderPricesRow, campaign_id, PRICES_PREFIX + leader_id)
    return row.by_sku if row else {}


def set_leader_price(
    campaign_id: str, leader_id: str, sku_id: str, asked: LeaderPrice | None
) -> Put:
    """Set one of a leader's prices, or take it back; Stale where one was changed meanwhile."""
    key = (campaign_id, PRICES_PREFIX + leader_id)
    before = store.get(LeaderPricesRow, *key)
    prices = {**(before.by_sku if before else {}), sku_id: asked}
    row = LeaderPricesRow(
        *key,
        prices=tuple(each for each in prices.values() if each),
        version=before.version + 1 if before else 1,
    )
    return Put(row, LeaderPricesRow.version == before.version if before else absent())


def leader_ids(campaign_id: str) -> list[str]:
    """The leaders a campaign names; empty for one that is for every leader."""
    rows = store.query(
        CampaignLeaderRow, campaign_id, where=CampaignLeaderRow.sk.startswith(LEADER_PREFIX)
    )
    return [row.leader_id for row in rows if row.leader_id != EVERY_LEADER]


def campaigns_of_leader(
    leader_id: str, closing_after: datetime, after: tuple[datetime, str] | None
) -> Iterator[Campaign]:
    """Campaigns for this leader that close after an instant, the soonest first and then by id.

    `after` is the closing and the id of the campaign to go on behind. They are read as they are
    asked for.
    """
    found = store.oldest(
        CampaignLeaderRow.for_leader,
        [leader_id, EVERY_LEADER],
        CampaignLeaderRow.closes_at > closing_after,
        CampaignLeaderRow.closes_at,
    )
    keys = sorted((row.closes_at, row.pk) for row in found)
    left = [(pk, CAMPAIGN) for closes_at, pk in keys if not after or (closes_at, pk) > after]
    for start in range(0, len(left), CAMPAIGNS_A_READ):
        for row in store.get_many(CampaignRow, left[start : start + CAMPAIGNS_A_READ]):
            yield row.to_entity()


def lay_out(campaign: Campaign, offered: Sequence[Offer], named: Sequence[str]) -> None:
    """Write what belongs to a campaign before the campaign itself: unseen until that exists."""
    rows = [
        *(add_offer(offer) for offer in offered),
        *(_open_to(campaign, leader_id) for leader_id in named or [EVERY_LEADER]),
    ]
    for start in range(0, len(rows), WRITE_LIMIT):
        write(*rows[start : start + WRITE_LIMIT])


def add_offer(offer: Offer) -> Put:
    return create(OfferRow.of(offer))


def change_offer(before: Offer, after: Offer) -> Update:
    """Write what differs, so that the hints which others leave on an offer stay."""
    changed = {name: value for name, value in vars(after).items() if value != getattr(before, name)}
    actions = [
        getattr(OfferRow, name).remove() if value is None else getattr(OfferRow, name).set(value)
        for name, value in changed.items()
    ]
    return Update(_offer_at(after), actions, OfferRow.pk.exists())


def drop_offer(offer: Offer) -> Delete:
    return Delete(_offer_at(offer))


def name_others(
    campaign: Campaign, before: Sequence[str], after: Sequence[str]
) -> list[Delete | Put]:
    """Close a campaign to leaders that it no longer names, and open it to those it names now."""
    was, is_for = set(before or [EVERY_LEADER]), set(after or [EVERY_LEADER])
    gone = (
        Delete(CampaignLeaderRow.at(campaign.id, LEADER_PREFIX + each))
        for each in sorted(was - is_for)
    )
    return [*gone, *(_open_to(campaign, each) for each in sorted(is_for - was))]


def _open_to(campaign: Campaign, leader_id: str) -> Put:
    return create(
        CampaignLeaderRow(
            campaign.id,
            LEADER_PREFIX + leader_id,
            leader_id=leader_id,
            closes_at=campaign.closes_at,
        )
    )


def _offer_at(offer: Offer) -> OfferRow:
    return OfferRow.at(offer.campaign_id, OFFER_PREFIX + offer.sku_id)


def list_at_least_until(campaign: Campaign, closes_at: datetime) -> None:
    """List the campaign, as it stands in the store, by no earlier closing in its communities."""
    _list_by(campaign, closes_at, lambda listed: listed < closes_at)


def list_by_its_closing(campaign: Campaign, listed_by: datetime) -> None:
    """The same by just its closing, where it has been listed by another.

    Stale where the campaign has changed meanwhile.
    """
    _list_by(campaign, campaign.closes_at, lambda listed: listed == listed_by)


def _list_by(campaign: Campaign, closes_at: datetime, concerns: Callable[[datetime], bool]) -> None:
    row = CampaignLeaderRow
    unchanged = Check(
        CampaignRow.at(campaign.id, CAMPAIGN), CampaignRow.version == campaign.version
    )
    found = store.query(row, campaign.id, where=row.sk.startswith(LEADER_PREFIX))
    moved = [
        Update(
            row.at(each.pk, each.sk),
            [row.closes_at.set(closes_at)],
            row.closes_at == each.closes_at,
        )
        for each in found
        if each.closes_at != closes_at and concerns(each.closes_at)
    ]
    for start in range(0, len(moved), WRITE_LIMIT - 1):
        write(unchanged, *moved[start : start + WRITE_LIMIT - 1])


def hint_shards(sku_id: str, shards: int, now: datetime) -> None:
    """Let offers know over how many shards their SKU's stock is spread: those to come, and those
    of campaigns that have not closed."""
    sku = store.get(SkuRow, sku_id, SKU)
    if sku and sku.stock_shards != shards:
        write(_hint(SkuRow, sku_id, SKU, shards))
    for campaign_id in _campaigns_offering(sku_id, now):
        write(_hint(OfferRow, campaign_id, OFFER_PREFIX + sku_id, shards))


def _hint(row: type[SkuRow] | type[OfferRow], pk: str, sk: str, shards: int) -> Update:
    return Update(row.at(pk, sk), [row.stock_shards.set(shards)], row.pk.exists())


def _campaigns_offering(sku_id: str, now: datetime) -> list[str]:
    found = store.oldest(OfferRow.of_sku, [sku_id], None, OfferRow.pk)
    rows = store.get_many(CampaignRow, [(each.pk, CAMPAIGN) for each in found])
    return [row.pk for row in rows if row.closes_at > now and not row.cancelled]


def mark_sold_out(offer: Offer, until: datetime) -> None:
    """Refuse orders of the offer without a look for a moment; harmless where others did before."""
    _mark(_offer_at(offer), OfferRow.sold_out_until, until)


def mark_full(campaign: Campaign, until: datetime) -> None:
    """The same for all orders of a campaign that takes no more."""
    _mark(CampaignRow.at(campaign.id, CAMPAIGN), CampaignRow.full_until, until)


def _mark(row: Row, mark: InstantAttribute, until: datetime) -> None:
    unmarked = mark.does_not_exist() | (mark < clock.now())
    try:
        write(Update(row, [mark.set(until)], unmarked))
    except Stale:
        return


def replace_campaign(changed: Campaign) -> Put:
    """Write a campaign on condition of the version before it; Stale where another came first."""
    return Put(CampaignRow.of(changed), CampaignRow.version == changed.version - 1)


def campaigns_due(now: datetime, limit: int) -> list[str]:
    """Campaigns that must be looked at by now."""
    shards = [_due(n) for n in range(DUE_SHARDS)]
    found = store.oldest(
        CampaignRow.by_due, shards, CampaignRow.due_at <= now, CampaignRow.due_at, limit
    )
    return [row.pk for row in found]


def _due(shard: int) -> str:
    return f"campaign#{shard}"
