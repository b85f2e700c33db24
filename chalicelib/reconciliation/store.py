"""The reconciliations table: the statements that were taken, their differences, and how far
an account is told."""

import json
from collections.abc import Collection, Iterator
from dataclasses import asdict
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.platform import store
from chalicelib.platform.indexes import KeysListing
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.store import Key
from chalicelib.platform.table import (
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordsAttribute,
    Row,
    TextsAttribute,
    table,
)
from chalicelib.platform.transaction import Put, Update, create
from chalicelib.reconciliation.accounts import Account
from chalicelib.reconciliation.lines import Statement
from chalicelib.reconciliation.rules import (
    Change,
    Decided,
    Difference,
    KindCount,
    Match,
    NumberedDifference,
    Reconciliation,
    Undone,
)

RECONCILIATION, RECONCILIATIONS = "reconciliation", "reconciliations"
# How many statements of an account are looked at with one.
STATEMENTS_BEFORE, DIFFERENCES_A_READ = 40, 500
ACCOUNT, LATEST, NEXT = "account", "latest", "next"
TAKEN, DIFFERENCE = "taken", "difference#"

ReconciliationMeta = table("RECONCILIATION_TABLE")


class ReconciliationRow(EntityRow[Reconciliation]):
    Meta = ReconciliationMeta
    entity = Reconciliation

    listing = UnicodeAttribute()
    listed = KeysListing()
    id = UnicodeAttribute()
    account = UnicodeAttribute()
    format = UnicodeAttribute()
    digest = UnicodeAttribute()
    own_id = UnicodeAttribute()
    first = UnicodeAttribute()
    last = UnicodeAttribute()
    lines = IntegerAttribute()
    status = UnicodeAttribute()
    step = IntegerAttribute()
    pages = IntegerAttribute()
    matched = IntegerAttribute()
    differences = IntegerAttribute()
    in_transit = IntegerAttribute()
    repeated = IntegerAttribute()
    unresolved = IntegerAttribute()
    made_by = UnicodeAttribute()
    made_at = InstantAttribute()
    version = IntegerAttribute()
    since = UnicodeAttribute()
    behind = UnicodeAttribute(null=True)
    kinds = RecordsAttribute(KindCount)
    totals = RecordsAttribute(Change)
    opening = RecordsAttribute(Change)
    closing = RecordsAttribute(Change)
    done_at = InstantAttribute(null=True)

    @classmethod
    def keys(cls, entity: Reconciliation) -> dict[str, Any]:
        return {"pk": entity.id, "sk": RECONCILIATION, "listing": RECONCILIATIONS}


class TakenRow(Row):
    """A statement that was taken for an account: by its content, by its bank's own id of it, as the
    last one, or behind another."""

    Meta = ReconciliationMeta

    reconciliation_id = UnicodeAttribute()


class AccountRow(EntityRow[Account]):
    Meta = ReconciliationMeta
    entity = Account

    name = UnicodeAttribute()
    told_through = UnicodeAttribute()
    looked_through = UnicodeAttribute()
    closing = RecordsAttribute(Change)
    version = IntegerAttribute()

    @classmethod
    def keys(cls, entity: Account) -> dict[str, Any]:
        return {"pk": _account(entity.name), "sk": ACCOUNT}


class DifferenceRow(Row):
    Meta = ReconciliationMeta

    n = IntegerAttribute()
    difference = UnicodeAttribute()
    case_id = UnicodeAttribute()
    owner = UnicodeAttribute()
    version = IntegerAttribute()
    resolution = UnicodeAttribute(null=True)
    note = UnicodeAttribute(null=True)
    resolved_by = UnicodeAttribute(null=True)
    resolved_at = InstantAttribute(null=True)
    posted = TextsAttribute()
    found_in = UnicodeAttribute(null=True)
    decided = RecordsAttribute(Decided, null=True)
    undone = RecordsAttribute(Undone, null=True)

    @classmethod
    def of(cls, numbered: NumberedDifference) -> "DifferenceRow":
        values = dict(vars(numbered))
        reconciliation_id = values.pop("reconciliation_id")
        values["difference"] = json.dumps(asdict(numbered.difference))
        return cls(reconciliation_id, _difference(numbered.n), **values)

    def to_entity(self) -> NumberedDifference:
        values: dict[str, Any] = {name: self.attribute_values.get(name) for name in _OF_DIFFERENCE}
        values["difference"] = outcome_of(json.loads(self.difference))
        values |= {"decided": self.decided or (), "undone": self.undone or ()}
        return NumberedDifference(reconciliation_id=self.pk, **values)


_OF_DIFFERENCE = (
    *("n", "case_id", "owner", "version", "resolution", "note"),
    *("resolved_by", "resolved_at", "posted", "found_in"),
)


def reconciliation_key(reconciliation_id: str) -> Key:
    return Key(ReconciliationRow, reconciliation_id, RECONCILIATION)


def get_reconciliation(reconciliation_id: str) -> Reconciliation | None:
    row = store.get(ReconciliationRow, reconciliation_id, RECONCILIATION)
    return row.to_entity() if row else None


