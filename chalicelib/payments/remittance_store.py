"""What leaders hand over of the cash that they collected. It lies in the payments table."""

from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.kernel import clock
from chalicelib.payments.rules import Remittance
from chalicelib.payments.store import PaymentsMeta
from chalicelib.platform import store
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.store import Key
from chalicelib.platform.table import EntityRow, InstantAttribute, IntegerAttribute
from chalicelib.platform.transaction import Put, create

REMITTANCE = "remittance"


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
    booked_by = UnicodeAttribute(null=True)
    reversed_by = UnicodeAttribute(null=True)
    cash_account = UnicodeAttribute(default="cash:bank")

    @classmethod
    def keys(cls, entity: Remittance) -> dict[str, Any]:
        age = f"{clock.to_text(entity.received_at)}#{entity.id}"
        return {"pk": entity.id, "sk": REMITTANCE, "age": age}


def remittance_key(remittance_id: str) -> Key:
    return Key(RemittanceRow, remittance_id, REMITTANCE)


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
