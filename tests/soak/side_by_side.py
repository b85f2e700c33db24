"""Seasons on every core: a town knows of no other, so each process has one of its own."""

import gc
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized

from tests.soak.soaking import Report, Soak, seasons

LOOKS_A_SECOND = 4
_done: "Synchronized[int]"


def soak(seed: int, operations: int, processes: int, show: Callable[[int], None]) -> Report:
    """So many operations, or fewer where something is found; `show` is told how many so far."""
    report, started = Report(seed), time.perf_counter()
    context = get_context("spawn")
    done: Synchronized[int] = context.Value("q", 0)
    with ProcessPoolExecutor(processes, context, _begin, (done,)) as pool:
        running = [pool.submit(_season, seed, *each) for each in seasons(operations)]
        while not _is_over(running):
            time.sleep(1 / LOOKS_A_SECOND)
            show(done.value)
        # What is wrong once is wrong: seasons that have not begun are not begun any more.
        pool.shutdown(cancel_futures=True)
    show(done.value)
    for season in running:
        if not season.cancelled():
            report.add(season.result())
    report.seconds = time.perf_counter() - started
    return report


def _is_over(running: Sequence[Future[Report]]) -> bool:
    """Whether all have ended, or one has ended badly."""
    ended = [season for season in running if season.done()]
    return len(ended) == len(running) or any(
        season.exception() or season.result().findings for season in ended
    )


def _begin(done: "Synchronized[int]") -> None:
    """In each process, before its first season."""
    global _done
    _done = done
    gc.freeze()


def _season(seed: int, number: int, size: int) -> Report:
    return Soak(seed, _tick).season(number, size)


def _tick() -> None:
    with _done.get_lock():
        _done.value += 1
