"""What is kept of a statement in pieces, whose first writer counts: its lines, what the books
have, what was found, and what is in transit. They lie in the reconciliations table."""

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel.errors import Stale
from chalicelib.platform import store
from chalicelib.platform.retries import retrying
from chalicelib.platform.table import CompressedTextAttribute, IntegerAttribute, Row
from chalicelib.platform.transaction import create, write
from chalicelib.reconciliation.lines import Booked, Line
from chalicelib.reconciliation.rules import InTransit, Outcome
from chalicelib.reconciliation.store import ReconciliationMeta, outcome_of

PART, PIECE = "part#", "piece#"
LINES, OUTCOMES, IN_TRANSIT = "lines", "outcomes", "in_transit"
LINES_A_PIECE, ENTRIES_A_PIECE = 250, 500


class PartRow(Row):
    """Which pieces are the ones that count: of those that wrote them, the first to say so."""

    Meta = ReconciliationMeta

    token = UnicodeAttribute()
    pieces = IntegerAttribute()


class PieceRow(Row):
    """Some records, as JSON."""

    Meta = ReconciliationMeta

    records = CompressedTextAttribute()


def keep_lines(reconciliation_id: str, lines: Sequence[Line]) -> None:
    _keep(reconciliation_id, LINES, _pieces([asdict(each) for each in lines], LINES_A_PIECE))


def lines(reconciliation_id: str) -> list[Line]:
    return [Line(**each) for each in _read(reconciliation_id, LINES)]


def keep_booked(reconciliation_id: str, step: int, booked: Sequence[Booked]) -> None:
    """What one day has. Only what is kept first counts, whoever looks again."""
    pieces = _pieces([asdict(each) for each in booked], ENTRIES_A_PIECE)
    _keep(reconciliation_id, f"booked#{step:04d}", pieces)


def booked(reconciliation_id: str, steps: int) -> list[Booked]:
    return [each for step in range(steps) for each in booked_on(reconciliation_id, step)]


def booked_on(reconciliation_id: str, step: int) -> list[Booked]:
    return [Booked(**each) for each in _read(reconciliation_id, f"booked#{step:04d}")]


def keep_outcomes(reconciliation_id: str, pages: Sequence[Sequence[Outcome]]) -> int:
    """How many pages there are to be written: of those that were kept first."""
    pieces = [[asdict(each) for each in page] for page in pages]
    return _keep(reconciliation_id, OUTCOMES, pieces).pieces


def outcomes(reconciliation_id: str, page: int) -> list[Outcome]:
    part = _part(reconciliation_id, OUTCOMES)
    row = store.get(PieceRow, reconciliation_id, _piece(OUTCOMES, part.token, page))
    if row is None:
        raise LookupError(f"page {page} of {reconciliation_id} is not stored")
    return [outcome_of(each) for each in json.loads(row.records)]


def keep_in_transit(reconciliation_id: str, of: Sequence[InTransit]) -> None:
    """Only what is kept first counts."""
    pieces = _pieces([asdict(each) for each in of], ENTRIES_A_PIECE)
    _keep(reconciliation_id, IN_TRANSIT, pieces)


def in_transit(reconciliation_id: str) -> list[InTransit]:
    """None while it is under way."""
    if store.get(PartRow, reconciliation_id, f"{PART}{IN_TRANSIT}") is None:
        return []
    return [InTransit(**each) for each in _read(reconciliation_id, IN_TRANSIT)]


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


def _piece(name: str, token: str, n: int) -> str:
    return f"{PIECE}{name}#{token}#{n:06d}"
