"""The reconciliations table: statements with their lines, what was found of them, and the claims by
which no line and no entry is taken twice."""

import json
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel.errors import Stale
from chalicelib.platform import store
from chalicelib.platform.indexes import KeysListing
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.retries import retrying
from chalicelib.platform.table import (
    CompressedTextAttribute,
    EntityRow,
    InstantAttribute,
    IntegerAttribute,
    RecordsAttribute,
    Row,
    TextsAttribute,
    absent,
    table,
)
from chalicelib.platform.transaction import (
    Check,
    Delete,
    Otherwise,
    Put,
    Update,
    create,
    write,
    write_alone,
)
from chalicelib.reconciliation.accounts import Account, Left
from chalicelib.reconciliation.lines import Booked, Line, Statement
from chalicelib.reconciliation.rules import (
    Change,
    Decided,
    Difference,
    InTransit,
    KindCount,
    Match,
    NumberedDifference,
    Outcome,
    Reconciliation,
)

RECONCILIATION, RECONCILIATIONS = "reconciliation", "reconciliations"
ACCOUNT, LATEST, NEXT = "account", "latest", "next"
TAKEN, CLAIM, PART, PIECE, DIFFERENCE = "taken", "claim", "part#", "piece#", "difference#"
# By what a line or an entry is claimed of which several may be meant, and once that is said.
AMBIGUOUS, DECIDED = "ambiguous", "decided"
LINES, OUTCOMES, IN_TRANSIT = "lines", "outcomes", "in_transit"
LINES_A_PIECE, ENTRIES_A_PIECE = 250, 500

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


class ClaimRow(Row):
    """An entry, or a line, that a reconciliation has taken."""

    Meta = ReconciliationMeta

    reconciliation_id = UnicodeAttribute()
    by = UnicodeAttribute()


class PartRow(Row):
    """Which pieces are the ones that count: of those that wrote them, the first to say so."""

    Meta = ReconciliationMeta

    token = UnicodeAttribute()
    pieces = IntegerAttribute()


class PieceRow(Row):
    """Some records, as JSON."""

    Meta = ReconciliationMeta

    records = CompressedTextAttribute()


class LeftRow(Row):
    """An entry that statements should have and have not had, with the difference that tells so."""

    Meta = ReconciliationMeta

    reconciliation_id = UnicodeAttribute(null=True)
    n = IntegerAttribute(null=True)

    def to_left(self) -> Left:
        told = self.reconciliation_id is not None
        return Left(self.sk, (self.reconciliation_id, self.n) if told else None)


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

    @classmethod
    def of(cls, numbered: NumberedDifference) -> "DifferenceRow":
        values = dict(vars(numbered))
        reconciliation_id = values.pop("reconciliation_id")
        values["difference"] = json.dumps(asdict(numbered.difference))
        return cls(reconciliation_id, _difference(numbered.n), **values)

    def to_entity(self) -> NumberedDifference:
        values: dict[str, Any] = {name: self.attribute_values.get(name) for name in _OF_DIFFERENCE}
        values["difference"] = _outcome(json.loads(self.difference))
        values["decided"] = self.decided or ()
        return NumberedDifference(reconciliation_id=self.pk, **values)


_OF_DIFFERENCE = (
    *("n", "case_id", "owner", "version", "resolution", "note"),
    *("resolved_by", "resolved_at", "posted", "found_in"),
)


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


def keep_lines(reconciliation_id: str, lines: Sequence[Line]) -> None:
    _keep(reconciliation_id, LINES, _pieces([asdict(each) for each in lines], LINES_A_PIECE))


def lines(reconciliation_id: str) -> list[Line]:
    return [Line(**each) for each in _read(reconciliation_id, LINES)]


def keep_booked(reconciliation_id: str, step: int, booked: Sequence[Booked]) -> None:
    """What one day has. Only what is kept first counts, whoever looks again."""
    pieces = _pieces([asdict(each) for each in booked], ENTRIES_A_PIECE)
    _keep(reconciliation_id, f"booked#{step:04d}", pieces)


