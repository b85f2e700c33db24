"""The ledger table: what was posted to suppliers, and the steps that statements open from."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel import clock
from chalicelib.ledger import kinds
from chalicelib.ledger.rules import Change, Posting
from chalicelib.ledger.sides import SUPPLIERS_PURPOSES, LedgerMeta, Sides
from chalicelib.platform import store
from chalicelib.platform.retries import retrying
from chalicelib.platform.settings import settings
from chalicelib.platform.table import EntityRow, InstantAttribute, RecordsAttribute

HISTORY, STEP = "history#", "step#"


class StepRow(Sides):
    """A party's balances as all business dates before one left them, so that a statement opens
    without reading all that came before it."""


class HistoryRow(EntityRow[Change]):
    """What one entry moved of a party's balances, by the instant of posting, and within one by
    where its kind stands: cause before effect."""

    Meta = LedgerMeta
    entity = Change

    party = UnicodeAttribute()
    entry_id = UnicodeAttribute()
    currency = UnicodeAttribute()
    subject = UnicodeAttribute()
    posted_at = InstantAttribute()
    postings = RecordsAttribute(Posting)

    @classmethod
    def keys(cls, entity: Change) -> dict[str, Any]:
        return {"pk": entity.party, "sk": _position(entity)}


def last_step(party: str, day: date) -> tuple[date | None, Counter[str]]:
    """The last kept step at or before a business date, None before the first, and its balances."""
    until = StepRow.sk.between(STEP, f"{STEP}{day}")
    found = store.query(StepRow, party, where=until, newest_first=True, limit=1)
    if not found:
        return None, Counter()
    sums = {purpose: getattr(found[0], purpose) for purpose in SUPPLIERS_PURPOSES}
    return date.fromisoformat(found[0].sk.removeprefix(STEP)), Counter(sums)


def keep_step(party: str, day: date, balances: Mapping[str, int]) -> None:
    """Keep what all days before one have left, which nothing can change any more."""
    row = StepRow(party, f"{STEP}{day}")
    for purpose, amount in balances.items():
        setattr(row, purpose, amount)
    retrying(row.save)


def history(
    party: str, after: str | None, first: date, last: date, limit: int
) -> tuple[list[Change], str | None]:
    """Up to `limit` changes of a party from one business date to another, in order of posting,
    behind the position `after`; and the position to go on from, where there are more."""
    zone = settings().zone
    begins = HISTORY + clock.to_text(clock.begin_of(first, zone))
    ends = HISTORY + clock.to_text(clock.begin_of(last + timedelta(days=1), zone))
    begins = max(begins, after or "")
    if begins > ends:
        return [], None  # it goes on from another period's end; DynamoDB refuses such bounds
    # A position goes on behind its instant, so none of `ends` itself lies in between.
    within = HistoryRow.sk.between(begins, ends)
    rows = store.query(HistoryRow, party, where=within, limit=limit + 2)
    rows = [row for row in rows if row.sk != after]
    shown = [row.to_entity() for row in rows[:limit]]
    return shown, str(rows[limit - 1].sk) if len(rows) > limit else None


def _position(change: Change) -> str:
    place = f"{kinds.rank(change.entry_id):02d}"
    return f"{HISTORY}{clock.to_text(change.posted_at)}#{place}#{change.entry_id}"
