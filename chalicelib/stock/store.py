"""The stock table: the units of each SKU, over its shards, and how they move.

The first shard is also the head: it says how many shards new orders are spread over (`shards`),
how many there have ever been (`widest`), and what is on its way between them.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.expressions.condition import Condition

from chalicelib.kernel import ids
from chalicelib.kernel.errors import Stale
from chalicelib.platform import store
from chalicelib.platform.indexes import Due
from chalicelib.platform.pages import Page, PageRequest
from chalicelib.platform.table import EntityRow, InstantAttribute, IntegerAttribute, Row, table
from chalicelib.platform.transaction import Check, Put, Update, create
from chalicelib.stock.levels import Adjustment, Level, Stock
from chalicelib.stock.rules import FIRST, Move, Parts, ShardShort

STOCK = "stock"
DUE_SHARDS = 4
# Offers are found through an index: one that it did not know yet is found then.
HINTED_AGAIN_AFTER = timedelta(minutes=5)

StockMeta = table("STOCK_TABLE")


class StockRow(Row):
    """Units of one shard of a SKU: for sale, held by unpaid orders, and paid but not shipped yet.

    The attributes after `version` are the head's alone.
    """

    Meta = StockMeta

    available = IntegerAttribute(default=0)
    reserved = IntegerAttribute(default=0)
    committed = IntegerAttribute(default=0)
    version = IntegerAttribute(default=0)
    shards = IntegerAttribute(default=1)
    widest = IntegerAttribute(default=1)
    # Rises with whatever moves units between shards, so that a sum over them can be trusted.
    moves = IntegerAttribute(default=0)
    # Units that a PUT still has to add or, below zero, to take away; and all that it had to.
    pending = IntegerAttribute(default=0)
    pending_whole = IntegerAttribute(default=0)
    # Which PUT that was, and the last one that could not be reached.
    aim = IntegerAttribute(default=0)
    refused_aim = IntegerAttribute(default=0)
    # When offers are told of the shards once more.
    hint_at = InstantAttribute(null=True)
    due = UnicodeAttribute(null=True)
    due_at = InstantAttribute(null=True)
    tending = Due()


class AdjustmentRow(EntityRow[Adjustment]):
    """A SKU's adjustments, in a partition of their own, by age."""

    Meta = StockMeta
    entity = Adjustment

    id = UnicodeAttribute()
    sku_id = UnicodeAttribute()
    delta = IntegerAttribute()
    reason = UnicodeAttribute()
    made_by = UnicodeAttribute()
    created_at = InstantAttribute()

    @classmethod
    def keys(cls, entity: Adjustment) -> dict[str, Any]:
        return {"pk": _adjustments(entity.sku_id), "sk": entity.id}


class CannotTake(Exception):
    """Units or limits that an expired order had given back are gone."""


def get_stock(sku_id: str) -> Stock:
    """The SKU's units; none of anything where no stock was ever set.

    Raises Stale where units were moved between shards while they were read: their sum would be
    of no one moment.
    """
    head = _head(sku_id)
    found = _stock(head, _others(head))
    if found.is_sharded and _head(sku_id).moves != head.moves:
        raise Stale
    return found


def get_stocks(sku_ids: Sequence[str]) -> dict[str, Stock]:
    """The units of those SKUs whose stock was ever set, where a sum may be a moment off."""
    heads = store.get_many(StockRow, [(each, STOCK) for each in sku_ids])
    rows = store.get_many(StockRow, [key for head in heads for key in _keys_of_others(head)])
    by_key = {row.pk: row for row in rows}
    return {
        head.pk: _stock(
            head, [by_key.get(pk, StockRow(pk, sk)) for pk, sk in _keys_of_others(head)]
        )
        for head in heads
    }


def set_levels(before: Stock, available: Sequence[int]) -> list[Check | Update]:
    """Set what each shard has for sale, on condition that nothing has changed since `before`."""
    return [_set_level(before, shard, units) for shard, units in enumerate(available)]


def add(before: Stock, units: int, most: int) -> Update:
    """Units for sale are more, in a stock of one shard; Stale where others were added meanwhile
    and it would hold more than `most`."""
    row = StockRow
    room = row.available <= most - units - before.reserved
    return Update(
        _at(before.sku_id, FIRST),
        [row.available.add(units), row.version.add(1)],
        room | row.available.does_not_exist(),
    )


def remove(parts: Mapping[str, Parts]) -> list[Update]:
    """Units for sale are fewer. Raises ShardShort."""
    return _moves(parts, ShardShort, available=-1)


def reserve(parts: Mapping[str, Parts]) -> list[Update]:
    """An order is placed: units for sale become reserved. Raises ShardShort."""
    return _moves(parts, ShardShort, available=-1, reserved=1)


