"""The ledger table: the steps of the fold, each all balances as they were at an instant."""

import json
import zlib
from datetime import datetime, timedelta

from pynamodb.attributes import BinaryAttribute, TTLAttribute

from chalicelib.kernel import clock
from chalicelib.ledger.rules import Books, Sums
from chalicelib.ledger.sides import LedgerMeta
from chalicelib.platform import store
from chalicelib.platform.retries import retrying
from chalicelib.platform.table import InstantAttribute, Row, absent
from chalicelib.platform.transaction import Put, write

FOLD, HEAD = "fold", "head"
ACCOUNTS_A_PAGE = 2_000
OLD_FOLD_KEPT = timedelta(days=7)


class FoldRow(Row):
    """A page of all balances as they were at the instant in `pk`, or the pointer to the newest."""

    Meta = LedgerMeta

    through = InstantAttribute()
    balances = BinaryAttribute(legacy_encoding=False, null=True)
    ttl = TTLAttribute(null=True)


def folded() -> tuple[datetime | None, Books]:
    """The newest kept step: until when it counts (None before the first), and all balances."""
    head = store.get(FoldRow, FOLD, HEAD)
    if head is None:
        return None, {}
    books: Books = {}
    for page in store.query(FoldRow, _step(head.through)):
        books.update(unpack(page.balances or b""))
    return head.through, books


def keep_fold(before: datetime | None, through: datetime, books: Books) -> None:
    """Keep a step and point to it. Stale where another has moved the pointer since `before`."""
    keys = sorted(books)
    expires = clock.now() + OLD_FOLD_KEPT
    for n in range(0, len(keys), ACCOUNTS_A_PAGE):
        packed = pack({key: books[key] for key in keys[n : n + ACCOUNTS_A_PAGE]})
        page = FoldRow(_step(through), f"{n:08d}", through=through, balances=packed)
        retrying(page.save)
    moved = Put(FoldRow(FOLD, HEAD, through=through), absent() | (FoldRow.through == before))
    write(moved)
    for old in store.query(FoldRow, _step(before)) if before else []:
        old.ttl = expires
        retrying(old.save)


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
