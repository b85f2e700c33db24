"""A period from its first order to the day on which nothing of it moves any more."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from datetime import time as times
from pathlib import Path
from unittest import mock

from chalicelib.kernel import clock
from infra.demo.baskets import Order
from infra.demo.figures import Difference
from tests.soak.town import handlers, quiet
from tests.support.memory_cloud import memory_cloud, the_cloud
from tests.year import comparing, oracle
from tests.year.journal import Journal
from tests.year.market import Market
from tests.year.playing import Clock, Year
from tests.year.reading import Period, Sold

# What is sold on the last day has then arrived, matured, and been refunded.
REST = timedelta(days=18)
FOUNDING = times(12)


@dataclass(frozen=True)
class Report:
    """`seconds` are those of the days alone, without reading, founding and comparing."""

    done: Counter[str]
    differences: Sequence[Difference]
    findings: Sequence[str]
    figures: oracle.Figures
    leaders: int
    suppliers: frozenset[int]
    entries: int
    writes: int
    seconds: float

    @property
    def operations(self) -> int:
        return self.done.total()


Tell = Callable[[str, int, int], None]


def replay(
    data: Path,
    sold: Sold,
    period: Period,
    seed: int,
    tell: Tell,
    more_leaders: Sequence[int] = (),
    more_suppliers: Sequence[int] = (),
) -> Report:
    """Play the period and compare; `tell` hears what is done, how far it is and how far it goes."""
    with _in_memory() as (now, journal):
        market = Market(sold)
        now.set(period.first - timedelta(days=1), FOUNDING)
        market.found(period, more_leaders, more_suppliers)
        for n, _ in enumerate(market.stock_shelves(), 1):
            tell("products are listed", n, len(sold.products))
        year = Year(market, now, journal, seed, handlers())
        batches = _batches(period)
        began = time.perf_counter()
        _play(year, sold.orders, period, batches, tell)
        seconds = time.perf_counter() - began
        tell("the books are compared", 0, 1)
        right = oracle.figures(data, period, batches, seed)
        differences = comparing.compare(right, year.payouts, market, journal)
        findings = list(comparing.findings(market, journal))
        return Report(
            year.done,
            differences,
            findings,
            right,
            len(market.leaders),
            frozenset(market.suppliers),
            journal.entries,
            journal.writes,
            seconds,
        )


def _play(
    year: Year, orders: Sequence[Order], period: Period, batches: Sequence[date], tell: Tell
) -> None:
    of_day: defaultdict[str, list[Order]] = defaultdict(list)
    for order in orders:
        of_day[order.day].append(order)
    played = 0
    day = period.first
    while day <= batches[-1] + timedelta(days=1):
        today = of_day[day.isoformat()]
        year.day(day, today, pays_out=day in batches)
        played += len(today)
        tell(f"{day}", played, len(orders))
        day += timedelta(days=1)


def _batches(period: Period) -> list[date]:
    """The first of each month, and a day on which all is settled."""
    last = period.dates[-1] + REST
    days = [period.first + timedelta(days=n) for n in range((last - period.first).days)]
    return [day for day in days if day.day == 1 and day != period.first] + [last]


@contextmanager
def _in_memory() -> Iterator[tuple[Clock, Journal]]:
    with ExitStack() as stack:
        stack.enter_context(memory_cloud())
        stack.enter_context(quiet())
        now = Clock()
        stack.enter_context(mock.patch.object(clock, "now", now))
        yield now, Journal(the_cloud().dynamodb)
