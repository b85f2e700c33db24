"""`make soak`: random operations on the books, to the cent, with the seed to have them again."""

import argparse
import os
import random
import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from chalicelib.kernel.currencies import written
from tests.soak.side_by_side import soak
from tests.soak.soaking import Report

# Where a bar cannot be drawn, a line after so many operations.
LINE_EACH = 50_000


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
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("soak", total=operations)

        said = 0

        def tell(done: int) -> None:
            nonlocal said
            progress.update(task, completed=done)
            if not console.is_terminal and done - said >= LINE_EACH:
                said = done
                console.print(f"{done:,} of {operations:,}", highlight=False)

        return soak(seed, operations, processes, tell)


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
