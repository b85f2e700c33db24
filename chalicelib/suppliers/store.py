"""The suppliers table: deposits, remittances, and what is counted of a supplier by fee year and by
month."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.platform import store
from chalicelib.platform.store import Key
from chalicelib.platform.table import EntityRow, InstantAttribute, IntegerAttribute, Row, table
from chalicelib.platform.transaction import Delete, Put, Update, create
from chalicelib.suppliers.remittances import SupplierRemittance
from chalicelib.suppliers.rules import Deposit

DEPOSIT, COMMUNITY, FINES = "deposit#", "community#", "fines#"
TRANSFER = "transfer#"
FEE_YEARS, OWES = "fee_years", "owes"


SuppliersMeta = table("SUPPLIERS_TABLE")


class DepositRow(EntityRow[Deposit]):
    Meta = SuppliersMeta
    entity = Deposit

    id = UnicodeAttribute()
    supplier_id = UnicodeAttribute()
    kind = UnicodeAttribute()
    amount = IntegerAttribute()
    currency = UnicodeAttribute()
    booked_at = InstantAttribute()
    booked_by = UnicodeAttribute()
    reference = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    pays = UnicodeAttribute(null=True)
    cash_account = UnicodeAttribute(default="cash:bank")

    @classmethod
    def keys(cls, entity: Deposit) -> dict[str, Any]:
        return {"pk": entity.supplier_id, "sk": DEPOSIT + entity.id}


class RemittanceRow(EntityRow[SupplierRemittance]):
    Meta = SuppliersMeta
    entity = SupplierRemittance

    id = UnicodeAttribute()
    supplier_id = UnicodeAttribute()
    amount = IntegerAttribute()
    fees = IntegerAttribute()
    payable = IntegerAttribute()
    currency = UnicodeAttribute()
    reference = UnicodeAttribute()
    received_at = InstantAttribute()
    booked_by = UnicodeAttribute()
    reversed_at = InstantAttribute(null=True)
    reversal_reason = UnicodeAttribute(null=True)
    reversed_by = UnicodeAttribute(null=True)

    @classmethod
    def keys(cls, entity: SupplierRemittance) -> dict[str, Any]:
        return {"pk": entity.supplier_id, "sk": TRANSFER + entity.id}


class OwesRow(Row):
    """Says that a person was told that a supplier owes of what it was paid, and by which batch."""

    Meta = SuppliersMeta

    batch_id = UnicodeAttribute()


class CommunityRow(Row):
    """Says that a supplier has delivered to a leader's community in one of its fee years."""

    Meta = SuppliersMeta


class FeeYearsRow(Row):
    """Through which fee year a supplier's yearly fees were posted, or found not to be due."""

    Meta = SuppliersMeta

    through = UnicodeAttribute()


class FinesRow(Row):
    """What a supplier was fined in one business month and not let off."""

    Meta = SuppliersMeta

    charged = IntegerAttribute(default=0)


def deposit_key(supplier_id: str, deposit_id: str) -> Key:
    return Key(DepositRow, supplier_id, DEPOSIT + deposit_id)


def get_deposit(supplier_id: str, deposit_id: str) -> Deposit | None:
    row = store.get(DepositRow, supplier_id, DEPOSIT + deposit_id)
    return row.to_entity() if row else None


def get_deposits(of: Iterable[tuple[str, str]]) -> list[Deposit]:
    """Those that there are, by supplier and id."""
    keys = [(supplier_id, DEPOSIT + deposit_id) for supplier_id, deposit_id in of]
    return [row.to_entity() for row in store.get_many(DepositRow, keys)]


def add_deposit(deposit: Deposit) -> Put:
    return create(DepositRow.of(deposit))


def deposits_of(supplier_id: str) -> list[Deposit]:
    """All of them, the newest first: there are few of any supplier."""
    rows = store.query(DepositRow, supplier_id, where=DepositRow.sk.startswith(DEPOSIT))
    found = [row.to_entity() for row in rows]
    return sorted(found, key=lambda each: (each.booked_at, each.id), reverse=True)