def booked(reconciliation_id: str, steps: int) -> list[Booked]:
    parts = (f"booked#{step:04d}" for step in range(steps))
    return [Booked(**each) for part in parts for each in _read(reconciliation_id, part)]


def keep_outcomes(reconciliation_id: str, pages: Sequence[Sequence[Outcome]]) -> int:
    """How many pages there are to be written: of those that were kept first."""
    pieces = [[asdict(each) for each in page] for page in pages]
    return _keep(reconciliation_id, OUTCOMES, pieces).pieces


def outcomes(reconciliation_id: str, page: int) -> list[Outcome]:
    part = _part(reconciliation_id, OUTCOMES)
    row = store.get(PieceRow, reconciliation_id, _piece(OUTCOMES, part.token, page))
    if row is None:
        raise LookupError(f"page {page} of {reconciliation_id} is not stored")
    return [_outcome(each) for each in json.loads(row.records)]


def claimed_entries(
    account_and_ids: Iterable[tuple[str, str]],
) -> dict[tuple[str, str], ClaimRow]:
    wanted = {_claim(account, each): (account, each) for account, each in account_and_ids}
    rows = store.get_many(ClaimRow, [(name, CLAIM) for name in wanted])
    return {wanted[row.pk]: row for row in rows}


def claimed_lines(account: str, refs: Iterable[str]) -> dict[str, ClaimRow]:
    """By the bank's own ids of lines."""
    wanted = {_line_claim(account, ref): ref for ref in refs if ref}
    rows = store.get_many(ClaimRow, [(name, CLAIM) for name in wanted])
    return {wanted[row.pk]: row for row in rows}


def keep_in_transit(reconciliation_id: str, of: Sequence[InTransit]) -> None:
    """Only what is kept first counts."""
    pieces = _pieces([asdict(each) for each in of], ENTRIES_A_PIECE)
    _keep(reconciliation_id, IN_TRANSIT, pieces)


def in_transit(reconciliation_id: str) -> list[InTransit]:
    """None while it is under way."""
    if store.get(PartRow, reconciliation_id, f"{PART}{IN_TRANSIT}") is None:
        return []
    return [InTransit(**each) for each in _read(reconciliation_id, IN_TRANSIT)]


def claims_of_lines(
    account: str, reconciliation_id: str, refs: Mapping[int, str]
) -> dict[int, ClaimRow]:
    """By which each is taken, of lines with the bank's own ids of them."""
    keys = {n: _claim_of_line(account, ref, reconciliation_id, n) for n, ref in refs.items()}
    rows = {(row.pk, row.sk): row for row in store.get_many(ClaimRow, keys.values())}
    return {n: rows[key] for n, key in keys.items() if key in rows}


def claim_entry(
    account: str, entry_id: str, reconciliation_id: str, by: str, otherwise: Otherwise = Stale
) -> Put:
    """Refused where it is claimed."""
    claim = _claim(account, entry_id)
    return create(ClaimRow(claim, CLAIM, reconciliation_id=reconciliation_id, by=by), otherwise)


def claim_line(account: str, ref: str, reconciliation_id: str, n: int, by: str) -> Put:
    """Under the bank's own id of it, if there is one: another statement may have it again."""
    key = _claim_of_line(account, ref, reconciliation_id, n)
    return create(ClaimRow(*key, reconciliation_id=reconciliation_id, by=by))


def decide_line(account: str, ref: str, reconciliation_id: str, n: int) -> Update:
    """Of what it is said by now. Stale where that was said before."""
    return _decide(_claim_of_line(account, ref, reconciliation_id, n), reconciliation_id)


def decide_entry(account: str, entry_id: str, reconciliation_id: str) -> Update:
    """Likewise."""
    return _decide((_claim(account, entry_id), CLAIM), reconciliation_id)


def release(account: str, entry_id: str, reconciliation_id: str) -> tuple[Delete, Put]:
    """Leave to the statements to come what might have been meant and was not."""
    row = ClaimRow.at(_claim(account, entry_id), CLAIM)
    return Delete(row, _may_be_meant(reconciliation_id)), create(LeftRow(_left(account), entry_id))


