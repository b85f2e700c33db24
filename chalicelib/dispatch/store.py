"""The dispatch table."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.dispatch.rules import OPEN, Dispatch, DispatchLine
from chalicelib.kernel import clock, ids
from chalicelib.ordering.rules import ShipTo
from chalicelib.platform import store
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordAttribute,
    RecordsAttribute,
    table,
)
from chalicelib.platform.transaction import Put, create

DISPATCH = "dispatch"
# At 10,000 dispatches a second, of one supplier even, no partition of an index takes more than
# 1,000 write units.
SHARDS = 32


DispatchMeta = table("DISPATCH_TABLE")


class Feed(GlobalSecondaryIndex[Any]):
    """All dispatches, spread over shards, by their latest change."""

    class Meta:
        index_name = "listing"
        projection = KeysOnlyProjection()

    listing = UnicodeAttribute(hash_key=True)
    feed_at = UnicodeAttribute(range_key=True)


class SupplierFeed(GlobalSecondaryIndex[Any]):
    """A supplier's dispatches, spread over shards, by their latest change."""

    class Meta:
        index_name = "by_supplier"
        projection = KeysOnlyProjection()

    feed_of = UnicodeAttribute(hash_key=True)
    feed_at = UnicodeAttribute(range_key=True)


class Waiting(GlobalSecondaryIndex[Any]):
    """A supplier's dispatches that wait to be shipped, spread over shards, by when they must be."""

    class Meta:
        index_name = "waiting"
        projection = KeysOnlyProjection()

    waiting_of = UnicodeAttribute(hash_key=True)
    ship_by = InstantAttribute(range_key=True)


class DispatchRow(EntityRow[Dispatch]):
    Meta = DispatchMeta
    entity = Dispatch

    listing = UnicodeAttribute()
    feed_of = UnicodeAttribute()
    feed_at = UnicodeAttribute()
    feed = Feed()
    supplier_feed = SupplierFeed()
    # Only what waits carries it.
    waiting_of = UnicodeAttribute(null=True)
    waiting = Waiting()
    id = UnicodeAttribute()
    order_id = UnicodeAttribute()
    supplier_id = UnicodeAttribute()
    leader_id = UnicodeAttribute()
    currency = UnicodeAttribute()
    status = UnicodeAttribute()
    version = IntegerAttribute()
    lines = RecordsAttribute(DispatchLine)
    ship_to = RecordAttribute(ShipTo)
    accept_by = InstantAttribute()
    ship_by = InstantAttribute()
    created_at = InstantAttribute()
    updated_at = InstantAttribute()
    carrier = UnicodeAttribute(null=True)
    tracking_number = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    shipped_at = InstantAttribute(null=True)
    delivered_at = InstantAttribute(null=True)
    delivered_at_given = InstantAttribute(null=True)
    earned_on = UnicodeAttribute(null=True)

    @classmethod
    def keys(cls, entity: Dispatch) -> dict[str, Any]:
        shard = ids.shard(entity.id, SHARDS)
        feed_of = _feed_of(entity.supplier_id, shard)
        return {
            "pk": entity.id,
            "sk": DISPATCH,
            "listing": _listing(shard),
            "feed_of": feed_of,
            "feed_at": feed_position(entity),
            "waiting_of": feed_of if entity.status in OPEN else None,
        }


def feed_position(dispatch: Dispatch) -> str:
    return f"{clock.to_text(dispatch.updated_at)}#{dispatch.id}"


def get_dispatch(dispatch_id: str) -> Dispatch | None:
    row = store.get(DispatchRow, dispatch_id, DISPATCH)
    return row.to_entity() if row else None


def get_dispatches(dispatch_ids: Iterable[str]) -> list[Dispatch]:
    rows = store.get_many(DispatchRow, [(each, DISPATCH) for each in dispatch_ids])
    return [row.to_entity() for row in rows]


def add_dispatch(dispatch: Dispatch) -> Put:
    return create(DispatchRow.of(dispatch))


def replace_dispatch(changed: Dispatch) -> Put:
    """Write a dispatch on condition of the version before it; Stale where another came first."""
    return Put(DispatchRow.of(changed), DispatchRow.version == changed.version - 1)


def waiting(supplier_id: str, limit: int) -> list[Dispatch]:
    """The supplier's dispatches that wait to be shipped, the most urgent first."""
    partitions = [_feed_of(supplier_id, n) for n in range(SHARDS)]
    rows = store.oldest(DispatchRow.waiting, partitions, None, DispatchRow.ship_by, limit)
    return [each for each in get_dispatches(row.pk for row in rows) if each.status in OPEN]


@dataclass(frozen=True)
class Change:
    """A dispatch as it is now, and where the feed has it: an index may be a little behind."""

    dispatch: Dispatch
    position: str

    @property
    def at(self) -> datetime:
        return clock.from_text(self.position.partition("#")[0])


def changed_since(
    supplier_id: str | None, since: datetime | None, after: str | None, limit: int
) -> list[Change]:
    """Dispatches by rising change, from an instant or a feed position on; one supplier's or all."""
    index: Any = DispatchRow.supplier_feed if supplier_id else DispatchRow.feed
    partitions = [_feed_of(supplier_id, n) if supplier_id else _listing(n) for n in range(SHARDS)]
    rows = store.oldest(index, partitions, _from(since, after), DispatchRow.feed_at, limit)
    now = {each.id: each for each in get_dispatches(row.pk for row in rows)}
    return [Change(now[row.pk], row.feed_at) for row in rows]


def _from(since: datetime | None, after: str | None) -> Condition | None:
    if after:
        return DispatchRow.feed_at > after
    return DispatchRow.feed_at >= clock.to_text(since) if since else None


def _listing(shard: int) -> str:
    return f"dispatches#{shard}"


def _feed_of(supplier_id: str, shard: int) -> str:
    return f"{supplier_id}#{shard}"
