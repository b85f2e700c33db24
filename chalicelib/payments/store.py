"""The payments table: receipts, refunds and remittances."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel import clock, ids
from chalicelib.payments.rules import (
    Bears,
    Chargeback,
    PaymentMethod,
    Receipt,
    Refund,
    RefundBearers,
    RefundStatus,
    Remittance,
    receipt_id,
)
from chalicelib.platform import store
from chalicelib.platform.indexes import Due
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordsAttribute,
    Row,
    absent,
    table,
)
from chalicelib.platform.transaction import Put, Update, create

RECEIPT, REFUND, REMITTANCE = "receipt", "refund", "remittance"
BEARERS, CHARGEBACK = "refund_bearers", "chargeback"
DUE_SHARDS, LISTING_SHARDS = 4, 4


PaymentsMeta = table("PAYMENTS_TABLE")


class ReceiptRow(EntityRow[Receipt]):
    Meta = PaymentsMeta
    entity = Receipt

    provider = UnicodeAttribute()
    reference = UnicodeAttribute()
    payment_id = UnicodeAttribute()
    order_id = UnicodeAttribute(null=True)
    amount = IntegerAttribute()
    currency = UnicodeAttribute()
    received_at = InstantAttribute()

    @classmethod
    def keys(cls, entity: Receipt) -> dict[str, Any]:
        return {"pk": _receipt_pk(entity.id), "sk": RECEIPT}


class AnyRow(Row):
    """A refund, a receipt, a chargeback or a remittance, by its key."""

    Meta = PaymentsMeta


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


class ByLeader(GlobalSecondaryIndex[Any]):
    """A leader's remittances by age; refunds have no age and are not in it."""

    class Meta:
        index_name = "by_leader"
        projection = AllProjection()

    leader_id = UnicodeAttribute(hash_key=True)
    age = UnicodeAttribute(range_key=True)


class RemittanceRow(EntityRow[Remittance]):
    Meta = PaymentsMeta
    entity = Remittance

    age = UnicodeAttribute()
    of_leader = ByLeader()
    id = UnicodeAttribute()
    leader_id = UnicodeAttribute()
    amount = IntegerAttribute()
    currency = UnicodeAttribute()
    reference = UnicodeAttribute()
    received_at = InstantAttribute()
    reversed_at = InstantAttribute(null=True)
    reversal_reason = UnicodeAttribute(null=True)
    cash_account = UnicodeAttribute(default="cash:bank")

    @classmethod
    def keys(cls, entity: Remittance) -> dict[str, Any]:
        age = f"{clock.to_text(entity.received_at)}#{entity.id}"
        return {"pk": entity.id, "sk": REMITTANCE, "age": age}


class BearersRow(EntityRow[RefundBearers]):
    """Who pays for refunds now."""

    Meta = PaymentsMeta
    entity = RefundBearers

    version = IntegerAttribute()
    rules = RecordsAttribute(Bears)
    set_at = InstantAttribute()
    set_by = UnicodeAttribute()

    @classmethod
    def keys(cls, entity: RefundBearers) -> dict[str, Any]:
        return {"pk": BEARERS, "sk": BEARERS}


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

    @classmethod
    def keys(cls, entity: Chargeback) -> dict[str, Any]:
        return {
            "pk": entity.id,
            "sk": CHARGEBACK,
            "listing": _chargebacks(ids.shard(entity.id, LISTING_SHARDS)),
            "age": f"{clock.to_text(entity.opened_at)}#{entity.id}",
        }


def is_taken(receipt: Receipt) -> bool:
    return get_receipt(receipt.provider, receipt.reference) is not None


def get_receipt(provider: str, reference: str) -> Receipt | None:
    row = store.get(ReceiptRow, _receipt_pk(receipt_id(provider, reference)), RECEIPT)
    return row.to_entity() if row else None


def take(receipt: Receipt) -> Put:
    """The write that books a receipt once; Stale where it was booked meanwhile."""
    return create(ReceiptRow.of(receipt))


def get_refund(refund_id: str) -> Refund | None:
    row = store.get(RefundRow, refund_id, REFUND)
    return row.to_entity() if row else None


def add_refund(refund: Refund) -> Put:
    return create(RefundRow.of(refund))


def replace_refund(changed: Refund, version: int) -> Put:
    return Put(RefundRow.of(changed), RefundRow.version == version)


def to_look_at(now: datetime, limit: int) -> list[Refund]:
    """Refunds that are not done and whose next look has come."""
    shards = [_due(n) for n in range(DUE_SHARDS)]
    found = store.oldest(
        RefundRow.overdue, shards, RefundRow.due_at <= now, RefundRow.due_at, limit
    )
    rows = store.get_many(RefundRow, [(row.pk, REFUND) for row in found])
    return [row.to_entity() for row in rows if row.due_at]


@dataclass(frozen=True)
class Scanned:
    """What was found among some items of the table, and where to go on."""

    refunds: Sequence[Refund]
    receipts: Sequence[Receipt]
    chargebacks: Sequence[Chargeback]
    remittances: Sequence[Remittance]
    next_after: Any


def scanned(after: Any, size: int) -> Scanned:
    """The next `size` items of the table."""
    kinds = (REFUND, RECEIPT, CHARGEBACK, REMITTANCE)
    rows, behind = store.scan_page(AnyRow, kinds, size, after)
    keys = {kind: [(each.pk, kind) for each in rows if each.sk == kind] for kind in kinds}
    return Scanned(
        [row.to_entity() for row in store.get_many(RefundRow, keys[REFUND])],
        [row.to_entity() for row in store.get_many(ReceiptRow, keys[RECEIPT])],
        [row.to_entity() for row in store.get_many(ChargebackRow, keys[CHARGEBACK])],
        [row.to_entity() for row in store.get_many(RemittanceRow, keys[REMITTANCE])],
        behind,
    )


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


def refund_bearers() -> RefundBearers:
    row = store.get(BearersRow, BEARERS, BEARERS)
    return row.to_entity() if row else RefundBearers()


def set_refund_bearers(bearers: RefundBearers) -> Put:
    """Set the next version; Stale where another came first."""
    first = bearers.version == 1
    before = absent() if first else BearersRow.version == bearers.version - 1
    return Put(BearersRow.of(bearers), before)


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


def get_remittance(remittance_id: str) -> Remittance | None:
    row = store.get(RemittanceRow, remittance_id, REMITTANCE)
    return row.to_entity() if row else None


def add_remittance(remittance: Remittance) -> Put:
    return create(RemittanceRow.of(remittance))


def reverse_remittance(after: Remittance) -> Put:
    """The write that reverses it once; Stale where that was done meanwhile."""
    return Put(RemittanceRow.of(after), RemittanceRow.reversed_at.does_not_exist())


def remittances_of(leader_id: str, page: PageRequest) -> Page[Remittance]:
    found = store.newest(RemittanceRow.of_leader, [leader_id], RemittanceRow.age, page)
    return found.map(RemittanceRow.to_entity)


def _receipt_pk(receipt_id: str) -> str:
    return f"{RECEIPT}#{receipt_id}"


def _refunds_of(leader_id: str, status: RefundStatus, method: PaymentMethod) -> str:
    return f"{leader_id}#{method}#{status}"


def _chargebacks(shard: int) -> str:
    return f"chargebacks#{shard}"


def _due(n: int) -> str:
    return f"refund#{n}"
