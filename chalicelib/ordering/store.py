"""The ordering table: orders and customers' limits."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel import ids
from chalicelib.kernel.errors import Stale
from chalicelib.ordering.charged_back import ChargedBack
from chalicelib.ordering.held_units import Cap
from chalicelib.ordering.lines import OrderLine
from chalicelib.ordering.rules import DispatchSummary, Order, ShipTo
from chalicelib.plans.rules import BonusTerms
from chalicelib.platform import store
from chalicelib.platform.indexes import ByCustomer, ByLeader, Due, KeysListing
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.store import Key
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordAttribute,
    RecordsAttribute,
    Row,
    TextsAttribute,
    table,
)
from chalicelib.platform.transaction import Check, Put, Update, create
from chalicelib.stock.rules import Move, Parts, ShardShort

ORDER, LIMITS, CAP, MOVES = "order", "limits", "cap", "moves"
# At 10,000 orders a second none of an index's partitions may take more than 1,000 write units.
LISTING_SHARDS = 32
DUE_SHARDS = 64


OrderingMeta = table("ORDERING_TABLE")


class ByCampaign(GlobalSecondaryIndex[Any]):
    """A campaign's orders, spread over shards, by age."""

    class Meta:
        index_name = "by_campaign"
        projection = KeysOnlyProjection()

    in_campaign = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)


class OrderRow(EntityRow[Order]):
    Meta = OrderingMeta
    entity = Order

    listing = UnicodeAttribute()
    listed = KeysListing()
    due = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    by_due = Due()
    customer_id = UnicodeAttribute()
    of_customer = ByCustomer()
    leader_id = UnicodeAttribute()
    of_leader = ByLeader()
    in_campaign = UnicodeAttribute()
    of_campaign = ByCampaign()
    id = UnicodeAttribute()
    status = UnicodeAttribute()
    version = IntegerAttribute()
    campaign_id = UnicodeAttribute()
    currency = UnicodeAttribute()
    lines = RecordsAttribute(OrderLine)
    subtotal = IntegerAttribute()
    discount = IntegerAttribute()
    shipping = IntegerAttribute()
    tax = IntegerAttribute()
    total = IntegerAttribute()
    payment_method = UnicodeAttribute()
    provider = UnicodeAttribute(null=True)
    place = IntegerAttribute(null=True)
    target_kind = UnicodeAttribute(null=True)
    receipt = UnicodeAttribute(null=True)
    cash_account = UnicodeAttribute(null=True)
    ship_to = RecordAttribute(ShipTo)
    note = UnicodeAttribute(null=True)
    dispatches = RecordsAttribute(DispatchSummary)
    expires_at = InstantAttribute()
    created_at = InstantAttribute()
    paid_at = InstantAttribute(null=True)
    restock_at = InstantAttribute(null=True)
    completes_at = InstantAttribute(null=True)
    refunds = TextsAttribute()
    cancel_reason = UnicodeAttribute(null=True)
    bonuses = RecordsAttribute(BonusTerms, default=(), null=True)
    charged_back = RecordsAttribute(ChargedBack, default=(), null=True)

    @classmethod
    def keys(cls, entity: Order) -> dict[str, Any]:
        listing_shard = ids.shard(entity.id, LISTING_SHARDS)
        keys: dict[str, Any] = {
            "pk": entity.id,
            "sk": ORDER,
            "listing": _listing(listing_shard),
            "in_campaign": _in_campaign(entity.campaign_id, listing_shard),
            # Nothing is stored where there are none: most orders are no byte longer for it.
            "bonuses": entity.bonuses or None,
            "charged_back": entity.charged_back or None,
        }
        shard = ids.shard(entity.id, DUE_SHARDS)
        if entity.due_at:
            due = _returnable(shard) if entity.status == "delivered" else _due(shard)
            keys |= {"due": due, "due_at": entity.due_at}
        elif entity.is_open:
            keys |= {"due": _open(shard), "due_at": entity.paid_at}
        return keys


class CapRow(Row):
    """What one shard of a cap has left; one that nobody has taken from has no row yet."""

    Meta = OrderingMeta

    left = IntegerAttribute()


class CapMovesRow(Row):
    """Rises with whatever moves units between a cap's shards, so that a sum over them can be
    trusted; there is none before the first move."""

    Meta = OrderingMeta

    moves = IntegerAttribute(default=0)


class LimitsRow(Row):
    """How many units of each limited SKU one customer's live orders in one campaign hold.

    A SKU's attribute bears its id, so that one item, and one write, serves a whole order.
    """

    Meta = OrderingMeta
    units: Mapping[str, int]

    @classmethod
    def from_raw_data(cls, data: dict[str, Any]) -> Self:
        row = super().from_raw_data(data)
        row.units = {name: int(value["N"]) for name, value in data.items() if "N" in value}
        return row


def order_key(order_id: str) -> Key:
    return Key(OrderRow, order_id, ORDER)


def get_order(order_id: str) -> Order | None:
    row = store.get(OrderRow, order_id, ORDER)
    return row.to_entity() if row else None


