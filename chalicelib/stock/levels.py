"""A SKU's units for sale, reserved and committed, over its shards, and their adjustments. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.kernel.callers import Role


@dataclass(frozen=True)
class Level:
    """One shard's units. `version` rises with each change."""

    available: int = 0
    reserved: int = 0
    committed: int = 0
    version: int = 0


@dataclass(frozen=True)
class Stock:
    """A SKU's units over all its shards, the first of which is the head."""

    sku_id: str
    levels: tuple[Level, ...]
    shards: int = 1
    moves: int = 0
    pending: int = 0
    pending_whole: int = 0
    aim: int = 0
    refused_aim: int = 0
    hint_at: datetime | None = None

    @property
    def available(self) -> int:
        """Units for sale, with those that a PUT is about to add or take away."""
        return self.pending + sum(level.available for level in self.levels)

    @property
    def reserved(self) -> int:
        return sum(level.reserved for level in self.levels)

    @property
    def committed(self) -> int:
        return sum(level.committed for level in self.levels)

    @property
    def on_hand(self) -> int:
        """Unsold units, whether free or reserved."""
        return self.available + self.reserved

    @property
    def is_sharded(self) -> bool:
        """Whether there is more than one item to look at, drained ones too."""
        return len(self.levels) > 1

    @property
    def by_shard(self) -> dict[int, int]:
        """Units for sale, by shard."""
        return {n: level.available for n, level in enumerate(self.levels)}

    @property
    def is_settled(self) -> bool:
        """Whether nothing is on its way, and no order holds units of a shard taken away."""
        drained = self.levels[self.shards :]
        return not self.pending and not any(level.available or level.reserved for level in drained)

    def after_step(self, shard: int, units: int) -> "Stock":
        """The units once a step has moved some that were pending into a shard."""
        levels = tuple(
            replace(level, available=level.available + units) if n == shard else level
            for n, level in enumerate(self.levels)
        )
        return replace(self, levels=levels, pending=self.pending - units, moves=self.moves + 1)


@dataclass(frozen=True)
class Adjustment:
    """Units that were added to a SKU's stock or, below zero, taken away, and why."""

    id: str
    sku_id: str
    delta: int
    reason: str
    made_by: Role
    created_at: datetime
