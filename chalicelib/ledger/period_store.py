"""The ledger table: seals of days that are over, and months that are closed."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from pynamodb.attributes import UnicodeAttribute

from chalicelib.kernel import clock
from chalicelib.kernel.errors import Stale
from chalicelib.ledger.periods import Period, month_of
from chalicelib.ledger.rules import Entry
from chalicelib.ledger.seals import Seal
from chalicelib.ledger.sides import LedgerMeta
from chalicelib.platform import store
from chalicelib.platform.settings import settings
from chalicelib.platform.table import EntityRow, InstantAttribute, IntegerAttribute, absent
from chalicelib.platform.transaction import Check, Put, Write, create, write_alone

SEALS, PERIODS = "seals", "periods"


class SealRow(EntityRow[Seal]):
    """What the entries of one business date came to once it was over."""

    Meta = LedgerMeta
    entity = Seal

    entries = IntegerAttribute()
    digest = UnicodeAttribute()


class PeriodRow(EntityRow[Period]):
    """A month that is closed."""

    Meta = LedgerMeta
    entity = Period

    month = UnicodeAttribute()
    closed_at = InstantAttribute()
    closed_by = UnicodeAttribute()
    audit_id = UnicodeAttribute()
    entries = IntegerAttribute()
    digest = UnicodeAttribute()

    @classmethod
    def keys(cls, entity: Period) -> dict[str, Any]:
        return {"pk": PERIODS, "sk": entity.month}


def seals() -> dict[str, Seal]:
    """The seals of business dates that are over."""
    return {row.sk: row.to_entity() for row in store.query(SealRow, SEALS)}


def keep_seal(day: str, seal: Seal) -> None:
    """Keep it once; another's that came before stays."""
    with suppress(Stale):
        write_alone(create(SealRow(SEALS, day, entries=seal.entries, digest=seal.digest)))


def get_period(month: str) -> Period | None:
    row = store.get(PeriodRow, PERIODS, month)
    return row.to_entity() if row else None


def periods() -> list[Period]:
    """The months that are closed, the newest first."""
    return [row.to_entity() for row in store.query(PeriodRow, PERIODS, newest_first=True)]


def close_period(period: Period) -> Put:
    return create(PeriodRow.of(period))


def months_open(entries: Iterable[Entry]) -> list[Write]:
    """That the months of entries are open, where they are not the present one: that is never
    closed, and a check of it in every entry would be one hot item."""
    zone = settings().zone
    present = month_of(clock.business_date(clock.now(), zone))
    months = {month_of(clock.business_date(each.posted_at, zone)) for each in entries} - {present}
    return [Check(PeriodRow.at(PERIODS, month), absent()) for month in sorted(months)]
