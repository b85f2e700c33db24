"""The after-sales table: requests, whom they concern, and which are open by order."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.aftersales.rules import AfterSales, AfterSalesLine, OpenRequests, Step
from chalicelib.kernel import ids
from chalicelib.platform import store
from chalicelib.platform.indexes import ByCustomer, ByLeader, BySupplier, Due, KeysListing
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordsAttribute,
    Row,
    TextsAttribute,
    absent,
    table,
)
from chalicelib.platform.transaction import Put, create

REQUEST, SUPPLIER, OPEN = "request", "supplier", "open"
SHARDS = 4


AfterSalesMeta = table("AFTER_SALES_TABLE")


class AfterSalesRow(EntityRow[AfterSales]):
    Meta = AfterSalesMeta
    entity = AfterSales

    listing = UnicodeAttribute()
    listed = KeysListing()
    due = UnicodeAttribute(null=True)
    # The end of its clock, while it is watched.
    watched = Due()
    customer_id = UnicodeAttribute()
    of_customer = ByCustomer()
    leader_id = UnicodeAttribute()
    of_leader = ByLeader()
    id = UnicodeAttribute()
    order_id = UnicodeAttribute()
    status = UnicodeAttribute()
    lines = RecordsAttribute(AfterSalesLine)
    reason = UnicodeAttribute()
    photos = TextsAttribute()
    steps = RecordsAttribute(Step)
    refund_id = UnicodeAttribute(null=True)
    due_at = InstantAttribute()
    created_at = InstantAttribute()
    version = IntegerAttribute()

    @classmethod
    def keys(cls, entity: AfterSales) -> dict[str, Any]:
        shard = ids.shard(entity.id, SHARDS)
        keys = {"pk": entity.id, "sk": REQUEST, "listing": _listing(shard)}
        return keys | ({"due": _due(shard)} if entity.escalates_at else {})


class ConcernRow(Row):
    """A supplier that a request concerns: one row each, for the index."""

    Meta = AfterSalesMeta

    supplier_id = UnicodeAttribute()
    of_supplier = BySupplier()


class OpenRow(EntityRow[OpenRequests]):
    """Written by every request of an order and every decision, so that they take turns."""

    Meta = AfterSalesMeta
    entity = OpenRequests

    order_id = UnicodeAttribute()
    ids = TextsAttribute()
    version = IntegerAttribute()

    @classmethod
    def keys(cls, entity: OpenRequests) -> dict[str, Any]:
        return {"pk": entity.order_id, "sk": OPEN}


def get_request(request_id: str) -> AfterSales | None:
    row = store.get(AfterSalesRow, request_id, REQUEST)
    return row.to_entity() if row else None


def get_requests(request_ids: Iterable[str]) -> list[AfterSales]:
    rows = store.get_many(AfterSalesRow, [(each, REQUEST) for each in request_ids])
    return [row.to_entity() for row in rows]


def add_request(request: AfterSales) -> list[Put]:
    concerned = (
        ConcernRow(request.id, f"{SUPPLIER}#{each}", supplier_id=each)
        for each in request.supplier_ids
    )
    return [create(AfterSalesRow.of(request)), *(create(row) for row in concerned)]


def replace_request(changed: AfterSales) -> Put:
    """Write a request on condition of the version before it; Stale where another came first."""
    return Put(AfterSalesRow.of(changed), AfterSalesRow.version == changed.version - 1)


def open_of(order_id: str) -> OpenRequests:
    row = store.get(OpenRow, order_id, OPEN)
    return row.to_entity() if row else OpenRequests(order_id)


def replace_open(changed: OpenRequests) -> Put:
    """The same for an order's open requests."""
    first = changed.version == 1
    return Put(OpenRow.of(changed), absent() if first else OpenRow.version == changed.version - 1)


def all_requests(page: PageRequest) -> Page[AfterSales]:
    shards = [_listing(n) for n in range(SHARDS)]
    return _whole(store.newest(AfterSalesRow.listed, shards, AfterSalesRow.pk, page))


def of_customer(customer_id: str, page: PageRequest) -> Page[AfterSales]:
    return _whole(store.newest(AfterSalesRow.of_customer, [customer_id], AfterSalesRow.pk, page))


def of_leader(leader_id: str, page: PageRequest) -> Page[AfterSales]:
    return _whole(store.newest(AfterSalesRow.of_leader, [leader_id], AfterSalesRow.pk, page))


def of_supplier(supplier_id: str, page: PageRequest) -> Page[AfterSales]:
    return _whole(store.newest(ConcernRow.of_supplier, [supplier_id], ConcernRow.pk, page))


def due_before(now: datetime, limit: int) -> list[str]:
    """Open requests whose clock has run out, and for which nobody has been called."""
    shards = [_due(n) for n in range(SHARDS)]
    rows = store.oldest(
        AfterSalesRow.watched, shards, AfterSalesRow.due_at <= now, AfterSalesRow.due_at, limit
    )
    return [row.pk for row in rows]


def _whole(found: Page[Any]) -> Page[AfterSales]:
    return store.whole(AfterSalesRow, REQUEST, found)


def _listing(shard: int) -> str:
    return f"requests#{shard}"


def _due(shard: int) -> str:
    return f"due#{shard}"
