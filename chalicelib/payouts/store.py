"""The payouts table: payouts, and which of them its party waits for."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.kernel import clock, ids
from chalicelib.payouts.rules import Party, Payout, Result
from chalicelib.platform import store
from chalicelib.platform.indexes import Due
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.store import Key
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordsAttribute,
    Row,
    table,
)
from chalicelib.platform.transaction import Check, Delete, Put, Update, create

PAYOUT, OPEN = "payout", "open"
DUE_SHARDS = 4

PayoutsMeta = table("PAYOUTS_TABLE")


class ByBatch(GlobalSecondaryIndex[Any]):
    """The payouts of a batch, by id."""

    class Meta:
        index_name = "by_batch"
        projection = KeysOnlyProjection()

    batch_id = UnicodeAttribute(hash_key=True)
    pk = UnicodeAttribute(range_key=True)


class ByParty(GlobalSecondaryIndex[Any]):
    """What a party was sent, by age."""

    class Meta:
        index_name = "by_party"
        projection = KeysOnlyProjection()

    party = UnicodeAttribute(hash_key=True)
    age = UnicodeAttribute(range_key=True)


class PayoutRow(EntityRow[Payout]):
    Meta = PayoutsMeta
    entity = Payout

    in_batch = ByBatch()
    age = UnicodeAttribute()
    of_party = ByParty()
    due = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    unknown = Due()
    id = UnicodeAttribute()
    batch_id = UnicodeAttribute()
    page = IntegerAttribute()
    party = UnicodeAttribute()
    currency = UnicodeAttribute()
    method = UnicodeAttribute()
    amount = IntegerAttribute()
    netted = IntegerAttribute()
    made_at = InstantAttribute()
    version = IntegerAttribute()
    account_kind = UnicodeAttribute(null=True)
    sealed = UnicodeAttribute(null=True)
    last_four = UnicodeAttribute(null=True)
    outcome = UnicodeAttribute(null=True)
    reference = UnicodeAttribute(null=True)
    told_at = InstantAttribute(null=True)
    asked_at = InstantAttribute(null=True)
    results = RecordsAttribute(Result, default=())

    @classmethod
    def keys(cls, entity: Payout) -> dict[str, Any]:
        age = f"{clock.to_text(entity.made_at)}#{entity.id}"
        return {"pk": entity.id, "sk": PAYOUT, "age": age}


class OpenRow(Row):
    """The one payout of a party that has no result yet."""

    Meta = PayoutsMeta

    payout_id = UnicodeAttribute()


def payout_key(payout_id: str) -> Key:
    return Key(PayoutRow, payout_id, PAYOUT)


def get_payout(payout_id: str) -> Payout | None:
    row = store.get(PayoutRow, payout_id, PAYOUT)
    return row.to_entity() if row else None


def get_payouts(payout_ids: Iterable[str]) -> list[Payout]:
    """Those that there are, in the order of their ids."""
    rows = store.get_many(PayoutRow, [(each, PAYOUT) for each in payout_ids])
    return [row.to_entity() for row in rows]


def add_payout(payout: Payout) -> tuple[Put, ...]:
    """The write of a payout, and its party's only open one; Stale where it has one."""
    if payout.is_over:
        return (create(PayoutRow.of(payout)),)
    opened = OpenRow(payout.party, OPEN, payout_id=payout.id)
    return create(PayoutRow.of(payout)), create(opened)


def replace_payout(changed: Payout, look_at: datetime | None = None) -> Put:
    """The write of the next version, to be looked at again at an instant; Stale where another
    came first."""
    row = PayoutRow.of(changed)
    if look_at:
        row.due, row.due_at = _due(ids.shard(changed.id, DUE_SHARDS)), look_at
    return Put(row, PayoutRow.version == changed.version - 1)


def unchanged(payout: Payout) -> Check:
    """Holds while the payout is as it was read."""
    return Check(PayoutRow.at(payout.id, PAYOUT), PayoutRow.version == payout.version)


def end(payout: Payout) -> Delete:
    """Its party may be paid in another batch."""
    return Delete(OpenRow.at(payout.party, OPEN), OpenRow.payout_id == payout.id)


def has_open(party: Party) -> bool:
    return store.get(OpenRow, party.key, OPEN) is not None


def open_ids(parties: Iterable[str]) -> dict[str, str]:
    """The open payouts of those of these parties that have one."""
    rows = store.get_many(OpenRow, [(each, OPEN) for each in parties])
    return {row.pk: row.payout_id for row in rows}


def payouts_in(batch_id: str, page: PageRequest) -> Page[Payout]:
    found = store.newest(PayoutRow.in_batch, [batch_id], PayoutRow.pk, page)
    return store.whole(PayoutRow, PAYOUT, found)


def payouts_to(party: Party, page: PageRequest) -> Page[Payout]:
    found = store.newest(PayoutRow.of_party, [party.key], PayoutRow.age, page)
    return store.whole(PayoutRow, PAYOUT, found)


def to_look_at(now: datetime, limit: int) -> list[Payout]:
    """Payouts in doubt whose next look has come."""
    shards = [_due(n) for n in range(DUE_SHARDS)]
    found = store.oldest(
        PayoutRow.unknown, shards, PayoutRow.due_at <= now, PayoutRow.due_at, limit
    )
    return get_payouts(row.pk for row in found)


def look_again(payout_id: str, at: datetime) -> Update:
    row = PayoutRow
    return Update(row.at(payout_id, PAYOUT), [row.due_at.set(at)], row.due.exists())


def stop_looking(payout_id: str) -> Update:
    """Leave it to a person; Stale where that was done before."""
    row = PayoutRow
    actions = [row.due.remove(), row.due_at.remove()]
    return Update(row.at(payout_id, PAYOUT), actions, row.due.exists())


def _due(n: int) -> str:
    return f"payout#{n}"