def release(parts: Mapping[str, Parts]) -> list[Update]:
    """An unpaid order ends: its reserved units are for sale again."""
    return _moves(parts, _inconsistent, available=1, reserved=-1)


def commit(parts: Mapping[str, Parts]) -> list[Update]:
    """A reserved order is paid: its units are committed until they ship."""
    return _moves(parts, _inconsistent, reserved=-1, committed=1)


def take_again(parts: Mapping[str, Parts]) -> list[Update]:
    """An expired order is paid late: units for sale become committed. Raises ShardShort."""
    return _moves(parts, ShardShort, available=-1, committed=1)


def put_back(parts: Mapping[str, Parts]) -> list[Update]:
    """A paid order is cancelled: its committed units are for sale again."""
    return _moves(parts, _inconsistent, available=1, committed=-1)


def let_go(parts: Mapping[str, Parts]) -> list[Update]:
    """Committed units have shipped, or will never: they are no longer here."""
    return _moves(parts, _inconsistent, committed=-1)


def back_on_sale(waiting: Mapping[str, Parts], shipped: Mapping[str, Parts]) -> list[Update]:
    """Refunded units are for sale again: those that were committed, and those that had shipped."""
    units: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    for n, parts in enumerate((waiting, shipped)):
        for sku_id, of_sku in parts.items():
            for shard, some in of_sku:
                units[sku_id, shard][n] += some
    row = StockRow
    return [
        Update(
            _at(sku_id, shard),
            [
                row.available.add(committed + returned),
                row.committed.add(-committed),
                row.version.add(1),
            ],
            row.committed >= committed if committed else None,
            _inconsistent(sku_id),
        )
        for (sku_id, shard), (committed, returned) in units.items()
    ]


def move(sku_id: str, moving: Move) -> list[Update]:
    """Units for sale go to another shard. Stale where they have been taken meanwhile."""
    row, (source, target, units) = StockRow, moving
    changes = {shard: [row.version.add(1)] for shard in {FIRST, source, target}}
    changes[FIRST].append(row.moves.add(1))
    changes[source].append(row.available.add(-units))
    changes[target].append(row.available.add(units))
    return [
        Update(_at(sku_id, shard), actions, row.available >= units if shard == source else None)
        for shard, actions in changes.items()
    ]


def spread_over(before: Stock, shards: int, now: datetime) -> Update:
    """From now on orders are spread over `shards`; the sweep looks until all is where it should.

    Stale where the shards were arranged anew since `before` was read.
    """
    row = StockRow
    return Update(
        _at(before.sku_id, FIRST),
        [
            row.shards.set(shards),
            row.widest.set(max(shards, len(before.levels))),
            row.hint_at.set(now + HINTED_AGAIN_AFTER),
            *_arranged(before.sku_id, now),
        ],
        _arranged_as(before),
    )


def aim_at(before: Stock, delta: int, now: datetime) -> Update:
    """Have `delta` units added, or taken away, by steps.

    Stale where others are still to be added, or the shards were arranged anew since `before`.
    """
    row = StockRow
    return Update(
        _at(before.sku_id, FIRST),
        [
            row.pending.set(delta),
            row.pending_whole.set(delta),
            row.aim.set(next_aim(before)),
            *_arranged(before.sku_id, now),
        ],
        _arranged_as(before),
    )


def next_aim(before: Stock) -> int:
    """The name of what is aimed at next: a number that rises."""
    return before.moves + 1


def step(before: Stock, shard: int, units: int) -> list[Update]:
    """One shard's part of what is pending: `units` more or, below zero, fewer for sale."""
    row = StockRow
    changes = {n: [row.version.add(1)] for n in {FIRST, shard}}
    changes[FIRST] += [row.pending.add(-units), row.moves.add(1)]
    changes[shard].append(row.available.add(units))
    enough = row.available >= -units if units < 0 else None
    found = []
    for n, actions in changes.items():
        when = _pending_as(before) if n == FIRST else None
        if n == shard and enough is not None:
            when = enough if when is None else when & enough
        found.append(Update(_at(before.sku_id, n), actions, when))
    return found


def undo(before: Stock) -> Update:
    """What is pending cannot be reached: what was taken away of it is to be added again."""
    row = StockRow
    back = before.pending - before.pending_whole
    return Update(
        _at(before.sku_id, FIRST),
        [
            row.pending.set(back),
            row.pending_whole.set(back),
            row.refused_aim.set(before.aim),
            row.moves.add(1),
            row.version.add(1),
        ],
        _pending_as(before),
    )


def settled(before: Stock, now: datetime) -> Update:
    """Nothing is left for the sweep but to tell offers of the shards, if that is still to come.

    Stale where the shards were arranged anew meanwhile.
    """
    row = StockRow
    if before.hint_at and before.hint_at > now:
        actions = [row.due_at.set(before.hint_at)]
    else:
        actions = [row.due.remove(), row.due_at.remove(), row.hint_at.remove()]
    return Update(_at(before.sku_id, FIRST), actions, _arranged_as(before))


