"""What dry runs would come to for each leader, with all lines, until they are let go: in the
settlement table."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import TTLAttribute

from chalicelib.kernel import clock
from chalicelib.platform import store
from chalicelib.platform.retries import retrying
from chalicelib.platform.table import IntegerAttribute, RecordsAttribute, Row
from chalicelib.platform.transaction import Put, create
from chalicelib.settlement.rules import EarnedLine, Run, Statement, StatementWhole
from chalicelib.settlement.store import SettlementMeta, StatementRow

STATEMENT, LINES = "dry#", "dry_lines#"
# From the start of the dry run.
KEPT_FOR = timedelta(days=90)
# So many stay well below what an item can hold.
LINES_A_ROW = 300


class DryStatementRow(StatementRow):
    """`version` is that of the earnings it was drawn up from, under which its lines lie."""

    version = IntegerAttribute()
    ttl = TTLAttribute()

    @classmethod
    def keys(cls, entity: Statement) -> dict[str, Any]:
        return {"pk": entity.leader_id, "sk": STATEMENT + entity.run_id}


class DryLinesRow(Row):
    """Some of its lines. Two workers who draw it up from different earnings write apart, and the
    statement is one of theirs."""

    Meta = SettlementMeta

    lines = RecordsAttribute(EarnedLine)
    ttl = TTLAttribute()


def let_go_at(run: Run) -> datetime:
    """One instant for all of a dry run, so that no statement outlives its lines."""
    return run.started_at + KEPT_FOR


def keep_lines(made: Statement, version: int, lines: Sequence[EarnedLine], until: datetime) -> None:
    """Before the statement itself: whoever writes the same writes the same once more."""
    for n in range(0, len(lines), LINES_A_ROW):
        at = f"{_lines(made.run_id, version)}{n:08d}"
        some = tuple(lines[n : n + LINES_A_ROW])
        retrying(DryLinesRow(made.leader_id, at, lines=some, ttl=until).save)


def keep(made: Statement, version: int, until: datetime) -> Put:
    row = DryStatementRow.of(made)
    row.version, row.ttl = version, until
    return create(row)


def get_statement(leader_id: str, run_id: str) -> StatementWhole | None:
    """With the lines that it had then, whatever has come to the leader since; None once it is let
    go, though DynamoDB deletes its rows later, and one after the other."""
    row = store.get(DryStatementRow, leader_id, STATEMENT + run_id)
    if row is None or row.ttl <= clock.now():
        return None
    parts = store.query(
        DryLinesRow, leader_id, where=DryLinesRow.sk.startswith(_lines(run_id, row.version))
    )
    made = row.to_entity()
    lines = [line for part in parts for line in part.lines]
    return StatementWhole(**vars(made), lines=[*lines, *made.caps])


def _lines(run_id: str, version: int) -> str:
    return f"{LINES}{run_id}#{version}#"
