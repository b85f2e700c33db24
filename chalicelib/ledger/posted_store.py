"""The ledger table: the days, in UTC as entries lie by them, on which anything was posted."""

from collections.abc import Iterable
from datetime import date

from chalicelib.ledger.sides import LedgerMeta
from chalicelib.platform import store
from chalicelib.platform.retries import retrying
from chalicelib.platform.table import Row

POSTED = "posted"


class PostedRow(Row):
    """A day that has entries, as the fold has found. One that has none has no row."""

    Meta = LedgerMeta


def keep_posted(days: Iterable[date]) -> None:
    """Keep that these days have entries, before a step says that all until its end is known."""
    for day in sorted(days):
        retrying(PostedRow(POSTED, str(day)).save)


def posted(first: date, last: date) -> set[date]:
    """Those of these days that the fold has found entries of."""
    within = PostedRow.sk.between(str(first), str(last))
    return {date.fromisoformat(row.sk) for row in store.query(PostedRow, POSTED, where=within)}