def get_orders(order_ids: Iterable[str]) -> list[Order]:
    rows = store.get_many(OrderRow, [(each, ORDER) for each in order_ids])
    return [row.to_entity() for row in rows]


def add_order(order: Order) -> Put:
    return create(OrderRow.of(order))


def replace_order(changed: Order) -> Put:
    """Write an order on condition of the version before it; Stale where another came first."""
    return Put(OrderRow.of(changed), OrderRow.version == changed.version - 1)


def look_again(order: Order, at: datetime) -> Update:
    """When the sweep must look at it next; Stale where the order has changed."""
    return Update(
        OrderRow.at(order.id, ORDER),
        [OrderRow.due_at.set(at)],
        OrderRow.version == order.version,
    )


def unchanged(order: Order) -> Check:
    """Holds an order as it was read, without writing it; Stale where it has changed."""
    return Check(OrderRow.at(order.id, ORDER), OrderRow.version == order.version)


def all_orders(page: PageRequest) -> Page[Order]:
    shards = [_listing(n) for n in range(LISTING_SHARDS)]
    return store.whole(OrderRow, ORDER, store.newest(OrderRow.listed, shards, OrderRow.pk, page))


def orders_of_customer(customer_id: str, page: PageRequest) -> Page[Order]:
    found = store.newest(OrderRow.of_customer, [customer_id], OrderRow.pk, page)
    return store.whole(OrderRow, ORDER, found)


def all_of_customer(customer_id: str, at_once: int | None = None) -> Iterator[Order]:
    """Every order of a customer by its age, as far as the index knows of it; so many are read at
    once."""
    yield from _each_of(OrderRow.of_customer, customer_id, at_once)


def orders_of_leader(leader_id: str, page: PageRequest) -> Page[Order]:
    found = store.newest(OrderRow.of_leader, [leader_id], OrderRow.pk, page)
    return store.whole(OrderRow, ORDER, found)


def all_of_leader(leader_id: str) -> Iterator[Order]:
    """Every order of a leader, as far as the index knows of it."""
    yield from _each_of(OrderRow.of_leader, leader_id)


def orders_of_campaign(campaign_id: str, page: PageRequest) -> Page[Order]:
    partitions = [_in_campaign(campaign_id, n) for n in range(LISTING_SHARDS)]
    found = store.newest(OrderRow.of_campaign, partitions, OrderRow.pk, page)
    return store.whole(OrderRow, ORDER, found)


def placed_between(shard: int, after: str, until: str, limit: int) -> list[Order]:
    """The next orders of one of the listings, by their ids; as far as the index knows of them."""
    where = OrderRow.pk.between(after, until)
    keys = store.oldest(OrderRow.listed, [_listing(shard)], where, OrderRow.pk, limit + 1)
    wanted = [(row.pk, ORDER) for row in keys if row.pk != after][:limit]
    return [row.to_entity() for row in store.get_many(OrderRow, wanted)]


def orders_in_campaign(campaign_id: str, shard: int, after: str | None, limit: int) -> list[str]:
    """The next ids of one of the shards that a campaign's orders are spread over."""
    where = OrderRow.pk > after if after else None
    partition = [_in_campaign(campaign_id, shard)]
    return [
        row.pk for row in store.oldest(OrderRow.of_campaign, partition, where, OrderRow.pk, limit)
    ]


def all_in_campaign(campaign_id: str) -> Iterator[Order]:
    """Every order of a campaign as it is when its turn comes, as far as the index knows of it."""
    for n in range(LISTING_SHARDS):
        yield from _each_of(OrderRow.of_campaign, _in_campaign(campaign_id, n))


def due_before(now: datetime, limit: int) -> list[Order]:
    """Orders at which a sweep must look, those that have waited longest first."""
    shards = [shard(n) for n in range(DUE_SHARDS) for shard in (_due, _returnable)]
    rows = store.oldest(OrderRow.by_due, shards, OrderRow.due_at <= now, OrderRow.due_at, limit)
    found = store.get_many(OrderRow, [(row.pk, ORDER) for row in rows])
    # The index follows late: what it still shows may have been done.
    return [row.to_entity() for row in found if row.due_at and row.due_at <= now]


def scanned(after: Any, size: int) -> tuple[list[Order], Any]:
    """Orders among the next `size` items of the table, and where to go on."""
    rows, behind = store.scan_page(OrderRow, (ORDER,), size, after)
    return [row.to_entity() for row in rows], behind


def live_orders() -> Iterator[Order]:
    """All orders that may hold stock, in no order, each as it is when its turn comes.

    They are the unpaid ones, those that owe units to the stock, and the paid ones that wait to be
    shipped: few beside all orders there have ever been.
    """
    for n in range(DUE_SHARDS):
        yield from _each_of(OrderRow.by_due, _due(n))
        yield from _each_of(OrderRow.by_due, _open(n))


def _each_of(index: Any, partition: str, at_once: int | None = None) -> Iterator[Order]:
    """The orders of one partition of an index, one page after another."""
    for page in store.pages(index, partition, at_once or store.GET_LIMIT):
        for row in store.get_many(OrderRow, [(each.pk, ORDER) for each in page]):
            yield row.to_entity()


