"""`make year`: the whole real year in a store in memory, compared with pandas to the cent."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from infra.demo.complete_journey import package_data
from infra.demo.crew import wide_console
from infra.demo.figures import money
from tests.year.kept import ROOT, kept_in
from tests.year.reading import FIRST_DAY, LAST_DAY, WHOLE_YEAR, Period, everybody, read
from tests.year.replaying import Report
from tests.year.side_by_side import Played, side_by_side

NAMED = 20
KEPT = ROOT / ".local" / "year"
# So many markets for each process: what is stopped loses no more than those it was at.
MARKETS_A_PROCESS = 2


def main() -> int:
    arguments = argparse.ArgumentParser(prog="make year")
    arguments.add_argument("--first", type=date.fromisoformat, default=FIRST_DAY)
    arguments.add_argument("--days", type=int, default=None)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    arguments.add_argument("--markets", type=int, default=None)
    asked = arguments.parse_args()
    most = (LAST_DAY - asked.first).days + 1
    days = asked.days or most
    if not (1 <= days <= most and asked.first >= FIRST_DAY):
        arguments.error(f"the data has {FIRST_DAY} to {LAST_DAY}")
    console = Console(stderr=True)
    began = time.perf_counter()
    markets = asked.markets or MARKETS_A_PROCESS * asked.processes
    period = Period(asked.first, days)
    reports = _played(console, period, asked.seed, markets, asked.processes)
    return _show(wide_console(), reports, time.perf_counter() - began)


def _played(
    console: Console, period: Period, seed: int, markets: int, processes: int
) -> list[Report]:
    """One report for each market, among which the stores are divided."""
    data = package_data()
    with console.status("Reading a year of baskets"):
        sold = read(data, period)
        stores, makers = everybody(data) if period.days == WHOLE_YEAR else ([], [])
    console.print(
        f"{period.first}, {period.days} day(s): {len(sold.orders):,} orders, SEED={seed}; "
        f"another plan from {period.plan_change}",
        highlight=False,
    )
    parts = sold.among(markets)
    idle = [store for store in stores if not any(store in part for part in parts)]
    played = [Played(data, sold.of(part), replace(period, stores=part), seed) for part in parts]
    played[0] = replace(played[0], idle_leaders=idle, idle_suppliers=makers)
    del sold
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        tasks = [progress.add_task("") for _ in played]

        def tell(n: int, what: str, done: int, of: int) -> None:
            progress.update(tasks[n], description=what, completed=done, total=of)
            if not console.is_terminal and what[0].isdigit():
                console.print(f"market {n}, {what}: {done:,} of {of:,} orders", highlight=False)

        return side_by_side(played, processes, kept_in(KEPT), tell)


def _show(console: Console, reports: Sequence[Report], seconds: float) -> int:
    done = sum((report.done for report in reports), Counter[str]())
    console.print(", ".join(f"{n:,} {name}" for name, n in sorted(done.items())), highlight=False)
    # Markets that one process plays one after the other have their seconds one after the other.
    playing = sum(report.seconds for report in reports)
    console.print(
        f"{done.total():,} operations in {playing:,.0f} s of a process, "
        f"{done.total() / playing:,.0f} a second in each; "
        f"{sum(report.entries for report in reports):,} journal entries, "
        f"{sum(report.writes for report in reports):,} items written; {len(reports)} market(s) "
        f"side by side, {seconds:,.0f} s with reading, founding and comparing",
        highlight=False,
    )
    wrong = [
        f"market {n}: {each}"
        for n, report in enumerate(reports)
        for each in (*report.differences, *report.findings)
    ]
    for each in wrong[:NAMED]:
        console.print(each, style="red", markup=False)
    if wrong:
        console.print(f"{len(wrong)} figures differ from the raw rows.", style="red")
        return 1
    _tell_that_equal(console, reports)
    return 0


def _tell_that_equal(console: Console, reports: Sequence[Report]) -> None:
    paid = Counter[str]()
    for report in reports:
        for name, amount in report.figures.balances.items():
            who, what = name.split(": ")
            paid[f"{who.split()[0]} {what}"] += amount
    suppliers = {supplier for report in reports for supplier in report.suppliers}
    console.print(
        f"Equal to the cent: {sum(report.leaders for report in reports):,} leaders were paid "
        f"{money(paid['leader paid'])}, {len(suppliers):,} suppliers "
        f"{money(paid['supplier paid'])}, in {len(reports[0].figures.payouts)} rounds of payouts; "
        f"{money(paid['leader left'] + paid['supplier left'])} is left to pay, revenue "
        f"{money(paid['platform revenue'])}.",
        style="green",
        highlight=False,
    )


if __name__ == "__main__":
    sys.exit(main())
