"""The parties table: who is in it and under which attribute names."""

from collections.abc import Iterable, Iterator
from typing import Any

from pynamodb.attributes import Attribute, BooleanAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from chalicelib.parties.rules import ApiKey, Leader, PickupPoint, Supplier
from chalicelib.parties.settlement_terms import SettlementTerms, Waiver
from chalicelib.parties.terms import Mode, OpenHours, Terms
from chalicelib.platform import store
from chalicelib.platform.indexes import Listing
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.store import Key
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordAttribute,
    RecordsAttribute,
    Row,
    TextsAttribute,
    absent,
    table,
)
from chalicelib.platform.transaction import Check, Delete, Put, Update, create

SUPPLIER, LEADER, API_KEY, TERMS = "supplier", "leader", "api_key", "terms"
SETTLEMENT_TERMS, LEAVING, LEFT = "settlement_terms", "leaving", "left"
SUPPLIERS, LEADERS, FEE_PAYERS = "suppliers", "leaders", "fee_payers"


PartiesMeta = table("PARTIES_TABLE")


class SupplierRow(EntityRow[Supplier]):
    Meta = PartiesMeta
    entity = Supplier

    listing = UnicodeAttribute()
    listed = Listing()
    id = UnicodeAttribute()
    name = UnicodeAttribute()
    email = UnicodeAttribute()
    currency = UnicodeAttribute()
    api_keys = RecordsAttribute(ApiKey)
    version = IntegerAttribute()
    created_at = InstantAttribute()

    @classmethod
    def keys(cls, entity: Supplier) -> dict[str, Any]:
        return {"pk": entity.id, "sk": SUPPLIER, "listing": SUPPLIERS}


class LeaderRow(EntityRow[Leader]):
    Meta = PartiesMeta
    entity = Leader

    listing = UnicodeAttribute()
    listed = Listing()
    id = UnicodeAttribute()
    name = UnicodeAttribute()
    community = UnicodeAttribute()
    pickup_point = RecordAttribute(PickupPoint)
    currency = UnicodeAttribute()
    credit_limit = IntegerAttribute(null=True)
    plan_id = UnicodeAttribute(null=True)
    level = UnicodeAttribute(null=True)
    pickup_leader_id = UnicodeAttribute(null=True)
    hub_id = UnicodeAttribute(null=True)
    upline = TextsAttribute(default=())
    has_invited = BooleanAttribute(default=False)
    leaving_at = InstantAttribute(null=True)
    leaving_reason = UnicodeAttribute(null=True)
    left_at = InstantAttribute(null=True)
    created_at = InstantAttribute()

    @classmethod
    def keys(cls, entity: Leader) -> dict[str, Any]:
        return {"pk": entity.id, "sk": LEADER, "listing": LEADERS}


class LeavingRow(Row):
    """Names a leader that is leaving, or has left; `owed` is what a case has told that it owes."""

    Meta = PartiesMeta

    listing = UnicodeAttribute()
    listed = Listing()
    owed = IntegerAttribute(default=0)


class ApiKeyRow(Row):
    """Found by the hash of the key that a request carries."""

    Meta = PartiesMeta

    supplier_id = UnicodeAttribute()

    @classmethod
    def of(cls, key_hash: str, supplier_id: str) -> "ApiKeyRow":
        return cls(f"{API_KEY}#{key_hash}", API_KEY, supplier_id=supplier_id)


class TermsRow(EntityRow[Terms]):
    """A supplier's terms as they are now, and beside them each version that there was."""

    Meta = PartiesMeta
    entity = Terms

    supplier_id = UnicodeAttribute()
    version = IntegerAttribute()
    modes = RecordsAttribute(Mode)
    timezone = UnicodeAttribute()
    opening = RecordsAttribute(OpenHours)
    closed_days = TextsAttribute()
    set_at = InstantAttribute()

    @classmethod
    def keys(cls, entity: Terms) -> dict[str, Any]:
        return {"pk": entity.supplier_id, "sk": TERMS}

    @classmethod
    def kept(cls, terms: Terms) -> "TermsRow":
        """The row of just this version."""
        row = cls.of(terms)
        row.sk = _version(terms.version)
        return row


class SettlementTermsRow(EntityRow[SettlementTerms]):
    """What a supplier is paid by and pays as it is now, and beside it each version there was."""

    Meta = PartiesMeta
    entity = SettlementTerms

    # Only the present ones of a supplier that was ever asked for a fee carry it.
    listing = UnicodeAttribute(null=True)
    listed = Listing()
    supplier_id = UnicodeAttribute()
    version = IntegerAttribute()
    basis = UnicodeAttribute()
    fee_bps = IntegerAttribute()
    annual_fee = IntegerAttribute(null=True)
    community_fee = IntegerAttribute(null=True)
    waivers = RecordsAttribute(Waiver)
    deposit = IntegerAttribute(null=True)
    fine_cap = IntegerAttribute(null=True)
    refund_bearer = UnicodeAttribute()
    fees_since = UnicodeAttribute(null=True)
    set_at = InstantAttribute()
    set_by = UnicodeAttribute()

    @classmethod
    def keys(cls, entity: SettlementTerms) -> dict[str, Any]:
        listing = FEE_PAYERS if entity.fees_since else None
        return {"pk": entity.supplier_id, "sk": SETTLEMENT_TERMS, "listing": listing}

    @classmethod
    def kept(cls, terms: SettlementTerms) -> "SettlementTermsRow":
        """The row of just this version."""
        row = cls.of(terms)
        row.sk, row.listing = _settlement_version(terms.version), None
        return row


