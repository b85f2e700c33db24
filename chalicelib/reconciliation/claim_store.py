"""The claims by which no line and no entry is taken twice, and the entries that statements have
left to those to come. They lie in the reconciliations table."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel.errors import Stale
from chalicelib.platform import store
from chalicelib.platform.table import IntegerAttribute, Row, TextsAttribute, absent
from chalicelib.platform.transaction import (
    Check,
    Delete,
    Otherwise,
    Put,
    Update,
    Write,
    create,
    write_alone,
)
from chalicelib.reconciliation.accounts import Left
from chalicelib.reconciliation.line_names import LineName
from chalicelib.reconciliation.store import ReconciliationMeta

CLAIM = "claim"
# By what a line or an entry is claimed of which several may be meant, and once that is said.
AMBIGUOUS, DECIDED = "ambiguous", "decided"


class ClaimRow(Row):
    """An entry, or a line, that a reconciliation has taken; of a line, as `LineName` has it."""

    Meta = ReconciliationMeta

    reconciliation_id = UnicodeAttribute()
    by = UnicodeAttribute()
    form = UnicodeAttribute(null=True)
    moved = UnicodeAttribute(null=True)
    keys = TextsAttribute(default=())
    says = UnicodeAttribute(null=True)

    def is_of(self, name: LineName) -> bool:
        """Whether the line that has its id is the same one."""
        if self.form in (None, name.form):
            return name.nth == 1 and self.says in (None, name.says)
        return name.may_be(self.moved, self.keys)


class LineClaim(NamedTuple):
    """By which a line with a bank's own id is taken: by itself, or by another that has the id."""

    row: ClaimRow
    is_same: bool


class LeftRow(Row):
    """An entry that statements should have and have not had, with the difference that tells so."""

    Meta = ReconciliationMeta

    reconciliation_id = UnicodeAttribute(null=True)
    n = IntegerAttribute(null=True)

    def to_left(self) -> Left:
        told = self.reconciliation_id is not None
        return Left(self.sk, (self.reconciliation_id, self.n) if told else None)


def claimed_entries(
    account_and_ids: Iterable[tuple[str, str]],
) -> dict[tuple[str, str], ClaimRow]:
    wanted = {_claim(account, each): (account, each) for account, each in account_and_ids}
    rows = store.get_many(ClaimRow, [(name, CLAIM) for name in wanted])
    return {wanted[row.pk]: row for row in rows}


def claimed_lines(account: str, names: Mapping[int, LineName]) -> dict[int, LineClaim]:
    """Which of the lines are taken, or have an id of the bank's that is."""
    of = {n: name for n, name in names.items() if name.ref}
    keys = {n: _first_claim(account, name.ref) for n, name in of.items()}
    found = {n: LineClaim(row, row.is_of(of[n])) for n, row in _claims(keys).items()}
    others = {n: _other_claim(account, of[n]) for n, each in found.items() if not each.is_same}
    return found | {n: LineClaim(row, is_same=True) for n, row in _claims(others).items()}


def claims_of_lines(
    account: str, reconciliation_id: str, names: Mapping[int, LineName]
) -> dict[int, ClaimRow]:
    """By which each is taken."""
    claimed = claimed_lines(account, names)
    keys = {n: _nameless_claim(reconciliation_id, n) for n, name in names.items() if not name.ref}
    return _claims(keys) | {n: each.row for n, each in claimed.items() if each.is_same}


def claim_entry(
    account: str, entry_id: str, reconciliation_id: str, by: str, otherwise: Otherwise = Stale
) -> Put:
    """Refused where it is claimed."""
    claim = _claim(account, entry_id)
    return create(ClaimRow(claim, CLAIM, reconciliation_id=reconciliation_id, by=by), otherwise)


def claim_line(
    account: str, name: LineName, reconciliation_id: str, n: int, by: str, *, is_reused: bool
) -> Put:
    """Under the bank's own id of it, if there is one: another statement may have it again. Where
    another line has that, it is told from this one by what they say."""
    key = _other_claim(account, name)
    if not name.ref:
        key = _nameless_claim(reconciliation_id, n)
    elif name.is_first and not is_reused:
        key = _first_claim(account, name.ref)
    row = ClaimRow(*key, reconciliation_id=reconciliation_id, by=by)
    row.form, row.moved, row.keys, row.says = name.form, name.moved, name.keys, name.says
    return create(row)


def decide_line(claim: ClaimRow, kind: str) -> Update:
    """Of what it is said by now, whose difference is of the kind. Stale where that was said
    before."""
    return _decide((claim.pk, claim.sk), claim.reconciliation_id, kind)


def decide_entry(account: str, entry_id: str, reconciliation_id: str) -> Update:
    """Likewise, of one that might be meant."""
    return _decide((_claim(account, entry_id), CLAIM), reconciliation_id, AMBIGUOUS)


def undecide_entry(account: str, entry_id: str, reconciliation_id: str) -> Update:
    """It may be meant again. Stale where another has it."""
    row = ClaimRow.at(_claim(account, entry_id), CLAIM)
    is_here = ClaimRow.reconciliation_id == reconciliation_id
    return Update(row, [ClaimRow.by.set(AMBIGUOUS)], is_here)


def release(account: str, entry_id: str, reconciliation_id: str) -> list[Write]:
    """Leave to the statements to come what might have been meant and was not."""
    row = ClaimRow.at(_claim(account, entry_id), CLAIM)
    freed = Delete(row, _stands(reconciliation_id, AMBIGUOUS))
    if get_left(account, entry_id):
        return [freed]
    return [freed, create(LeftRow(_left(account), entry_id))]


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


def _decide(key: tuple[str, str], reconciliation_id: str, by: str) -> Update:
    return Update(ClaimRow.at(*key), [ClaimRow.by.set(DECIDED)], _stands(reconciliation_id, by))


def _stands(reconciliation_id: str, by: str) -> Any:
    return (ClaimRow.reconciliation_id == reconciliation_id) & (ClaimRow.by == by)


def _claim(account: str, entry_id: str) -> str:
    return f"claim#{account}#{entry_id}"


def _claims(keys: Mapping[int, tuple[str, str]]) -> dict[int, ClaimRow]:
    rows = {(row.pk, row.sk): row for row in store.get_many(ClaimRow, keys.values())}
    return {n: rows[key] for n, key in keys.items() if key in rows}


def _first_claim(account: str, ref: str) -> tuple[str, str]:
    return f"line#{account}#{ref}", CLAIM


def _other_claim(account: str, name: LineName) -> tuple[str, str]:
    return f"line#{account}#{name.ref}", f"{CLAIM}#{name.says}#{name.nth}"


def _nameless_claim(reconciliation_id: str, n: int) -> tuple[str, str]:
    return reconciliation_id, f"line#{n:06d}"


def _left(account: str) -> str:
    return f"left#{account}"
