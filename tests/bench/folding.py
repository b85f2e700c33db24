"""Folding the journal: the memory that an audit needs for all balances, by how many leaders."""

import tracemalloc

from tests.bench.figures import Figure
from tests.bench.process import Say, tell

GROUP = "An audit's balances of 1,000,000 leaders, projected"
LEADERS, PROJECTION = 20_000, 1_000_000
# What each was paid out is folded beside its balances.
PURPOSES = ("pending", "available", "in_payout", "paid_out")
MEGABYTE = 1_000_000


def measure(say: Say) -> list[Figure]:
    say(f"folding the balances of {LEADERS:,} leaders")
    more = PROJECTION / LEADERS / MEGABYTE
    folded, looked_at, packed = (round(size * more) for size in sizes())
    return [
        Figure(GROUP, "megabytes while the journal is read", folded),
        Figure(GROUP, "megabytes while parties are looked at", looked_at),
        Figure(GROUP, "megabytes kept between two steps", packed),
    ]


def sizes() -> tuple[int, int, int]:
    """Bytes at most of the fold, of the fold beside its parties, and packed as steps keep it."""
    from chalicelib.audit.looking import by_party
    from chalicelib.kernel import clock
    from chalicelib.ledger import fold_store
    from chalicelib.ledger.rules import Entry, Posting, fold

    now = clock.now()
    entries = (
        Entry(f"matured:{n}", "EUR", tuple(Posting(name, -n) for name in names(n)), now, "")
        for n in range(LEADERS)
    )
    tracemalloc.start()
    books = fold({}, entries)
    folded, _ = tracemalloc.get_traced_memory()
    parties = by_party(books)
    looked_at, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    if len(parties) != LEADERS:
        raise RuntimeError(f"{len(parties)} parties were folded")
    return folded, looked_at, len(fold_store.pack(books))


def names(n: int) -> list[str]:
    return [f"leader:ldr_{n:028d}:{purpose}" for purpose in PURPOSES]


if __name__ == "__main__":
    tell(measure)
