"""Markets side by side, each in a process of its own and on a store of its own."""

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty
from typing import Any

from tests.year.kept import Kept
from tests.year.reading import Period, Sold
from tests.year.replaying import Report, replay

# How it stands is told each time that so many SKUs were listed.
NOW_AND_THEN = 200
WAIT_SECONDS = 0.5
# Of what a store holds nothing becomes garbage; looking for it often takes a fifth of the time.
COLLECTED_AFTER = (50_000, 20, 50)


@dataclass(frozen=True)
class Played:
    """What one process plays; leaders and suppliers who sell nothing take part as well."""

    data: Path
    sold: Sold
    period: Period
    seed: int
    idle_leaders: Sequence[int] = ()
    idle_suppliers: Sequence[int] = ()

    @property
    def asked(self) -> str:
        """What tells it from all others."""
        stores = sorted(self.period.stores or ())
        idle = (*self.idle_leaders, *self.idle_suppliers)
        return f"{self.period.first} {self.period.days} {self.seed} {stores} {idle}"


def side_by_side(
    markets: Sequence[Played],
    processes: int,
    kept: Kept,
    tell: Callable[[int, str, int, int], None],
) -> list[Report]:
    """Play all that are not kept, so many at a time; `tell` hears which market is how far."""
    context = get_context("spawn")
    # A process ends with its market, and its store with it.
    pools = ProcessPoolExecutor(processes, context, max_tasks_per_child=1)
    with context.Manager() as manager, pools as pool:
        told: Any = manager.Queue()
        playing = [pool.submit(_play, n, each, kept, told) for n, each in enumerate(markets)]
        for told_by_one in _heard(told, playing):
            tell(*told_by_one)
        return [each.result() for each in playing]


def _play(n: int, market: Played, kept: Kept, told: "Queue[Any]") -> Report:
    report = kept.once(market.asked, lambda: _replay(n, market, told))
    told.put((n, "is compared", report.done["placed"], report.done["placed"]))
    return report


def _replay(n: int, market: Played, told: "Queue[Any]") -> Report:
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)

    def tell(what: str, done: int, of: int) -> None:
        if done in (0, of) or not done % NOW_AND_THEN or what[0].isdigit():
            told.put((n, what, done, of))

    return replay(
        market.data,
        market.sold,
        market.period,
        market.seed,
        tell,
        market.idle_leaders,
        market.idle_suppliers,
    )


def _heard(told: "Queue[Any]", playing: Sequence[Future[Report]]) -> Iterator[Any]:
    """Until all are done, or one has failed."""
    while True:
        try:
            yield told.get(timeout=WAIT_SECONDS)
        except Empty:
            failed = any(each.done() and each.exception() for each in playing)
            if failed or all(each.done() for each in playing):
                return