def reconciliations(page: PageRequest) -> Page[Reconciliation]:
    found = store.newest(ReconciliationRow.listed, [RECONCILIATIONS], ReconciliationRow.pk, page)
    return store.whole(ReconciliationRow, RECONCILIATION, found)


def add_reconciliation(made: Reconciliation) -> list[Put]:
    """Stale where the file, or the statement by its bank's own id, was taken before, or where
    another is the account's last by now."""
    taken = [
        create(TakenRow(name, TAKEN, reconciliation_id=made.id))
        for name in _names(made.account, made.digest, made.own_id, made.first)
    ]
    latest = TakenRow(_account(made.account), LATEST, reconciliation_id=made.id)
    if made.behind is None:
        return [create(ReconciliationRow.of(made)), *taken, create(latest)]
    return [
        create(ReconciliationRow.of(made)),
        *taken,
        Put(latest, TakenRow.reconciliation_id == made.behind),
        create(TakenRow(made.behind, NEXT, reconciliation_id=made.id)),
    ]


def replace_reconciliation(changed: Reconciliation) -> Put:
    """Stale where another has taken the same step."""
    row = ReconciliationRow
    return Put(row.of(changed), row.version == changed.version - 1)


def count_resolved(reconciliation_id: str) -> Update:
    row = ReconciliationRow
    return Update(row.at(reconciliation_id, RECONCILIATION), [row.unresolved.add(-1)])


def count_reopened(reconciliation_id: str) -> Update:
    row = ReconciliationRow
    return Update(row.at(reconciliation_id, RECONCILIATION), [row.unresolved.add(1)])


def count_matched(reconciliation_id: str, *, is_last: bool) -> Update:
    """One line more has its entry; with the last one its difference is resolved."""
    row = ReconciliationRow
    actions = [row.matched.add(1), *([row.unresolved.add(-1)] if is_last else [])]
    return Update(row.at(reconciliation_id, RECONCILIATION), actions)


def taken_as(account: str, digest: str, statement: Statement) -> str | None:
    """The reconciliation that has taken the same before."""
    names = _names(account, digest, statement.own_id, statement.first)
    rows = store.get_many(TakenRow, [(name, TAKEN) for name in names])
    return rows[0].reconciliation_id if rows else None


def last_taken(account: str) -> str | None:
    """The reconciliation that was the last to be taken of an account."""
    row = store.get(TakenRow, _account(account), LATEST)
    return row.reconciliation_id if row else None


def taken_before(made: Reconciliation) -> Iterator[Reconciliation]:
    """Those of its account that were taken before it and are looked at with it, the last first."""
    before = made
    for _ in range(STATEMENTS_BEFORE):
        found = get_reconciliation(before.behind) if before.behind else None
        if found is None:
            return
        before = found
        yield before


def taken_behind(reconciliation_id: str) -> str | None:
    """The one of its account that was taken after it."""
    row = store.get(TakenRow, reconciliation_id, NEXT)
    return row.reconciliation_id if row else None


def get_account(name: str) -> Account | None:
    row = store.get(AccountRow, _account(name), ACCOUNT)
    return row.to_entity() if row else None


def replace_account(changed: Account) -> Put:
    """Stale where another came first."""
    if changed.version == 1:
        return create(AccountRow.of(changed))
    return Put(AccountRow.of(changed), AccountRow.version == changed.version - 1)


def difference_key(reconciliation_id: str, n: int) -> Key:
    return Key(DifferenceRow, reconciliation_id, _difference(n))


def get_difference(reconciliation_id: str, n: int) -> NumberedDifference | None:
    row = store.get(DifferenceRow, reconciliation_id, _difference(n))
    return row.to_entity() if row else None


def add_difference(numbered: NumberedDifference) -> Put:
    return create(DifferenceRow.of(numbered))


def replace_difference(changed: NumberedDifference) -> Put:
    """Stale where another came first."""
    return Put(DifferenceRow.of(changed), DifferenceRow.version == changed.version - 1)


def differences(reconciliation_id: str, page: PageRequest) -> Page[NumberedDifference]:
    """By falling number."""
    found = store.newest_within(DifferenceRow, reconciliation_id, DIFFERENCE, page)
    return found.map(DifferenceRow.to_entity)


def every_difference(reconciliation_id: str) -> Iterator[NumberedDifference]:
    """Likewise, all of them."""
    page = PageRequest("differences", DIFFERENCES_A_READ)
    while True:
        some = differences(reconciliation_id, page)
        yield from some.items
        if some.next_after is None:
            return
        page = PageRequest("differences", DIFFERENCES_A_READ, some.next_after)


def outcome_of(record: dict[str, Any]) -> Any:
    if "kind" not in record:
        return Match(**record)
    changes = tuple(Change(**each) for each in record["changes"])
    tuples: dict[str, Any] = {name: tuple(record[name]) for name in ("lines", "entries")}
    return Difference(**record | tuples | {"changes": changes})


def _names(account: str, digest: str, own_id: str, first: str) -> Collection[str]:
    names = [f"taken#{account}#{digest}"]
    return [*names, f"taken#{account}#id#{own_id}#{first}"] if own_id else names


def _account(name: str) -> str:
    return f"account#{name}"


def _difference(n: int) -> str:
    return f"{DIFFERENCE}{n:06d}"
