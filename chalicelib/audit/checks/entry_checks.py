"""What must hold of the rows that entries are of."""

from collections.abc import Collection, Iterable, Iterator

from chalicelib.audit.entry_rows import Kept
from chalicelib.ledger.checks import Finding
from chalicelib.ledger.rules import Entry
from chalicelib.platform.store import Key


def rows_kept(entry: Entry, rows: Iterable[Kept], missing: Collection[Key]) -> Iterator[Finding]:
    """What an entry tells of is still there."""
    for each in rows:
        if each.key in missing:
            detail = f"{entry.id} is of {each.name}, which is not there."
            yield Finding("rows_kept", each.name, detail)
