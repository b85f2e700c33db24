"""Refunds, and when each is looked at next. They lie in the payments table."""

from collections.abc import Iterable
from datetime import datetime
from itertools import product
from typing import Any

from pynamodb.attributes import BooleanAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel import clock, ids
from chalicelib.payments.rules import PaymentMethod, Refund, RefundStatus
from chalicelib.payments.store import PaymentsMeta
from chalicelib.platform import store
from chalicelib.platform.indexes import Due
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.store import Key
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    TextsAttribute,
)
from chalicelib.platform.transaction import Put, Update, create

REFUND = "refund"
DUE_SHARDS = 4


class RefundsByLeader(GlobalSecondaryIndex[Any]):
    """The refunds of a leader's community, of one method and status, by age."""

    class Meta:
        index_name = "refunds_by_leader"
        projection = KeysOnlyProjection()

    refunds_of = UnicodeAttribute(hash_key=True)
    refund_age = UnicodeAttribute(range_key=True)


class RefundRow(EntityRow[Refund]):
    Meta = PaymentsMeta
    entity = Refund

    due = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    overdue = Due()
    refunds_of = UnicodeAttribute()
    refund_age = UnicodeAttribute()
    of_leader = RefundsByLeader()
    id = UnicodeAttribute()
    order_id = UnicodeAttribute()
    leader_id = UnicodeAttribute()
    amount = IntegerAttribute()
    currency = UnicodeAttribute()
    status = UnicodeAttribute()
    method = UnicodeAttribute()
    provider = UnicodeAttribute()
    receipt = UnicodeAttribute()
    cash_account = UnicodeAttribute()
    reason = UnicodeAttribute()
    decided_at = InstantAttribute()
    completed_at = InstantAttribute(null=True)
    version = IntegerAttribute()
    attempt = IntegerAttribute(default=1)
    retried_at = InstantAttribute(null=True)
    paid_from = UnicodeAttribute(null=True)
    customer_id = UnicodeAttribute(null=True)
    cause = UnicodeAttribute(default="other")
    bearer = UnicodeAttribute(default="leader")
    kept = IntegerAttribute(default=0)
    delivered_net = IntegerAttribute(default=0)
    # Of one that was stored without it nobody knows.
    is_asked = BooleanAttribute(default=True)
    charged_back = IntegerAttribute(default=0)
    charged_back_at = InstantAttribute(null=True)
    beside = TextsAttribute(default=())
    reference = UnicodeAttribute(null=True)
    chargeback_id = UnicodeAttribute(null=True)

    @classmethod
    def keys(cls, entity: Refund) -> dict[str, Any]:
        keys: dict[str, Any] = {
            "pk": entity.id,
            "sk": REFUND,
            "refunds_of": _refunds_of(entity.leader_id, entity.status, entity.method),
            "refund_age": f"{clock.to_text(entity.decided_at)}#{entity.id}",
        }
        if entity.status in ("pending", "unknown"):
            keys["due"] = _due(ids.shard(entity.id, DUE_SHARDS))
            keys["due_at"] = entity.next_look(entity.asked_at)
        return keys


def refund_key(refund_id: str) -> Key:
    return Key(RefundRow, refund_id, REFUND)


def get_refund(refund_id: str) -> Refund | None:
    row = store.get(RefundRow, refund_id, REFUND)
    return row.to_entity() if row else None


def get_refunds(refund_ids: Iterable[str]) -> list[Refund]:
    """Those that are stored, in the order in which they are named."""
    keys = dict.fromkeys((each, REFUND) for each in refund_ids)
    return [row.to_entity() for row in store.get_many(RefundRow, keys)]


def add_refund(refund: Refund) -> Put:
    return create(RefundRow.of(refund))


def replace_refund(changed: Refund, version: int) -> Put:
    return Put(RefundRow.of(changed), RefundRow.version == version)


def note(changed: Refund) -> Update:
    """Write what is known of how it is sent, whose next look stays the same."""
    return Update(
        RefundRow.at(changed.id, REFUND),
        [
            RefundRow.is_asked.set(changed.is_asked),
            RefundRow.beside.set(changed.beside),
            RefundRow.version.set(changed.version),
        ],
        RefundRow.version == changed.version - 1,
    )


def to_look_at(now: datetime, limit: int) -> list[Refund]:
    """Refunds that are not done and whose next look has come."""
    shards = [_due(n) for n in range(DUE_SHARDS)]
    found = store.oldest(
        RefundRow.overdue, shards, RefundRow.due_at <= now, RefundRow.due_at, limit
    )
    rows = store.get_many(RefundRow, [(row.pk, REFUND) for row in found])
    return [row.to_entity() for row in rows if row.due_at]


def look_again(refund_id: str, at: datetime) -> Update:
    return Update(
        RefundRow.at(refund_id, REFUND), [RefundRow.due_at.set(at)], RefundRow.due.exists()
    )


def stop_watching(refund_id: str) -> Update:
    """Take a refund off the list of overdue ones; Stale where that was done before."""
    return Update(
        RefundRow.at(refund_id, REFUND),
        [RefundRow.due.remove(), RefundRow.due_at.remove()],
        RefundRow.due.exists(),
    )


def refunds_of(
    leader_id: str,
    statuses: Iterable[RefundStatus],
    methods: Iterable[PaymentMethod],
    page: PageRequest,
) -> Page[Refund]:
    """The refunds of a leader's community that are of these statuses and methods."""
    lists = [_refunds_of(leader_id, *each) for each in product(statuses, methods)]
    found = store.newest(RefundRow.of_leader, lists, RefundRow.refund_age, page)
    return store.whole(RefundRow, REFUND, found)


def _refunds_of(leader_id: str, status: RefundStatus, method: PaymentMethod) -> str:
    return f"{leader_id}#{method}#{status}"


def _due(n: int) -> str:
    return f"refund#{n}"
