"""The webhooks table: deliveries with their attempts."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import BooleanAttribute, TTLAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel import clock, ids
from chalicelib.platform import store
from chalicelib.platform.indexes import Due
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.table import (
    CompressedTextAttribute,
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordAttribute,
    RecordsAttribute,
    Row,
    table,
)
from chalicelib.platform.transaction import Put, create
from chalicelib.webhooks.rules import Attempt, Delivery

DELIVERY, DELIVERIES, ATTEMPT = "delivery", "deliveries", "attempt#"
SHARDS = 8
DELIVERIES_KEPT = timedelta(days=30)
# An attempt is asked for by a message; one that has not been made this long after is asked again.
LOST_AFTER = timedelta(seconds=60)

WebhooksMeta = table("WEBHOOKS_TABLE")


class ByOwner(GlobalSecondaryIndex[Any]):
    """An owner's endpoints, or its deliveries, by id and so by age."""

    class Meta:
        index_name = "by_owner"
        projection = KeysOnlyProjection()

    owner_kind = UnicodeAttribute(hash_key=True)
    age = UnicodeAttribute(range_key=True)


class Listing(GlobalSecondaryIndex[Any]):
    """All endpoints, or all deliveries over shards, by age."""

    class Meta:
        index_name = "listing"
        projection = KeysOnlyProjection()

    listing = UnicodeAttribute(hash_key=True)
    age = UnicodeAttribute(range_key=True)


class Waiting(GlobalSecondaryIndex[Any]):
    """What waits at an endpoint, by age. What does not wait costs nothing here."""

    class Meta:
        index_name = "waiting"
        projection = KeysOnlyProjection()

    waits_for = UnicodeAttribute(hash_key=True)
    age = UnicodeAttribute(range_key=True)


class DeliveryRow(EntityRow[Delivery]):
    Meta = WebhooksMeta
    entity = Delivery

    owner_kind = UnicodeAttribute()
    listing = UnicodeAttribute()
    age = UnicodeAttribute()
    of_owner = ByOwner()
    listed = Listing()
    due = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    waiting = Due()
    waits_for = UnicodeAttribute(null=True)
    held = Waiting()
    id = UnicodeAttribute()
    owner = UnicodeAttribute()
    endpoint_id = UnicodeAttribute()
    event_type = UnicodeAttribute()
    subject = UnicodeAttribute()
    body = CompressedTextAttribute()
    status = UnicodeAttribute()
    attempts = RecordsAttribute(Attempt)
    round_attempts = IntegerAttribute()
    next_attempt_at = InstantAttribute(null=True)
    version = IntegerAttribute()
    created_at = InstantAttribute()
    waits = BooleanAttribute()
    aside = IntegerAttribute()
    called_as = UnicodeAttribute(null=True)
    asked_at = InstantAttribute(null=True)
    ttl = TTLAttribute()

    @classmethod
    def keys(cls, entity: Delivery) -> dict[str, Any]:
        shard = ids.shard(entity.id, SHARDS)
        keys: dict[str, Any] = {
            "pk": entity.id,
            "sk": DELIVERY,
            "owner_kind": owned(entity.owner, DELIVERIES),
            "listing": _deliveries(shard),
            "age": age(entity),
            "ttl": _last_touched(entity) + DELIVERIES_KEPT,
        }
        if entity.next_attempt_at:
            keys |= {"due": _due(shard), "due_at": entity.next_attempt_at + LOST_AFTER}
        if entity.waits:
            keys["waits_for"] = (
                entity.endpoint_id if entity.is_held else _missed(entity.endpoint_id)
            )
        return keys


class AttemptRow(Row):
    """An attempt that has no room in its delivery: the oldest come first."""

    Meta = WebhooksMeta

    attempt = RecordAttribute(Attempt)
    ttl = TTLAttribute()


def get_delivery(delivery_id: str) -> Delivery | None:
    row = store.get(DeliveryRow, delivery_id, DELIVERY)
    return row.to_entity() if row else None


def get_deliveries(delivery_ids: Iterable[str]) -> dict[str, Delivery]:
    """Those that exist, by their ids."""
    rows = store.get_many(DeliveryRow, [(each, DELIVERY) for each in delivery_ids])
    return {row.pk: row.to_entity() for row in rows}