def leader_key(leader_id: str) -> Key:
    return Key(LeaderRow, leader_id, LEADER)


def get_leader(leader_id: str) -> Leader | None:
    row = store.get(LeaderRow, leader_id, LEADER)
    return row.to_entity() if row else None


def set_credit_limit(leader_id: str, amount: int | None) -> Update:
    """Set a leader's limit, or take it away; Stale where there is no such leader."""
    limit = LeaderRow.credit_limit
    action = limit.remove() if amount is None else limit.set(amount)
    return Update(LeaderRow.at(leader_id, LEADER), [action], LeaderRow.pk.exists())


def change_leader(before: Leader, **changes: Any) -> Update:
    """Change some fields; Stale where any of them is not as in `before` any more. None, or nothing
    of many, takes one away."""
    actions, unchanged = [], LeaderRow.pk.exists()
    for name, value in changes.items():
        attribute, was = getattr(LeaderRow, name), getattr(before, name)
        actions.append(attribute.set(value) if value else attribute.remove())
        same = attribute == was if was else _without(attribute, was)
        unchanged = unchanged & same
    return Update(LeaderRow.at(before.id, LEADER), actions, unchanged)


def begin_leaving(leader_id: str) -> Put:
    return create(LeavingRow(leader_id, LEAVING, listing=LEAVING))


def end_leaving(leader_id: str) -> Delete:
    """It stays. Stale where that was said meanwhile, or it has left."""
    return Delete(LeavingRow.at(leader_id, LEAVING), LeavingRow.listing == LEAVING)


def has_left(leader_id: str, owed: int) -> Put:
    """Stale where it stays, or has left already."""
    return Put(
        LeavingRow(leader_id, LEAVING, listing=LEFT, owed=owed), LeavingRow.listing == LEAVING
    )


def told_to_owe(before: LeavingRow, owed: int) -> Update:
    """Stale where something else was told meanwhile."""
    row = LeavingRow
    return Update(row.at(before.pk, LEAVING), [row.owed.set(owed)], row.owed == before.owed)


def all_leaving() -> Iterator[str]:
    for rows in store.pages(LeavingRow.listed, LEAVING, store.GET_LIMIT):
        yield from (row.pk for row in rows)


def all_that_left() -> Iterator[list[LeavingRow]]:
    """Page by page, as each was at the last look."""
    for rows in store.pages(LeavingRow.listed, LEFT, store.GET_LIMIT):
        yield store.get_many(LeavingRow, [(row.pk, LEAVING) for row in rows])


def is_leaving(leader_id: str) -> bool:
    """Whether it is leaving, or has left."""
    return store.get(LeavingRow, leader_id, LEAVING) is not None


def still_leaving(leader_id: str, *, leaving: bool) -> Check:
    """Holds while a leader leaves, or stays, as was read."""
    there = LeavingRow.pk.exists() if leaving else absent()
    return Check(LeavingRow.at(leader_id, LEAVING), there)


def leaving_of(leader_ids: Iterable[str]) -> set[str]:
    """Which of these leaders are leaving, or have left."""
    return {row.pk for row in store.get_many(LeavingRow, [(each, LEAVING) for each in leader_ids])}


def _without(attribute: Attribute[Any], nothing: Any) -> Condition:
    absent: Condition = attribute.does_not_exist()
    return absent if nothing is None else absent | (attribute == nothing)


def supplier_key(supplier_id: str) -> Key:
    return Key(SupplierRow, supplier_id, SUPPLIER)


def get_supplier(supplier_id: str) -> Supplier | None:
    row = store.get(SupplierRow, supplier_id, SUPPLIER)
    return row.to_entity() if row else None


def get_leaders(leader_ids: Iterable[str]) -> list[Leader]:
    rows = store.get_many(LeaderRow, [(each, LEADER) for each in leader_ids])
    return [row.to_entity() for row in rows]


def get_suppliers(supplier_ids: Iterable[str]) -> list[Supplier]:
    rows = store.get_many(SupplierRow, [(each, SUPPLIER) for each in supplier_ids])
    return [row.to_entity() for row in rows]


def supplier_of_key(key_hash: str) -> str | None:
    row = store.get(ApiKeyRow, f"{API_KEY}#{key_hash}", API_KEY)
    return row.supplier_id if row else None


