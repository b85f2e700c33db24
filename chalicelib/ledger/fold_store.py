"""The ledger table: the steps of the fold, each all balances as they were at an instant."""

import json
import zlib
from datetime import date, datetime, timedelta

from pynamodb.attributes import BinaryAttribute, TTLAttribute

from chalicelib.kernel import clock
from chalicelib.ledger.rules import Books, Sums
from chalicelib.ledger.sides import LedgerMeta
from chalicelib.platform import store
from chalicelib.platform.retries import retrying
from chalicelib.platform.table import InstantAttribute, Row, absent
from chalicelib.platform.transaction import Put, Write, create, write

FOLD, HEAD, DAY = "fold", "head", "day#"
ACCOUNTS_A_PAGE = 2_000
OLD_FOLD_KEPT = timedelta(days=7)


class FoldRow(Row):
    """A page of all balances as they were at the instant in `pk`, or a pointer: to the newest step,
    or to the one at the end of a business date, which is kept for good."""

    Meta = LedgerMeta

    through = InstantAttribute()
    balances = BinaryAttribute(legacy_encoding=False, null=True)
    ttl = TTLAttribute(null=True)


def folded() -> tuple[datetime | None, Books]:
    """The newest kept step: until when it counts (None before the first), and all balances."""
    through = folded_through()
    return through, _books(through) if through else {}


def folded_through() -> datetime | None:
    """Until when the newest kept step counts; None before the first."""
    head = store.get(FoldRow, FOLD, HEAD)
    return head.through if head else None


def folded_by(day: date) -> tuple[datetime | None, Books]:
    """The newest step that ends a business date, at or before the end of this one."""
    until = FoldRow.sk.between(DAY, f"{DAY}{day}")
    found = store.query(FoldRow, FOLD, where=until, newest_first=True, limit=1)
    return (found[0].through, _books(found[0].through)) if found else (None, {})


def keep_fold(
    before: datetime | None, through: datetime, books: Books, ends: date | None = None
) -> None:
    """Keep a step and point to it; `ends` is the business date that it ends, if one. Stale where
    another has moved the pointer since `before`."""
    ended_a_day = before is not None and _last_days_end() == before
    keys = sorted(books)
    expires = clock.now() + OLD_FOLD_KEPT
    for n in range(0, len(keys), ACCOUNTS_A_PAGE):
        packed = pack({key: books[key] for key in keys[n : n + ACCOUNTS_A_PAGE]})
        page = FoldRow(_step(through), f"{n:08d}", through=through, balances=packed)
        retrying(page.save)
    writes: list[Write] = [
        Put(FoldRow(FOLD, HEAD, through=through), absent() | (FoldRow.through == before))
    ]
    if ends:
        writes.append(create(FoldRow(FOLD, f"{DAY}{ends}", through=through)))
    write(*writes)
    if before and not ended_a_day:
        _let_go(before, expires)


def _let_go(before: datetime, expires: datetime) -> None:
    for old in store.query(FoldRow, _step(before)):
        old.ttl = expires
        retrying(old.save)


def _last_days_end() -> datetime | None:
    days = FoldRow.sk.startswith(DAY)
    found = store.query(FoldRow, FOLD, where=days, newest_first=True, limit=1)
    return found[0].through if found else None


def _books(through: datetime) -> Books:
    books: Books = {}
    for page in store.query(FoldRow, _step(through)):
        books.update(unpack(page.balances or b""))
    return books


def _step(through: datetime) -> str:
    return f"{FOLD}#{clock.to_text(through)}"


def pack(books: Books) -> bytes:
    rows = [
        [currency, account, sums.debits, sums.credits]
        for (currency, account), sums in books.items()
    ]
    return zlib.compress(json.dumps(rows).encode())


def unpack(packed: bytes) -> Books:
    rows = json.loads(zlib.decompress(packed))
    return {
        (currency, account): Sums(debits, credits) for currency, account, debits, credits in rows
    }