def held(endpoint_id: str, limit: int, after: str = "") -> list[Delivery]:
    """What an open circuit holds back: the oldest, or those that are younger than `after`."""
    younger = DeliveryRow.age > after if after else None
    rows = store.oldest(DeliveryRow.held, [endpoint_id], younger, DeliveryRow.age, limit)
    found = get_deliveries(row.pk for row in rows)
    return [each for each in found.values() if each.is_held]


def ids_held(endpoint_id: str, most: int) -> list[str]:
    """What an open circuit holds back: the oldest first."""
    rows = store.oldest(DeliveryRow.held, [endpoint_id], None, DeliveryRow.age, most)
    return [row.pk for row in rows]


def count_waiting(endpoint_id: str, most: int) -> int:
    """How many wait at an endpoint, or to be replayed there: `most` where there are more."""
    keys = [endpoint_id, _missed(endpoint_id)]
    return len(store.oldest(DeliveryRow.held, keys, None, DeliveryRow.age, most))


def deliveries(owner: str | None, page: PageRequest) -> Page[Delivery]:
    index: Any = DeliveryRow.of_owner if owner else DeliveryRow.listed
    partitions = [owned(owner, DELIVERIES)] if owner else [_deliveries(n) for n in range(SHARDS)]
    found = store.newest(index, partitions, DeliveryRow.age, page)
    return store.whole(DeliveryRow, DELIVERY, found)


def deliveries_from(
    owner: str, first: str, until: datetime, limit: int
) -> tuple[list[Delivery], str]:
    """An owner's deliveries from the age `first` on, and the age behind the last of them."""
    last = f"{clock.to_text(until)}~"  # behind every id of that instant
    found = store.oldest(
        DeliveryRow.of_owner,
        [owned(owner, DELIVERIES)],
        DeliveryRow.age.between(first, last),
        DeliveryRow.age,
        limit,
    )
    behind = f"{found[-1].age} " if len(found) == limit else ""
    return list(get_deliveries(row.pk for row in found).values()), behind


def add_delivery(delivery: Delivery) -> Put:
    return create(DeliveryRow.of(delivery))


def replace_delivery(changed: Delivery) -> Put:
    return Put(DeliveryRow.of(changed), DeliveryRow.version == changed.version - 1)


def keep_attempt(before: Delivery, after: Delivery) -> tuple[Put, ...]:
    """Write a delivery with one attempt more, and put aside what has no room in it."""
    too_many = before.attempts[: after.aside - before.aside]
    aside = [_put_aside(after, n, each) for n, each in enumerate(too_many, before.aside)]
    return (replace_delivery(after), *aside)


def with_all_attempts(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """The deliveries with those attempts, too, that were put aside."""
    return [_whole(each) if each.aside else each for each in deliveries]


def waiting_before(now: datetime, limit: int) -> list[str]:
    shards = [_due(n) for n in range(SHARDS)]
    rows = store.oldest(
        DeliveryRow.waiting, shards, DeliveryRow.due_at <= now, DeliveryRow.due_at, limit
    )
    return [row.pk for row in rows]


def age(delivery: Delivery) -> str:
    """By which deliveries are in order."""
    return f"{clock.to_text(delivery.created_at)}#{delivery.id}"


def _put_aside(delivery: Delivery, number: int, attempt: Attempt) -> Put:
    row = AttemptRow(delivery.id, f"{ATTEMPT}{number:06}", attempt=attempt)
    row.ttl = clock.from_text(attempt.at) + DELIVERIES_KEPT
    return create(row)


def _whole(delivery: Delivery) -> Delivery:
    rows = store.query(AttemptRow, delivery.id, where=AttemptRow.sk.startswith(ATTEMPT))
    return replace(delivery, attempts=(*(row.attempt for row in rows), *delivery.attempts))


def _last_touched(delivery: Delivery) -> datetime:
    """When it was made, attempted, or set to be attempted, whatever is the latest."""
    attempted = [clock.from_text(each.at) for each in delivery.attempts]
    return max([delivery.created_at, delivery.next_attempt_at or delivery.created_at, *attempted])


def owned(owner: str, kind: str) -> str:
    return f"{owner}#{kind}"


def _missed(endpoint_id: str) -> str:
    return f"{endpoint_id}#missed"


def _deliveries(shard: int) -> str:
    return f"{DELIVERIES}#{shard}"


def _due(shard: int) -> str:
    return f"webhook#{shard}"
