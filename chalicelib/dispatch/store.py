"""The dispatch table: dispatches, and disputes about their deliveries."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.dispatch.answers import Acceptance, Rejection
from chalicelib.dispatch.deadlines import Clock
from chalicelib.dispatch.disputes import Dispute
from chalicelib.dispatch.parcels import Parcel
from chalicelib.dispatch.rules import Dispatch, DispatchLine
from chalicelib.kernel import clock, ids
from chalicelib.ordering.rules import ShipTo
from chalicelib.platform import store
from chalicelib.platform.indexes import Due
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordAttribute,
    RecordsAttribute,
    TextsAttribute,
    table,
)
from chalicelib.platform.transaction import Put, create

DISPATCH, DISPUTE = "dispatch", "dispute#"
# At 10,000 dispatches a second, of one supplier even, no partition of an index takes more than
# 1,000 write units.
SHARDS = 32
DUE_SHARDS = 64
READ_AT_ONCE = 100


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
    """A supplier's dispatches that wait to be shipped, spread over shards, by when they must be; in
    shards of their own those of which all has shipped and something is on its way."""

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
    # Only what waits to be shipped, or to arrive, carries it.
    waiting_of = UnicodeAttribute(null=True)
    waiting = Waiting()
    due = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    by_due = Due()
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
    clocks = RecordsAttribute(Clock, default=())
    terms_version = IntegerAttribute(default=0)
    parcels = RecordsAttribute(Parcel)
    rejections = RecordsAttribute(Rejection)
    acceptance = RecordAttribute(Acceptance, null=True)

    @classmethod
    def keys(cls, entity: Dispatch) -> dict[str, Any]:
        shard = ids.shard(entity.id, SHARDS)
        feed_of = _feed_of(entity.supplier_id, shard)
        keys: dict[str, Any] = {
            "pk": entity.id,
            "sk": DISPATCH,
            "listing": _listing(shard),
            "feed_of": feed_of,
            "feed_at": feed_position(entity),
            "waiting_of": _waiting_of(entity, shard),
        }
        if entity.due_at:
            keys |= {"due": _due(ids.shard(entity.id, DUE_SHARDS)), "due_at": entity.due_at}
        return keys


class DisputeRow(EntityRow[Dispute]):
    """A dispute, beside its dispatch."""

    Meta = DispatchMeta
    entity = Dispute

    id = UnicodeAttribute()
    dispatch_id = UnicodeAttribute()
    order_id = UnicodeAttribute()
    parcel_id = UnicodeAttribute(null=True)
    parcel_ids = TextsAttribute()
    by = UnicodeAttribute()
    party_id = UnicodeAttribute()
    reason = UnicodeAttribute()
    status = UnicodeAttribute()
    version = IntegerAttribute()
    opened_at = InstantAttribute()
    note = UnicodeAttribute(null=True)
    refund_id = UnicodeAttribute(null=True)
    resolved_at = InstantAttribute(null=True)

    @classmethod
    def keys(cls, entity: Dispute) -> dict[str, Any]:
        return {"pk": entity.dispatch_id, "sk": DISPUTE + entity.id}


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
    return list(waiting_in_order(supplier_id, limit))


def waiting_in_order(supplier_id: str, limit: int) -> Iterator[Dispatch]:
    """The same, read as far as it is asked for."""
    found = _in_order([_feed_of(supplier_id, n) for n in range(SHARDS)], limit)
    return (each for each in found if each.waiting)


def on_the_way(supplier_id: str, limit: int) -> list[Dispatch]:
    """Of the supplier's dispatches of which all has shipped, those with something on its way: what
    had to be shipped first comes first."""
    found = _in_order([_sent_of(supplier_id, n) for n in range(SHARDS)], limit)
    return [each for each in found if each.awaited]


def _in_order(partitions: list[str], limit: int) -> Iterator[Dispatch]:
    rows = store.oldest(DispatchRow.waiting, partitions, None, DispatchRow.ship_by, limit)
    for start in range(0, len(rows), READ_AT_ONCE):
        yield from get_dispatches(row.pk for row in rows[start : start + READ_AT_ONCE])


def get_dispute(dispatch_id: str, dispute_id: str) -> Dispute | None:
    row = store.get(DisputeRow, dispatch_id, DISPUTE + dispute_id)
    return row.to_entity() if row else None


def disputes_of(dispatch_id: str) -> list[Dispute]:
    rows = store.query(DisputeRow, dispatch_id, where=DisputeRow.sk.startswith(DISPUTE))
    return [row.to_entity() for row in rows]


def add_dispute(dispute: Dispute) -> Put:
    return create(DisputeRow.of(dispute))


def replace_dispute(changed: Dispute) -> Put:
    """The same for a dispute."""
    return Put(DisputeRow.of(changed), DisputeRow.version == changed.version - 1)


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


def due_before(now: datetime, limit: int) -> list[str]:
    """Dispatches of which a clock has come to its half time or its end, the longest ago first."""
    shards = [_due(n) for n in range(DUE_SHARDS)]
    rows = store.oldest(
        DispatchRow.by_due, shards, DispatchRow.due_at <= now, DispatchRow.due_at, limit
    )
    return [row.pk for row in rows]


def _from(since: datetime | None, after: str | None) -> Condition | None:
    if after:
        return DispatchRow.feed_at > after
    return DispatchRow.feed_at >= clock.to_text(since) if since else None


def _listing(shard: int) -> str:
    return f"dispatches#{shard}"


def _feed_of(supplier_id: str, shard: int) -> str:
    return f"{supplier_id}#{shard}"


def _sent_of(supplier_id: str, shard: int) -> str:
    return f"{supplier_id}#sent#{shard}"


def _waiting_of(dispatch: Dispatch, shard: int) -> str | None:
    if dispatch.waiting:
        return _feed_of(dispatch.supplier_id, shard)
    return _sent_of(dispatch.supplier_id, shard) if dispatch.awaited else None


def _due(shard: int) -> str:
    return f"due#{shard}"
