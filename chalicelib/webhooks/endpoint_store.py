"""Owners' endpoints. They lie in the webhooks table."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.platform import store
from chalicelib.platform.indexes import Due
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordAttribute,
    Row,
    TextsAttribute,
)
from chalicelib.platform.transaction import Delete, Put, Update, create
from chalicelib.webhooks.rules import Endpoint, Health
from chalicelib.webhooks.store import ByOwner, Listing, WebhooksMeta, owned

ENDPOINT, ENDPOINTS, OWNER = "endpoint", "endpoints", "owner"


class EndpointRow(EntityRow[Endpoint]):
    Meta = WebhooksMeta
    entity = Endpoint

    owner_kind = UnicodeAttribute()
    listing = UnicodeAttribute()
    age = UnicodeAttribute()
    of_owner = ByOwner()
    listed = Listing()
    due = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    waiting = Due()
    id = UnicodeAttribute()
    owner = UnicodeAttribute()
    url = UnicodeAttribute()
    event_types = TextsAttribute()
    status = UnicodeAttribute()
    generation = IntegerAttribute()
    old_secret_until = InstantAttribute(null=True)
    failing_since = InstantAttribute(null=True)
    last_failed_at = InstantAttribute(null=True)
    disabled_reason = UnicodeAttribute(null=True)
    version = IntegerAttribute()
    created_at = InstantAttribute()
    health = RecordAttribute(Health)
    look_at = InstantAttribute(null=True)
    epoch = IntegerAttribute()

    @classmethod
    def keys(cls, entity: Endpoint) -> dict[str, Any]:
        keys: dict[str, Any] = {
            "pk": entity.id,
            "sk": ENDPOINT,
            "owner_kind": owned(entity.owner, ENDPOINTS),
            "listing": ENDPOINTS,
            "age": entity.id,
        }
        if entity.look_at:
            keys |= {"due": ENDPOINTS, "due_at": entity.look_at}
        return keys


class OwnerRow(Row):
    """How many endpoints an owner has: counted with each that comes or goes."""

    Meta = WebhooksMeta

    endpoints = IntegerAttribute(default=0)


def get_endpoint(endpoint_id: str) -> Endpoint | None:
    row = store.get(EndpointRow, endpoint_id, ENDPOINT)
    return row.to_entity() if row else None


def get_endpoints(endpoint_ids: Iterable[str]) -> dict[str, Endpoint]:
    """Those that exist, by their ids."""
    rows = store.get_many(EndpointRow, [(each, ENDPOINT) for each in endpoint_ids])
    return {row.pk: row.to_entity() for row in rows}


def endpoints_to_look_after(now: datetime, limit: int) -> list[str]:
    rows = store.oldest(
        EndpointRow.waiting, [ENDPOINTS], EndpointRow.due_at <= now, EndpointRow.due_at, limit
    )
    return [row.pk for row in rows]


def endpoints_of(owner: str) -> tuple[Endpoint, ...]:
    """All endpoints of an owner; there are few."""
    return endpoints(owner, PageRequest("", 100)).items


def endpoints(owner: str | None, page: PageRequest) -> Page[Endpoint]:
    index: Any = EndpointRow.of_owner if owner else EndpointRow.listed
    partition = owned(owner, ENDPOINTS) if owner else ENDPOINTS
    found = store.newest(index, [partition], EndpointRow.age, page)
    return store.whole(EndpointRow, ENDPOINT, found)


def add_endpoint(endpoint: Endpoint, at_most: int, otherwise: Exception) -> tuple[Put, Update]:
    """Add an endpoint; `otherwise` where its owner has as many as it may have."""
    count = OwnerRow.endpoints
    counted = Update(
        OwnerRow.at(endpoint.owner, OWNER),
        [count.add(1)],
        count.does_not_exist() | (count < at_most),
        otherwise,
    )
    return create(EndpointRow.of(endpoint)), counted


def remove_endpoint(endpoint: Endpoint) -> tuple[Delete, Update]:
    unchanged = EndpointRow.version == endpoint.version
    return (
        Delete(EndpointRow.at(endpoint.id, ENDPOINT), unchanged),
        Update(OwnerRow.at(endpoint.owner, OWNER), [OwnerRow.endpoints.add(-1)]),
    )


def replace_endpoint(changed: Endpoint) -> Put:
    return Put(EndpointRow.of(changed), EndpointRow.version == changed.version - 1)
