"""The claims by which no line and no entry is taken twice, and the entries that statements have
left to those to come. They lie in the reconciliations table."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel.errors import Stale
from chalicelib.platform import store
from chalicelib.platform.table import IntegerAttribute, Row, absent
from chalicelib.platform.transaction import (
    Check,
    Delete,
    Otherwise,
    Put,
    Update,
    create,
    write_alone,
)
from chalicelib.reconciliation.accounts import Left
from chalicelib.reconciliation.store import ReconciliationMeta

CLAIM = "claim"
# By what a line or an entry is claimed of which several may be meant, and once that is said.
AMBIGUOUS, DECIDED = "ambiguous", "decided"


class ClaimRow(Row):
    """An entry, or a line, that a reconciliation has taken."""

    Meta = ReconciliationMeta

    reconciliation_id = UnicodeAttribute()
    by = UnicodeAttribute()


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


def claimed_lines(account: str, refs: Iterable[str]) -> dict[str, ClaimRow]:
    """By the bank's own ids of lines."""
    wanted = {_line_claim(account, ref): ref for ref in refs if ref}
    rows = store.get_many(ClaimRow, [(name, CLAIM) for name in wanted])
    return {wanted[row.pk]: row for row in rows}


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


def undecide_entry(account: str, entry_id: str, reconciliation_id: str) -> Update:
    """It may be meant again. Stale where another has it."""
    row = ClaimRow.at(_claim(account, entry_id), CLAIM)
    is_here = ClaimRow.reconciliation_id == reconciliation_id
    return Update(row, [ClaimRow.by.set(AMBIGUOUS)], is_here)


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


def _decide(key: tuple[str, str], reconciliation_id: str) -> Update:
    return Update(ClaimRow.at(*key), [ClaimRow.by.set(DECIDED)], _may_be_meant(reconciliation_id))


def _may_be_meant(reconciliation_id: str) -> Any:
    return (ClaimRow.reconciliation_id == reconciliation_id) & (ClaimRow.by == AMBIGUOUS)


def _claim(account: str, entry_id: str) -> str:
    return f"claim#{account}#{entry_id}"


def _claim_of_line(account: str, ref: str, reconciliation_id: str, n: int) -> tuple[str, str]:
    return (_line_claim(account, ref), CLAIM) if ref else (reconciliation_id, f"line#{n:06d}")


def _left(account: str) -> str:
    return f"left#{account}"


def _line_claim(account: str, ref: str) -> str:
    return f"line#{account}#{ref}"
