"""Taking units from pools that are kept in shards, so that no one item is written by everybody.

The first try is at one shard, and reads nothing. Where that has too few units all shards are read,
and the units are taken from as few as hold them; where they lie too thin they are first brought
together. What is refused then is truly not there.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from chalicelib.kernel.errors import Stale
from chalicelib.platform.retries import again_after, retry_stale
from chalicelib.platform.transaction import write
from chalicelib.stock import rules
from chalicelib.stock import store as stock
from chalicelib.stock.rules import MOST_SHARDS_A_LINE, Move, Parts, ShardShort

T = TypeVar("T")
# Who loses a race for the last units has lost it to somebody who got some, so this is enough for
# as many callers at once as there are, and Busy says try again, not sold out.
ATTEMPTS = 25


class Pool(Protocol):
    """Units wanted of one pool. `commit` must raise its ShardShort where a shard has too few."""

    @property
    def id(self) -> str: ...

    @property
    def units(self) -> int: ...

    @property
    def first(self) -> Parts:
        """What to try without looking."""

    def look(self) -> Mapping[int, int]:
        """Units of each shard, all of one moment."""

    def move(self, moving: Move) -> None:
        """Bring units to another shard. Raises Stale where they have been taken meanwhile."""

    def short(self, left: int) -> Exception:
        """What is raised where only `left` are left of the pool."""


@dataclass(frozen=True)
class StockPool:
    """Units wanted of a SKU's stock."""

    id: str
    units: int
    first: Parts
    short: Callable[[int], Exception]

    def look(self) -> Mapping[int, int]:
        return _levels(self.id)

    def move(self, moving: Move) -> None:
        write(*stock.move(self.id, moving))


def at_random(units: int, shards: int) -> Parts:
    """All units from any one of the shards that a hint tells of."""
    return rules.from_first(units) if shards == 1 else (_any_part(units, shards),)


def take(pools: Sequence[Pool], room: int, commit: Callable[[Mapping[str, Parts]], T]) -> T:
    """What `commit` returns once every pool has had the units that it was given, by pool.

    `room` is how many items of all pools one transaction may hold. Raises a pool's `short` where
    all its shards together have too few units, and Busy where others were always quicker.
    """
    taking = _Taking(pools, room)
    try:
        return commit(taking.parts)  # as most end here, they are spared the cost of being watched
    except ShardShort as short:
        taking.look_everywhere(short.pool)
    committed: T = _patiently(taking.attempt, commit)
    return committed


class _Taking:
    """Which shards each pool's units are taken from, as far as is known."""

    def __init__(self, pools: Sequence[Pool], room: int) -> None:
        self._pools = {pool.id: pool for pool in pools}
        self._room = room
        self._unseen = set(self._pools)
        self.parts: dict[str, Parts] = {pool.id: pool.first for pool in pools}

    def attempt(self, commit: Callable[[Mapping[str, Parts]], T]) -> T:
        try:
            return commit(self.parts)
        except ShardShort as short:
            self.look_everywhere(short.pool)
            raise

    def look_everywhere(self, short: str) -> None:
        """Choose anew for a pool that was short, and for all whose shards were only guessed.

        One failed transaction tells of one pool; fifty lines must not cost fifty of them.
        """
        self._look_at(short)
        for pool_id in sorted(self._unseen):
            self._look_at(pool_id)

    def _look_at(self, pool_id: str) -> None:
        self._unseen.discard(pool_id)
        pool = self._pools[pool_id]
        available = pool.look()
        left = sum(available.values())
        if left < pool.units:
            raise pool.short(left)
        most = min(MOST_SHARDS_A_LINE, self._room - self._items_of_others(pool_id))
        order = random.sample(sorted(available), len(available))
        parts = rules.allocation(available, pool.units, most, order)
        self.parts[pool_id] = parts or self._brought_together(pool, available, most)

    def _brought_together(self, pool: Pool, available: Mapping[int, int], most: int) -> Parts:
        moves = rules.gathering(available, pool.units, most)
        try:
            for moving in moves:
                pool.move(moving)
        except Stale:
            return self.parts[pool.id]  # overtaken: what is there now is found by the next look
        together = rules.moved(available, moves)
        return rules.allocation(together, pool.units, most, ()) or self.parts[pool.id]

    def _items_of_others(self, pool_id: str) -> int:
        return sum(len(parts) for other, parts in self.parts.items() if other != pool_id)


@retry_stale
def _levels(sku_id: str) -> Mapping[int, int]:
    return stock.get_stock(sku_id).by_shard


def _any_part(units: int, shards: int) -> rules.Part:
    return rules.Part(random.randrange(shards), units)


_patiently = again_after((ShardShort,), ATTEMPTS)
