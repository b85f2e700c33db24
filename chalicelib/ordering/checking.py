"""Holding the stock against the orders: every difference becomes a case, and none is mended.

Orders go on while it runs, so a difference counts only where a shard stood still: it has the same
version, and differs by the same, in two looks some seconds apart. What changes meanwhile is looked
at again. It reads the live orders alone, however many there have ever been.
"""

import time
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.cases import service as cases
from chalicelib.catalogue import product_store
from chalicelib.kernel import clock
from chalicelib.ordering import store as ordering
from chalicelib.ordering.held_units import Held, held
from chalicelib.platform.log import logger, metric
from chalicelib.platform.settings import settings
from chalicelib.platform.sweeping import sweep_each
from chalicelib.platform.transaction import Transaction
from chalicelib.stock import store as stock
from chalicelib.stock.levels import Level

LOOKS = 5
SKUS_A_READ = 100
# Longer than an index is behind, so that no order is missed in two looks.
BETWEEN_LOOKS = timedelta(seconds=5)

Shard = tuple[str, int]


@dataclass(frozen=True)
class Difference:
    """A shard whose units are not those that orders hold of it, at one version of it."""

    sku_id: str
    shard: int
    version: int
    found: Held
    due: Held


def check(now: datetime) -> int:
    """Open a case for each SKU whose stock is not what live orders say. Returns how many."""
    certain: set[Difference] = set()
    doubtful = _differences({sku.id for sku in product_store.all_skus()})
    for _ in range(LOOKS):
        if not doubtful:
            break
        time.sleep(BETWEEN_LOOKS.total_seconds())
        seen_again = _differences({each.sku_id for each in doubtful})
        certain |= doubtful & seen_again
        doubtful = seen_again - certain
    if doubtful:
        _tell_unchecked({each.sku_id for each in doubtful})
    return _report(certain, now)


def _differences(sku_ids: Collection[str]) -> set[Difference]:
    """Shards that did not change while the orders were read, and are not what those say."""
    before, due, after = _shards(sku_ids), _held_of(sku_ids), _shards(sku_ids)
    found: set[Difference] = set()
    for shard in before.keys() | due.keys():
        level = before.get(shard, Level())
        has, owes = Held(level.reserved, level.committed), due.get(shard, Held())
        if level == after.get(shard, Level()) and has != owes:
            found.add(Difference(*shard, level.version, has, owes))
    return found


def _shards(sku_ids: Collection[str]) -> dict[Shard, Level]:
    wanted = sorted(sku_ids)
    return {
        (sku_id, n): level
        for start in range(0, len(wanted), SKUS_A_READ)
        for sku_id, each in stock.get_stocks(wanted[start : start + SKUS_A_READ]).items()
        for n, level in enumerate(each.levels)
    }


def _held_of(sku_ids: Collection[str]) -> dict[Shard, Held]:
    sums: dict[Shard, Held] = defaultdict(Held)
    for order in ordering.live_orders():
        for sku_id, shard, units in held(order):
            if sku_id in sku_ids:
                sums[sku_id, shard] += units
    return sums


def _tell_unchecked(sku_ids: Collection[str]) -> None:
    """They were sold too quickly to stand still once; the next night looks again."""
    metric("StockUnchecked", len(sku_ids))
    logger.info("sold too quickly to be checked", skus=len(sku_ids))


def _report(differences: Iterable[Difference], now: datetime) -> int:
    by_sku: dict[str, list[Difference]] = defaultdict(list)
    for each in sorted(differences, key=lambda each: (each.sku_id, each.shard)):
        by_sku[each.sku_id].append(each)
    night = clock.business_date(now, settings().zone).isoformat()
    return sweep_each(by_sku, lambda sku_id: _open_case(sku_id, by_sku[sku_id], night))


def _open_case(sku_id: str, differences: Sequence[Difference], night: str) -> None:
    detail = "; ".join(text for each in differences for text in _told(each))
    transaction = Transaction()
    cases.open_in(transaction, "stock_difference", sku_id, f"{detail}.", occurrence=night)
    transaction.commit()
    metric("StockDifferences")


def _told(each: Difference) -> Iterator[str]:
    for kind in ("reserved", "committed"):
        found, due = getattr(each.found, kind), getattr(each.due, kind)
        if found != due:
            yield f"Shard {each.shard} has {found} units {kind}, and live orders hold {due}"