def to_tend(now: datetime, limit: int) -> list[str]:
    """SKUs whose units are on their way between shards."""
    shards = [_due(n) for n in range(DUE_SHARDS)]
    rows = store.oldest(StockRow.tending, shards, StockRow.due_at <= now, StockRow.due_at, limit)
    return [row.pk for row in rows]


def add_adjustment(adjustment: Adjustment) -> Put:
    return create(AdjustmentRow.of(adjustment))


def adjustments(sku_id: str, page: PageRequest) -> Page[Adjustment]:
    rows = store.query(
        AdjustmentRow,
        _adjustments(sku_id),
        where=AdjustmentRow.sk < page.after if page.after else None,
        newest_first=True,
        limit=page.limit + 1,
    )
    shown = tuple(row.to_entity() for row in rows[: page.limit])
    return Page(shown, shown[-1].id if len(rows) > page.limit else None)


def _moves(
    parts: Mapping[str, Parts],
    otherwise: Callable[[str], Exception],
    *,
    available: int = 0,
    reserved: int = 0,
    committed: int = 0,
) -> list[Update]:
    """Move units between kinds, in the shards they lie in; none may fall below zero."""
    row = StockRow
    signs = [(row.available, available), (row.reserved, reserved), (row.committed, committed)]
    found = []
    for sku_id, of_sku in parts.items():
        for shard, units in of_sku:
            actions = [kind.add(sign * units) for kind, sign in signs if sign]
            enough: Condition | None = None
            for kind, sign in signs:
                if sign < 0:
                    enough = kind >= units if enough is None else enough & (kind >= units)
            changed = [*actions, row.version.add(1)]
            found.append(Update(_at(sku_id, shard), changed, enough, otherwise(sku_id)))
    return found


def _inconsistent(sku_id: str) -> Exception:
    return ValueError(f"the stock of {sku_id} does not hold what an order of it does")


def _set_level(before: Stock, shard: int, available: int) -> Check | Update:
    row, level, at = StockRow, before.levels[shard], _at(before.sku_id, shard)
    unchanged = row.version == level.version if level.version else row.version.does_not_exist()
    if shard != FIRST and available == level.available:
        return Check(at, unchanged)
    moves = [row.moves.add(1)] if shard == FIRST and before.is_sharded else []
    return Update(at, [row.available.set(available), row.version.add(1), *moves], unchanged)


def _arranged(sku_id: str, now: datetime) -> list[Any]:
    row = StockRow
    return [
        row.moves.add(1),
        row.version.add(1),
        row.due.set(_due(ids.shard(sku_id, DUE_SHARDS))),
        row.due_at.set(now),
    ]


def _arranged_as(before: Stock) -> Condition:
    row = StockRow
    if before.moves == 0:
        never: Condition = row.moves.does_not_exist() | (row.moves == 0)
        return never
    nothing_pending = row.pending.does_not_exist() | (row.pending == 0)
    unchanged: Condition = (row.moves == before.moves) & nothing_pending
    return unchanged


def _pending_as(before: Stock) -> Condition:
    unchanged: Condition = (StockRow.pending == before.pending) & (StockRow.moves == before.moves)
    return unchanged


def _head(sku_id: str) -> StockRow:
    return store.get(StockRow, sku_id, STOCK) or StockRow(sku_id, STOCK)


def _others(head: StockRow) -> list[StockRow]:
    keys = _keys_of_others(head)
    found = {row.pk: row for row in store.get_many(StockRow, keys)} if keys else {}
    return [found.get(pk, StockRow(pk, sk)) for pk, sk in keys]


def _keys_of_others(head: StockRow) -> list[tuple[str, str]]:
    return [(_pk(head.pk, shard), STOCK) for shard in range(1, head.widest)]


def _stock(head: StockRow, others: Sequence[StockRow]) -> Stock:
    return Stock(
        sku_id=head.pk,
        levels=tuple(
            Level(row.available, row.reserved, row.committed, row.version)
            for row in (head, *others)
        ),
        shards=head.shards,
        moves=head.moves,
        pending=head.pending,
        pending_whole=head.pending_whole,
        aim=head.aim,
        refused_aim=head.refused_aim,
        hint_at=head.hint_at,
    )


def _at(sku_id: str, shard: int) -> StockRow:
    return StockRow.at(_pk(sku_id, shard), STOCK)


def _pk(sku_id: str, shard: int) -> str:
    return f"{sku_id}#{shard}" if shard else sku_id


def _adjustments(sku_id: str) -> str:
    return f"{sku_id}#adjustments"


def _due(shard: int) -> str:
    return f"due#{shard}"
