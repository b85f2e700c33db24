"""`make soak`: random operations on the books, to the cent, with the seed to have them again.

A town knows of no other, so each core has one of its own.
"""

import argparse
import gc
import os
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from chalicelib.kernel.currencies import written
from tests.soak.soaking import Report, Soak, seasons

LOOKS_A_SECOND = 4
_done: "Synchronized[int]"


def main() -> int:
    arguments = argparse.ArgumentParser(prog="make soak")
    arguments.add_argument("--operations", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=random.randrange(10**6))
    arguments.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    asked = arguments.parse_args()
    console = Console(stderr=True)
    console.print(f"{asked.operations:,} operations, SEED={asked.seed}")
    report = _soaked(console, asked.operations, asked.seed, asked.processes)
    _show(Console(), report)
    return 1 if report.findings or report.out_by else 0


def _soaked(console: Console, operations: int, seed: int, processes: int) -> Report:
    report, started = Report(seed), time.perf_counter()
    context = get_context("spawn")
    done: Synchronized[int] = context.Value("q", 0)
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        ProcessPoolExecutor(processes, context, _begin, (done,)) as pool,
        Progress(*columns, console=console) as progress,
    ):
        task = progress.add_task("soak", total=operations)
        running = [pool.submit(_season, seed, *each) for each in seasons(operations)]
        while not _is_over(running):
            time.sleep(1 / LOOKS_A_SECOND)
            progress.update(task, completed=done.value)
        # What is wrong once is wrong: seasons that have not begun are not begun any more.
        pool.shutdown(cancel_futures=True)
        progress.update(task, completed=done.value)
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


def _show(console: Console, report: Report) -> None:
    table = Table("operation", "done", "refused", "nothing to do")
    for name in sorted({*report.done, *report.refused, *report.idle}):
        counts = (report.done, report.refused, report.idle)
        table.add_row(name, *(f"{count[name]:,}" for count in counts))
    console.print(table)
    rate = report.operations / report.seconds
    came_in = ", ".join(written(*each[::-1]) for each in sorted(report.turnover.items()))
    console.print(
        f"{report.operations:,} operations in {report.seconds:,.0f} s, {rate:,.0f} a second; "
        f"{report.entries:,} journal entries over {came_in} that came in; "
        f"{report.out_by} minor units unexplained; seed {report.seed}"
    )
    for finding in report.findings:
        console.print(finding, style="red", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