def count_limits(
    campaign_id: str,
    customer_id: str,
    units: Mapping[str, tuple[int, int]],
    otherwise: Exception,
) -> Update | None:
    """Count limited units against the customer; `otherwise` where one SKU would pass its limit."""
    if not units:
        return None
    counters = {sku_id: IntegerAttribute(attr_name=sku_id) for sku_id in units}
    within: Condition | None = None
    for sku_id, (quantity, limit) in units.items():
        counter = counters[sku_id]
        # What the limit leaves is below zero where one order alone passes it: never met by `<=`,
        # and so that an absent counter does not pass for zero, it must be refused before.
        fits = (counter <= limit - quantity) | counter.does_not_exist()
        within = fits if within is None else within & fits
    actions = [counters[sku_id].add(quantity) for sku_id, (quantity, _) in units.items()]
    return Update(_limits(campaign_id, customer_id), actions, within, otherwise)


def counted(campaign_id: str, customer_id: str) -> Mapping[str, int]:
    """How many units of each limited SKU the customer's live orders hold."""
    at = _limits(campaign_id, customer_id)
    row = store.get(LimitsRow, at.pk, at.sk)
    return row.units if row else {}


def give_limits_back(campaign_id: str, customer_id: str, units: Mapping[str, int]) -> Update | None:
    """Limited units of an order that lives no longer."""
    if not units:
        return None
    actions = [
        IntegerAttribute(attr_name=sku_id).add(-quantity) for sku_id, quantity in units.items()
    ]
    return Update(_limits(campaign_id, customer_id), actions)


def take_of_cap(cap: Cap, parts: Parts) -> list[Update]:
    """Count against a cap. Raises ShardShort."""
    return [_cap_update(cap, shard, -units) for shard, units in parts]


def move_of_cap(cap: Cap, moving: Move) -> list[Update]:
    """Bring what is left to another shard. ShardShort where it has been taken meanwhile."""
    source, target, units = moving
    return [
        Update(CapMovesRow.at(_cap_head(cap), MOVES), [CapMovesRow.moves.add(1)]),
        _cap_update(cap, source, -units),
        _cap_update(cap, target, units),
    ]


def give_back_to_cap(campaign_id: str, of: str, parts: Parts) -> list[Update]:
    """An order that counted against a cap lives no longer."""
    never = ValueError(f"the cap on {of} of {campaign_id} was never taken from")
    return [
        Update(_cap(campaign_id, of, shard), [CapRow.left.add(units)], CapRow.left.exists(), never)
        for shard, units in parts
    ]


def left_of_cap(cap: Cap) -> dict[int, int]:
    """What each shard of a cap has left.

    Raises Stale where units were moved between shards while they were read: their sum would be
    of no one moment.
    """
    before = _moves_of_cap(cap)
    found = left_of_caps([cap])[cap.of]
    if _moves_of_cap(cap) != before:
        raise Stale
    return found


def left_of_caps(caps: Sequence[Cap]) -> dict[str, dict[int, int]]:
    """What each shard of each cap has left, by what the cap is of; a sum may be a moment off."""
    keys = [
        (_cap_pk(cap.campaign_id, cap.of, n), CAP) for cap in caps for n in range(len(cap.shares))
    ]
    left = {row.pk: row.left for row in store.get_many(CapRow, keys)}
    return {
        cap.of: {
            n: left.get(_cap_pk(cap.campaign_id, cap.of, n), share)
            for n, share in enumerate(cap.shares)
        }
        for cap in caps
    }


def _cap_update(cap: Cap, shard: int, units: int) -> Update:
    left, share = CapRow.left, cap.shares[shard]
    when: Condition | None = None
    if units < 0:
        enough = left >= -units
        when = enough | left.does_not_exist() if share >= -units else enough
    action = left.set((left | share) + units)
    return Update(_cap(cap.campaign_id, cap.of, shard), [action], when, ShardShort(cap.id))


def _cap(campaign_id: str, of: str, shard: int) -> CapRow:
    return CapRow.at(_cap_pk(campaign_id, of, shard), CAP)


def _moves_of_cap(cap: Cap) -> int:
    row = store.get(CapMovesRow, _cap_head(cap), MOVES)
    return row.moves if row else 0


def _cap_head(cap: Cap) -> str:
    return f"{CAP}#{cap.campaign_id}#{cap.of}"


def _cap_pk(campaign_id: str, of: str, shard: int) -> str:
    return f"{CAP}#{campaign_id}#{of}#{shard}"


def _limits(campaign_id: str, customer_id: str) -> LimitsRow:
    return LimitsRow.at(f"{LIMITS}#{campaign_id}#{customer_id}", LIMITS)


def _listing(shard: int) -> str:
    return f"orders#{shard}"


def _in_campaign(campaign_id: str, shard: int) -> str:
    return f"{campaign_id}#{shard}"


def _due(shard: int) -> str:
    return f"due#{shard}"


def _open(shard: int) -> str:
    return f"open#{shard}"


def _returnable(shard: int) -> str:
    """Delivered orders apart: they are due as well, and hold none of the stock."""
    return f"returnable#{shard}"
