"""`make soak`: random operations on the books, to the cent, with the seed to have them again."""

import argparse
import gc
import random
import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
from rich.table import Table

from tests.soak.soaking import Report, Soak


def main() -> int:
    arguments = argparse.ArgumentParser(prog="make soak")
    arguments.add_argument("--operations", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = arguments.parse_args()
    gc.freeze()
    console = Console(stderr=True)
    console.print(f"{asked.operations:,} operations, SEED={asked.seed}")
    report = _soaked(console, asked.operations, asked.seed)
    _show(Console(), report)
    return 1 if report.findings or report.out_by else 0


def _soaked(console: Console, operations: int, seed: int) -> Report:
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("soak", total=operations)
        soak = Soak(seed, lambda: progress.advance(task))
        return soak.run(operations)


def _show(console: Console, report: Report) -> None:
    table = Table("operation", "done", "refused", "nothing to do")
    for name in sorted({*report.done, *report.refused, *report.idle}):
        counts = (report.done, report.refused, report.idle)
        table.add_row(name, *(f"{count[name]:,}" for count in counts))
    console.print(table)
    rate = report.operations / report.seconds
    console.print(
        f"{report.operations:,} operations in {report.seconds:,.0f} s, {rate:,.0f} a second; "
        f"{report.entries:,} journal entries over {report.turnover / 100:,.2f} EUR that came in; "
        f"{report.out_by} cents unexplained; seed {report.seed}"
    )
    for finding in report.findings:
        console.print(finding, style="red", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