def suppliers(page: PageRequest) -> Page[Supplier]:
    return store.newest(SupplierRow.listed, [SUPPLIERS], SupplierRow.pk, page).map(
        SupplierRow.to_entity
    )


def leaders(page: PageRequest) -> Page[Leader]:
    return store.newest(LeaderRow.listed, [LEADERS], LeaderRow.pk, page).map(LeaderRow.to_entity)


def leader_ids_after(leader_id: str | None, limit: int) -> list[str]:
    """The next `limit` leaders by rising id: how a settlement run goes through all of them."""
    where = LeaderRow.pk > leader_id if leader_id else None
    rows = store.oldest(LeaderRow.listed, [LEADERS], where, LeaderRow.pk, limit)
    return [row.pk for row in rows]


def supplier_ids_after(supplier_id: str | None, limit: int) -> list[str]:
    """The same for suppliers: how a batch of payouts goes through all of them."""
    where = SupplierRow.pk > supplier_id if supplier_id else None
    rows = store.oldest(SupplierRow.listed, [SUPPLIERS], where, SupplierRow.pk, limit)
    return [row.pk for row in rows]


def terms_of(supplier_ids: Iterable[str]) -> dict[str, Terms]:
    """The present terms of suppliers; the usual ones where none were set."""
    wanted = list(supplier_ids)
    rows = store.get_many(TermsRow, [(each, TERMS) for each in wanted])
    return {each: Terms(each) for each in wanted} | {row.pk: row.to_entity() for row in rows}


def terms_at(supplier_id: str, version: int) -> Terms:
    """A supplier's terms as they were in that version. Raises LookupError for one never set."""
    if version == 0:
        return Terms(supplier_id)
    row = store.get(TermsRow, supplier_id, _version(version))
    if row is None:
        raise LookupError(f"version {version} of the terms of {supplier_id} is not stored")
    return row.to_entity()


def set_terms(terms: Terms) -> tuple[Put, Put]:
    """Set the next version; Stale where another came first."""
    first = terms.version == 1
    before = absent() if first else TermsRow.version == terms.version - 1
    return Put(TermsRow.of(terms), before), create(TermsRow.kept(terms))


def settlement_terms_key(supplier_id: str) -> Key:
    return Key(SettlementTermsRow, supplier_id, SETTLEMENT_TERMS)


def settlement_terms_of(supplier_ids: Iterable[str]) -> dict[str, SettlementTerms]:
    """What suppliers are paid by and pay now; their cost, and nothing, where none were set."""
    wanted = list(supplier_ids)
    rows = store.get_many(SettlementTermsRow, [(each, SETTLEMENT_TERMS) for each in wanted])
    usual = {each: SettlementTerms(each) for each in wanted}
    return usual | {row.pk: row.to_entity() for row in rows}


def settlement_terms_at(supplier_id: str, version: int) -> SettlementTerms:
    """What it was paid by in that version. Raises LookupError for one never set."""
    if version == 0:
        return SettlementTerms(supplier_id)
    row = store.get(SettlementTermsRow, supplier_id, _settlement_version(version))
    if row is None:
        raise LookupError(f"version {version} of what {supplier_id} is paid by is not stored")
    return row.to_entity()


def get_settlement_terms(
    named: Iterable[tuple[str, int]],
) -> dict[tuple[str, int], SettlementTerms]:
    """Those that there are, by supplier and version."""
    wanted = list(named)
    keys = [(supplier_id, _settlement_version(version)) for supplier_id, version in wanted]
    rows = store.get_many(SettlementTermsRow, keys)
    usual = {each: SettlementTerms(each[0]) for each in wanted if each[1] == 0}
    return usual | {(row.supplier_id, row.version): row.to_entity() for row in rows}


def settlement_terms_versions(supplier_id: str) -> list[SettlementTerms]:
    """All that a supplier ever had, the oldest first."""
    kept = SettlementTermsRow.sk.startswith(f"{SETTLEMENT_TERMS}#")
    return [row.to_entity() for row in store.query(SettlementTermsRow, supplier_id, where=kept)]


def set_settlement_terms(terms: SettlementTerms) -> tuple[Put, Put]:
    """Set the next version; Stale where another came first."""
    before = SettlementTermsRow.version == terms.version - 1
    when = absent() if terms.version == 1 else before
    return (
        Put(SettlementTermsRow.of(terms), when),
        create(SettlementTermsRow.kept(terms)),
    )


def fee_payers(size: int) -> Iterator[list[SettlementTerms]]:
    """The present terms of all suppliers that were ever asked for a fee, so many at a time."""
    for rows in store.pages(SettlementTermsRow.listed, FEE_PAYERS, size):
        yield [row.to_entity() for row in rows]


def _settlement_version(version: int) -> str:
    return f"{SETTLEMENT_TERMS}#{version:08d}"


def _version(version: int) -> str:
    return f"{TERMS}#{version:08d}"