def remittance_key(supplier_id: str, remittance_id: str) -> Key:
    return Key(RemittanceRow, supplier_id, TRANSFER + remittance_id)


def get_remittance(supplier_id: str, remittance_id: str) -> SupplierRemittance | None:
    row = store.get(RemittanceRow, supplier_id, TRANSFER + remittance_id)
    return row.to_entity() if row else None


def get_remittances(of: Iterable[tuple[str, str]]) -> list[SupplierRemittance]:
    """Those that there are, by supplier and id."""
    keys = [(supplier_id, TRANSFER + remittance_id) for supplier_id, remittance_id in of]
    return [row.to_entity() for row in store.get_many(RemittanceRow, keys)]


def add_remittance(remittance: SupplierRemittance) -> Put:
    return create(RemittanceRow.of(remittance))


def reverse_remittance(after: SupplierRemittance) -> Put:
    """The write that reverses it once; Stale where that was done meanwhile."""
    return Put(RemittanceRow.of(after), RemittanceRow.reversed_at.does_not_exist())


def remittances_of(supplier_id: str) -> list[SupplierRemittance]:
    """All of them, the newest first: there are few of any supplier."""
    rows = store.query(RemittanceRow, supplier_id, where=RemittanceRow.sk.startswith(TRANSFER))
    found = [row.to_entity() for row in rows]
    return sorted(found, key=lambda each: (each.received_at, each.id), reverse=True)


def told_to_owe(supplier_ids: Iterable[str]) -> dict[str, str]:
    """The batch by which a person was told of each supplier that owes; of others nothing."""
    rows = store.get_many(OwesRow, [(each, OWES) for each in supplier_ids])
    return {row.pk: row.batch_id for row in rows}


def tell_to_owe(supplier_id: str, batch_id: str) -> Put:
    """Stale where it was told before."""
    return create(OwesRow(supplier_id, OWES, batch_id=batch_id))


def owes_no_more(supplier_id: str, batch_id: str) -> Delete:
    """Stale where it was told by another batch meanwhile."""
    return Delete(OwesRow.at(supplier_id, OWES), OwesRow.batch_id == batch_id)


def has_delivered_to(supplier_id: str, leader_id: str, fee_year: date) -> bool:
    return store.get(CommunityRow, supplier_id, _community(leader_id, fee_year)) is not None


def community_key(supplier_id: str, leader_id: str, fee_year: date) -> Key:
    return Key(CommunityRow, supplier_id, _community(leader_id, fee_year))


def deliver_first_to(supplier_id: str, leader_id: str, fee_year: date) -> Put:
    """Stale where the supplier has delivered to that community in that fee year before."""
    return create(CommunityRow(supplier_id, _community(leader_id, fee_year)))


def decided_through(supplier_ids: Iterable[str]) -> dict[str, date]:
    """The last fee year of each supplier whose fee was decided."""
    rows = store.get_many(FeeYearsRow, [(each, FEE_YEARS) for each in supplier_ids])
    return {row.pk: date.fromisoformat(row.through) for row in rows}


def decide_through(supplier_id: str, fee_year: date) -> Put:
    """Nobody looks for the fees until that year again."""
    return Put(FeeYearsRow(supplier_id, FEE_YEARS, through=fee_year.isoformat()), when=None)


def fined_in(supplier_id: str, month: str) -> int:
    row = store.get(FinesRow, supplier_id, FINES + month)
    return row.charged if row else 0


def count_fine(supplier_id: str, month: str, amount: int, cap: int | None = None) -> Update:
    """Count a fine in its month, or less what is given back; Stale where it passes the cap."""
    row = FinesRow
    fits = None
    if cap is not None:
        fits = (row.charged <= cap - amount) | row.charged.does_not_exist()
    return Update(row.at(supplier_id, FINES + month), [row.charged.add(amount)], fits)


def _community(leader_id: str, fee_year: date) -> str:
    return f"{COMMUNITY}{fee_year}#{leader_id}"
