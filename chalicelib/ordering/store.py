"""The ordering table: orders, stock and customers' limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel import ids
from chalicelib.kernel.errors import Conflict
from chalicelib.ordering.rules import DispatchSummary, Order, OrderLine, ShipTo
from chalicelib.platform import store
from chalicelib.platform.indexes import Due, KeysListing
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordAttribute,
    RecordsAttribute,
    Row,
    TextsAttribute,
    absent,
    table,
)
from chalicelib.platform.transaction import Put, Update, create

ORDER, STOCK, LIMITS = "order", "stock", "limits"
SHARDS = 8


OrderingMeta = table("ORDERING_TABLE")


class ByCustomer(GlobalSecondaryIndex[Any]):
    """A customer's orders, by age."""

    class Meta:
        index_name = "by_customer"
        projection = KeysOnlyProjection()

    customer_id = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)


class ByLeader(GlobalSecondaryIndex[Any]):
    """A community's orders, by age."""

    class Meta:
        index_name = "by_leader"
        projection = KeysOnlyProjection()

    leader_id = UnicodeAttribute(hash_key=True)
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

    @classmethod
    def keys(cls, entity: Order) -> dict[str, Any]:
        shard = ids.shard(entity.id, SHARDS)
        keys: dict[str, Any] = {"pk": entity.id, "sk": ORDER, "listing": _listing(shard)}
        if entity.due_at:
            keys |= {"due": _due(shard), "due_at": entity.due_at}
        return keys


class StockRow(Row):
    """Units of one SKU: for sale, held by unpaid orders, and paid but not shipped yet."""

    Meta = OrderingMeta

    available = IntegerAttribute(default=0)
    reserved = IntegerAttribute(default=0)
    committed = IntegerAttribute(default=0)
    version = IntegerAttribute(default=0)


class LimitsRow(Row):
    """How many units of each limited SKU one customer's live orders in one campaign hold.

    A SKU's attribute bears its id, so that one item, and one write, serves a whole order.
    """

    Meta = OrderingMeta


@dataclass(frozen=True)
class Stock:
    """A SKU's units. `version` rises with each change and is the ETag."""

    sku_id: str
    available: int
    reserved: int
    committed: int
    version: int

    @property
    def on_hand(self) -> int:
        """Unsold units, whether free or reserved."""
        return self.available + self.reserved


class CannotTake(Exception):
    """Units or limits that an expired order had given back are gone."""


def get_order(order_id: str) -> Order | None:
    row = store.get(OrderRow, order_id, ORDER)
    return row.to_entity() if row else None


def add_order(order: Order) -> Put:
    return create(OrderRow.of(order))


def replace_order(changed: Order) -> Put:
    """Write an order on condition of the version before it; Stale where another came first."""
    return Put(OrderRow.of(changed), OrderRow.version == changed.version - 1)


def all_orders(page: PageRequest) -> Page[Order]:
    shards = [_listing(n) for n in range(SHARDS)]
    return store.whole(OrderRow, ORDER, store.newest(OrderRow.listed, shards, OrderRow.pk, page))


def orders_of_customer(customer_id: str, page: PageRequest) -> Page[Order]:
    found = store.newest(OrderRow.of_customer, [customer_id], OrderRow.pk, page)
    return store.whole(OrderRow, ORDER, found)


def orders_of_leader(leader_id: str, page: PageRequest) -> Page[Order]:
    found = store.newest(OrderRow.of_leader, [leader_id], OrderRow.pk, page)
    return store.whole(OrderRow, ORDER, found)


def due_before(now: datetime, limit: int) -> list[str]:
    shards = [_due(n) for n in range(SHARDS)]
    rows = store.oldest(OrderRow.by_due, shards, OrderRow.due_at <= now, OrderRow.due_at, limit)
    return [row.pk for row in rows]


def get_stock(sku_id: str) -> Stock:
    """The SKU's units; none of anything where no stock was ever set."""
    return _stock(store.get(StockRow, sku_id, STOCK) or StockRow(sku_id, STOCK))


def get_stocks(sku_ids: Sequence[str]) -> dict[str, Stock]:
    rows = store.get_many(StockRow, [(each, STOCK) for each in sku_ids])
    return {row.pk: _stock(row) for row in rows}


def set_stock(before: Stock, available: int) -> Put:
    """Set what is for sale, on condition that nothing has changed since `before` was read."""
    row = StockRow(
        before.sku_id,
        STOCK,
        available=available,
        reserved=before.reserved,
        committed=before.committed,
        version=before.version + 1,
    )
    return Put(row, absent() if before.version == 0 else StockRow.version == before.version)


def reserve(sku_id: str, units: int) -> Update:
    """An order is placed: units for sale become reserved. Raises Conflict `out_of_stock`."""
    short = Conflict(
        f"Of {sku_id} there are fewer units left than the {units} asked for.", code="out_of_stock"
    )
    return _move(sku_id, available=-units, reserved=units, otherwise=short)


def release(sku_id: str, units: int) -> Update:
    """An unpaid order ends: its reserved units are for sale again."""
    return _move(sku_id, available=units, reserved=-units)


def commit(sku_id: str, units: int) -> Update:
    """A reserved order is paid: its units are committed until they ship."""
    return _move(sku_id, reserved=-units, committed=units)


def take_again(sku_id: str, units: int) -> Update:
    """An expired order is paid late: units for sale become committed. Raises CannotTake."""
    return _move(sku_id, available=-units, committed=units, otherwise=CannotTake())


def put_back(sku_id: str, units: int) -> Update:
    """A paid order is cancelled: its committed units are for sale again."""
    return _move(sku_id, available=units, committed=-units)


def let_go(sku_id: str, units: int) -> Update:
    """Committed units have shipped, or will never: they are no longer here."""
    return _move(sku_id, committed=-units)


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


def give_limits_back(campaign_id: str, customer_id: str, units: Mapping[str, int]) -> Update | None:
    """Limited units of an order that lives no longer."""
    if not units:
        return None
    actions = [
        IntegerAttribute(attr_name=sku_id).add(-quantity) for sku_id, quantity in units.items()
    ]
    return Update(_limits(campaign_id, customer_id), actions)


def _move(
    sku_id: str,
    *,
    available: int = 0,
    reserved: int = 0,
    committed: int = 0,
    otherwise: Exception | None = None,
) -> Update:
    """Move units between kinds; none may fall below zero."""
    row = StockRow
    changes = [(row.available, available), (row.reserved, reserved), (row.committed, committed)]
    enough: Condition | None = None
    for attribute, units in changes:
        if units < 0:
            has = attribute >= -units
            enough = has if enough is None else enough & has
    actions = [attribute.add(units) for attribute, units in changes if units]
    broken = otherwise or ValueError(
        f"the stock of {sku_id} does not hold what an order of it does"
    )
    return Update(row.at(sku_id, STOCK), [*actions, row.version.add(1)], enough, broken)


def _stock(row: StockRow) -> Stock:
    return Stock(row.pk, row.available, row.reserved, row.committed, row.version)


def _limits(campaign_id: str, customer_id: str) -> LimitsRow:
    return LimitsRow.at(f"{LIMITS}#{campaign_id}#{customer_id}", LIMITS)


def _listing(shard: int) -> str:
    return f"orders#{shard}"


def _due(shard: int) -> str:
    return f"due#{shard}"