def not_claimed(account: str, entry_id: str, otherwise: Otherwise) -> Check:
    return Check(ClaimRow.at(_claim(account, entry_id), CLAIM), absent(), otherwise)


def leave(account: str, entry_ids: Iterable[str]) -> None:
    """Leave entries to the statements to come."""
    for each in entry_ids:
        with suppress(Stale):
            write_alone(create(LeftRow(_left(account), each)))


def leave_missing(account: str, entry_id: str, reconciliation_id: str, n: int) -> Put:
    """Stale where another difference has told so."""
    row = LeftRow(_left(account), entry_id, reconciliation_id=reconciliation_id, n=n)
    return Put(row, LeftRow.reconciliation_id.does_not_exist())


def left(account: str) -> list[Left]:
    """What statements have left until now, and what was claimed since."""
    return [row.to_left() for row in store.query(LeftRow, _left(account))]


def get_left(account: str, entry_id: str) -> Left | None:
    row = store.get(LeftRow, _left(account), entry_id)
    return row.to_left() if row else None


def let_go(account: str, entry_id: str) -> Delete:
    """Stale where it was let go before."""
    return Delete(LeftRow.at(_left(account), entry_id), LeftRow.pk.exists())


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


def _decide(key: tuple[str, str], reconciliation_id: str) -> Update:
    return Update(ClaimRow.at(*key), [ClaimRow.by.set(DECIDED)], _may_be_meant(reconciliation_id))


def _may_be_meant(reconciliation_id: str) -> Any:
    return (ClaimRow.reconciliation_id == reconciliation_id) & (ClaimRow.by == AMBIGUOUS)


def _keep(reconciliation_id: str, name: str, pieces: Sequence[Any]) -> PartRow:
    token = secrets.token_hex(8)
    for n, records in enumerate(pieces):
        row = PieceRow(reconciliation_id, _piece(name, token, n), records=json.dumps(records))
        retrying(row.save)
    part = PartRow(reconciliation_id, f"{PART}{name}", token=token, pieces=len(pieces))
    try:
        write(create(part))
    except Stale:
        return _part(reconciliation_id, name)
    return part


def _read(reconciliation_id: str, name: str) -> Iterable[dict[str, Any]]:
    part = _part(reconciliation_id, name)
    keys = [(reconciliation_id, _piece(name, part.token, n)) for n in range(part.pieces)]
    rows = store.get_many(PieceRow, keys)
    if len(rows) < part.pieces:
        raise LookupError(f"pieces of {name} of {reconciliation_id} are not stored")
    return [record for row in rows for record in json.loads(row.records)]


def _part(reconciliation_id: str, name: str) -> PartRow:
    part = store.get(PartRow, reconciliation_id, f"{PART}{name}")
    if part is None:
        raise LookupError(f"{name} of {reconciliation_id} is not stored")
    return part


def _pieces(records: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [records[n : n + size] for n in range(0, len(records), size)]


def _outcome(record: dict[str, Any]) -> Any:
    if "kind" not in record:
        return Match(**record)
    changes = tuple(Change(**each) for each in record["changes"])
    tuples: dict[str, Any] = {name: tuple(record[name]) for name in ("lines", "entries")}
    return Difference(**record | tuples | {"changes": changes})


def _names(account: str, digest: str, own_id: str, first: str) -> Collection[str]:
    names = [f"taken#{account}#{digest}"]
    return [*names, f"taken#{account}#id#{own_id}#{first}"] if own_id else names


def _claim(account: str, entry_id: str) -> str:
    return f"claim#{account}#{entry_id}"


def _claim_of_line(account: str, ref: str, reconciliation_id: str, n: int) -> tuple[str, str]:
    return (_line_claim(account, ref), CLAIM) if ref else (reconciliation_id, f"line#{n:06d}")


def _account(name: str) -> str:
    return f"account#{name}"


def _left(account: str) -> str:
    return f"left#{account}"


def _line_claim(account: str, ref: str) -> str:
    return f"line#{account}#{ref}"


def _piece(name: str, token: str, n: int) -> str:
    return f"{PIECE}{name}#{token}#{n:06d}"


def _difference(n: int) -> str:
    return f"{DIFFERENCE}{n:06d}"
