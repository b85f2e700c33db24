"""Chargebacks. They lie in the payments table."""

from collections.abc import Iterable
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel import clock, ids
from chalicelib.payments.rules import Chargeback, PaidRefund
from chalicelib.payments.store import PaymentsMeta
from chalicelib.platform import store
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.store import Key
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordsAttribute,
)
from chalicelib.platform.transaction import Put, create

CHARGEBACK = "chargeback"
LISTING_SHARDS = 4


class Listing(GlobalSecondaryIndex[Any]):
    """All chargebacks, over some shards, by age."""

    class Meta:
        index_name = "listing"
        projection = KeysOnlyProjection()

    listing = UnicodeAttribute(hash_key=True)
    age = UnicodeAttribute(range_key=True)


class ChargebackRow(EntityRow[Chargeback]):
    Meta = PaymentsMeta
    entity = Chargeback

    listing = UnicodeAttribute()
    age = UnicodeAttribute()
    listed = Listing()
    id = UnicodeAttribute()
    provider = UnicodeAttribute()
    reference = UnicodeAttribute()
    charge = UnicodeAttribute()
    order_id = UnicodeAttribute(null=True)
    refund_id = UnicodeAttribute(null=True)
    amount = IntegerAttribute()
    refunded = IntegerAttribute()
    fee = IntegerAttribute()
    currency = UnicodeAttribute()
    status = UnicodeAttribute()
    opened_at = InstantAttribute()
    version = IntegerAttribute()
    closed_at = InstantAttribute(null=True)
    fee_bearer = UnicodeAttribute(default="platform")
    paid = RecordsAttribute(PaidRefund, default=())
    booked_by = UnicodeAttribute(null=True)
    closed_by = UnicodeAttribute(null=True)

    @classmethod
    def keys(cls, entity: Chargeback) -> dict[str, Any]:
        return {
            "pk": entity.id,
            "sk": CHARGEBACK,
            "listing": _chargebacks(ids.shard(entity.id, LISTING_SHARDS)),
            "age": f"{clock.to_text(entity.opened_at)}#{entity.id}",
        }


def chargeback_key(chargeback_id: str) -> Key:
    return Key(ChargebackRow, chargeback_id, CHARGEBACK)


def get_chargeback(chargeback_id: str) -> Chargeback | None:
    row = store.get(ChargebackRow, chargeback_id, CHARGEBACK)
    return row.to_entity() if row else None


def get_chargebacks(chargeback_ids: Iterable[str]) -> list[Chargeback]:
    keys = dict.fromkeys((each, CHARGEBACK) for each in chargeback_ids)
    return [row.to_entity() for row in store.get_many(ChargebackRow, keys)]


def chargebacks(page: PageRequest) -> Page[Chargeback]:
    shards = [_chargebacks(n) for n in range(LISTING_SHARDS)]
    found = store.newest(ChargebackRow.listed, shards, ChargebackRow.age, page)
    return store.whole(ChargebackRow, CHARGEBACK, found)


def add_chargeback(chargeback: Chargeback) -> Put:
    return create(ChargebackRow.of(chargeback))


def replace_chargeback(changed: Chargeback) -> Put:
    return Put(ChargebackRow.of(changed), ChargebackRow.version == changed.version - 1)


def _chargebacks(shard: int) -> str:
    return f"chargebacks#{shard}"
