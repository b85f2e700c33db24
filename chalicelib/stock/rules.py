"""Units of one pool, kept in shards: which are taken, moved and spread. Pure.

A pool is what many orders take units from at once: a SKU's stock, or the cap of an offer. Nothing
here knows which.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from chalicelib.kernel.money import allocate

FIRST = 0
MAX_SHARDS = 64
# How many shards one line takes from, and how many items the transaction of an order writes.
MOST_SHARDS_A_LINE = 8
MOST_ITEMS = 80


class Part(NamedTuple):
    """Units taken from one shard."""

    shard: int
    units: int


class Move(NamedTuple):
    """Units that go from one shard to another."""

    source: int
    target: int
    units: int


Parts = tuple[Part, ...]


class ShardShort(Exception):
    """A shard of the pool had fewer units than were to be taken from it."""

    def __init__(self, pool: str) -> None:
        super().__init__(f"a shard of {pool} is short")
        self.pool = pool


def from_first(units: int) -> Parts:
    return (Part(FIRST, units),)


def parts_of(taken: Sequence[Sequence[int]], units: int) -> Parts:
    """What a line that keeps `taken` has of its `units`: all from the first where it keeps none."""
    if not taken:
        return from_first(units)
    return tuple(Part(shard, n) for shard, n in taken)


def kept(parts: Parts) -> Parts:
    """What a line keeps: nothing where all came from the first shard."""
    return () if all(part.shard == FIRST for part in parts) else parts


def section(parts: Parts, skipped: int, units: int) -> Parts:
    """The `units` units that come after the first `skipped`, in the order they were taken."""
    found: list[Part] = []
    for shard, n in parts:
        passed = min(skipped, n)
        skipped -= passed
        here = min(n - passed, units)
        units -= here
        if here:
            found.append(Part(shard, here))
    if skipped or units:
        raise ValueError("a line has fewer units than are asked of it")
    return tuple(found)


def allocation(
    available: Mapping[int, int], units: int, most: int, order: Sequence[int]
) -> Parts | None:
    """From which shards to take `units`: as few as possible, and at most `most`; else None.

    Where one shard is enough it is the first such of `order`, so that callers who come with
    orders of their own do not all turn to the same one.
    """
    for shard in order:
        if available[shard] >= units:
            return (Part(shard, units),)
    fullest = _fullest(available)[:most]
    if sum(available[shard] for shard in fullest) < units:
        return None
    return section(tuple(Part(shard, available[shard]) for shard in fullest), 0, units)


def gathering(available: Mapping[int, int], units: int, most: int) -> list[Move]:
    """The fewest moves into the fullest shard, after which `most` shards hold `units`."""
    fullest = _fullest(available)
    missing = units - sum(available[shard] for shard in fullest[:most])
    moves = []
    for shard in fullest[most:]:
        units_here = min(missing, available[shard])
        if units_here > 0:
            moves.append(Move(shard, fullest[0], units_here))
            missing -= units_here
    return moves


def spreading(available: Mapping[int, int], shards: int) -> list[Move]:
    """The moves that leave units spread evenly over the first `shards`, and none elsewhere."""
    wanted = dict(enumerate(even(sum(available.values()), shards)))
    over = {n: units - wanted.get(n, 0) for n, units in available.items()}
    sources = [Part(n, units) for n, units in over.items() if units > 0]
    targets = [Part(n, units - available.get(n, 0)) for n, units in wanted.items()]
    return _matched(sources, [each for each in targets if each.units > 0])


def even(units: int, shards: int) -> list[int]:
    """Units of each shard, as equal as they can be."""
    return allocate(units, [1] * shards)


def removal(available: Mapping[int, int], units: int) -> Parts:
    """Take `units` away in proportion to what each shard has. There must be as many."""
    if units > sum(available.values()):
        raise ValueError("there are fewer units than are to be taken away")
    shares = allocate(units, list(available.values()))
    return tuple(
        Part(shard, share) for shard, share in zip(available, shares, strict=True) if share
    )


def moved(available: Mapping[int, int], moves: Iterable[Move]) -> dict[int, int]:
    after = dict(available)
    for source, target, units in moves:
        after[source] -= units
        after[target] = after.get(target, 0) + units
    return after


def _fullest(available: Mapping[int, int]) -> list[int]:
    having = [shard for shard, units in available.items() if units > 0]
    return sorted(having, key=lambda shard: (-available[shard], shard))


def _matched(sources: Iterable[Part], targets: Iterable[Part]) -> list[Move]:
    """What is over in some shards, led to those that lack it; both sides come to the same."""
    moves: list[Move] = []
    lacking = [list(each) for each in targets]
    for source, left in sources:
        while left:
            units = min(left, lacking[0][1])
            moves.append(Move(source, lacking[0][0], units))
            left -= units
            lacking[0][1] -= units
            if not lacking[0][1]:
                lacking.pop(0)
    return moves
