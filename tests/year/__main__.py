"""`make year`: the whole real year in a store in memory, compared with pandas to the cent."""

import argparse
import gc
import sys
from datetime import date

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from infra.demo.complete_journey import package_data
from infra.demo.figures import money
from tests.year.reading import FIRST_DAY, LAST_DAY, WHOLE_YEAR, Period, everybody, read
from tests.year.replaying import Report, replay

NAMED = 20


def main() -> int:
    arguments = argparse.ArgumentParser(prog="make year")
    arguments.add_argument("--first", type=date.fromisoformat, default=FIRST_DAY)
    arguments.add_argument("--days", type=int, default=None)
    arguments.add_argument("--seed", type=int, default=1)
    asked = arguments.parse_args()
    most = (LAST_DAY - asked.first).days + 1
    days = asked.days or most
    if not (1 <= days <= most and asked.first >= FIRST_DAY):
        arguments.error(f"the data has {FIRST_DAY} to {LAST_DAY}")
    console = Console(stderr=True)
    report = _played(console, Period(asked.first, days), asked.seed)
    return _show(Console(), report)


def _played(console: Console, period: Period, seed: int) -> Report:
    data = package_data()
    with console.status("Reading a year of baskets"):
        sold = read(data, period)
        more = everybody(data) if period.days == WHOLE_YEAR else ([], [])
    console.print(
        f"{period.first}, {period.days} day(s): {len(sold.orders):,} orders, SEED={seed}; "
        f"another plan from {period.plan_change}"
    )
    gc.freeze()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("")

        def tell(what: str, n: int, of: int) -> None:
            progress.update(task, description=what, completed=n, total=of)

        return replay(data, sold, period, seed, tell, *more)


def _show(console: Console, report: Report) -> int:
    console.print(", ".join(f"{n:,} {name}" for name, n in sorted(report.done.items())))
    console.print(
        f"{report.operations:,} operations in {report.seconds:,.0f} s, "
        f"{report.operations / report.seconds:,.0f} a second; {report.entries:,} journal entries, "
        f"{report.writes:,} items written",
        highlight=False,
    )
    wrong = [*map(str, report.differences), *report.findings]
    for each in wrong[:NAMED]:
        console.print(each, style="red", markup=False)
    if wrong:
        console.print(f"{len(wrong)} figures differ from the raw rows.", style="red")
        return 1
    balances = report.figures.balances
    paid = {
        role: sum(n for name, n in balances.items() if name.startswith(role) and "paid" in name)
        for role in ("leader", "supplier")
    }
    console.print(
        f"Equal to the cent: {report.leaders:,} leaders were paid {money(paid['leader'])}, "
        f"{report.suppliers:,} suppliers {money(paid['supplier'])}, in "
        f"{len(report.figures.payouts)} rounds of payouts; revenue "
        f"{money(balances['platform: revenue'])}.",
        style="green",
        highlight=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
