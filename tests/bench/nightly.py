"""A whole night: 10,000 leaders of 100 orders against 1,000, and what a million would come to.

Leaders and what has matured for them are written as deliveries leave them; the run is listed,
settled and closed by its own workers in this process, whose messages are handed on without SQS.
Time is that of the workers, the local cloud's answers included.
"""

import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from unittest import mock

from tests.bench.caller import CONTEXT
from tests.bench.figures import Figure, explained
from tests.bench.placing import named
from tests.bench.process import Say, tell
from tests.bench.watched import Call, size_of, watched, write_units
from tests.support.events import sqs_event

GROUP = "A night of 10,000 leaders with 100 orders each"
PROJECTED = "A night of 1,000,000 leaders, projected"
FEW, MANY, WATCHED, ORDERS, COMMISSION = 1_000, 10_000, 100, 100, 137
MOST_A_LEADER, MOST_A_CAPPED_LEADER, MOST_MORE = 16, 20, 1.15
DAY_CAP = ORDERS * COMMISSION // 2
PROJECTION = 1_000_000
# A partition takes no more write units in a second.
LEADERS_A_SECOND, MOST_ON_A_KEY = 1_000, 1_000
BATCH = 25
KIB = 1024

# On demand in us-east-1, without a free tier: DynamoDB's as listed since 2024-11-01, those of logs
# since 2025-05-01, the others for longer.
DOLLARS_A_MILLION_WRITE_UNITS = 0.625
DOLLARS_A_MILLION_READ_UNITS = 0.125
DOLLARS_A_GIGABYTE_SECOND = 0.0000166667
DOLLARS_A_MILLION_INVOCATIONS = 0.20
DOLLARS_A_GIGABYTE_OF_LOGS = 0.50
DOLLARS_A_MILLION_QUEUE_REQUESTS = 0.40
WORKER_GIGABYTES = 0.5
# Of ten leaders each, and one for each page of the listing.
INVOCATIONS_A_LEADER = 0.11
# What Lambda itself logs of an invocation: its start, its end and a report.
BYTES_LOGGED_AN_INVOCATION = 400
# Sending by ten, receiving and deleting by ten.
QUEUE_REQUESTS_A_LEADER = 0.3


@dataclass(frozen=True)
class Night:
    """What one run took, by leader."""

    leaders: int
    seconds: float
    processor_seconds: float

    @property
    def seconds_a_leader(self) -> float:
        return self.seconds / self.leaders


@dataclass(frozen=True)
class Watched:
    """What a leader cost in a run that was watched: units by table, units read, bytes logged, and
    write units on the run's own partition."""

    written: dict[str, float]
    read: float
    logged: float
    on_run: float

    @property
    def units(self) -> float:
        return sum(self.written.values())


def measure(say: Say) -> list[Figure]:
    register(0, WATCHED)
    capped = watch(night_before(4, WATCHED, say, capped=True))
    usual = watch(night_before(3, WATCHED, say))
    register(WATCHED, FEW)
    few = settle(night_before(2, FEW, say), FEW)
    register(FEW, MANY)
    many = settle(night_before(1, MANY, say), MANY)
    return [
        Figure(GROUP, "write units a leader, pages and run included", usual.units, MOST_A_LEADER),
        *explained(GROUP, {name: round(n, 2) for name, n in usual.written.items()}),
        Figure(
            GROUP, "the same, with a daily cap on all orders", capped.units, MOST_A_CAPPED_LEADER
        ),
        Figure(GROUP, "  read units a leader", round(usual.read, 2)),
        Figure(GROUP, "  the same, with a daily cap", round(capped.read, 2)),
        Figure(
            GROUP,
            "seconds a leader over those of a night of 1,000",
            many.seconds_a_leader / few.seconds_a_leader,
            MOST_MORE,
            "x",
        ),
        Figure(GROUP, "  milliseconds a leader", round(many.seconds_a_leader * 1000, 1)),
        Figure(GROUP, "  the same of 1,000 leaders", round(few.seconds_a_leader * 1000, 1)),
        Figure(
            GROUP,
            "  of which of a processor",
            round(many.processor_seconds / many.leaders * 1000, 1),
        ),
        *projected(many, usual),
    ]


def projected(night: Night, usual: Watched) -> list[Figure]:
    """A million leaders as so many of these: nothing of a run grows but with its leaders."""
    seconds = night.seconds_a_leader * PROJECTION
    logged = usual.logged + INVOCATIONS_A_LEADER * BYTES_LOGGED_AN_INVOCATION
    # What is of a leader here is of a million in millions, or, of bytes, in megabytes.
    dollars = {
        "write units": usual.units * DOLLARS_A_MILLION_WRITE_UNITS,
        "read units": usual.read * DOLLARS_A_MILLION_READ_UNITS,
        "workers": seconds * WORKER_GIGABYTES * DOLLARS_A_GIGABYTE_SECOND,
        "invocations": INVOCATIONS_A_LEADER * DOLLARS_A_MILLION_INVOCATIONS,
        "logs": logged / 1_000 * DOLLARS_A_GIGABYTE_OF_LOGS,
        "queues": QUEUE_REQUESTS_A_LEADER * DOLLARS_A_MILLION_QUEUE_REQUESTS,
    }
    return [
        Figure(PROJECTED, "write units, in millions", round(usual.units, 2)),
        Figure(PROJECTED, "read units, in millions", round(usual.read, 2)),
        Figure(PROJECTED, "worker seconds", round(seconds)),
        Figure(PROJECTED, "megabytes of logs", round(logged)),
        Figure(PROJECTED, "US dollars", round(sum(dollars.values()), 2)),
        *explained(PROJECTED, {name: round(n, 2) for name, n in dollars.items()}),
        Figure(
            PROJECTED,
            "write units a second on the hottest partition, at 1,000 leaders a second",
            round(usual.on_run * LEADERS_A_SECOND),
            MOST_ON_A_KEY,
        ),
    ]


def leader_id(n: int) -> str:
    return f"ldr_bench_night_{n:012d}"


def register(first: int, behind: int) -> None:
    """Leaders as the listing finds them."""
    from chalicelib.kernel import clock
    from chalicelib.parties.rules import Leader, PickupPoint
    from chalicelib.parties.store import LeaderRow

    point = PickupPoint("1 Main St", "Berlin", "10115", "DE", None, None)
    made = clock.now()
    put_all(
        LeaderRow.of(
            Leader(
                id=leader_id(n),
                name="Lena",
                community="North",
                pickup_point=point,
                currency="EUR",
                created_at=made,
            )
        )
        for n in range(first, behind)
    )


def night_before(days: int, leaders: int, say: Say, *, capped: bool = False) -> str:
    """A business date so many days ago, by which the commission of these leaders has matured."""
    from chalicelib.kernel import clock

    day = (clock.now().date() - timedelta(days=days)).isoformat()
    mature(leaders, day, say)
    if capped:
        cap(leaders, day)
    say(f"a night: settling {leaders:,} leaders")
    return day


def watch(day: str) -> Watched:
    with watched() as calls, bytes_logged() as logged:
        settle(day, WATCHED)
    return Watched(
        {name: n / WATCHED for name, n in named(write_units(calls)).items()},
        read_units(calls) / WATCHED,
        sum(logged) / WATCHED,
        units_on_run(f"run_{day}") / WATCHED,
    )


def mature(leaders: int, day: str, say: Say) -> None:
    """What the deliveries of 100 orders each leave for a run."""
    for first in range(0, leaders, 500):
        say(f"a night: orders of leader {first:,} of {leaders:,}")
        of_these = range(first, min(first + 500, leaders))
        put_all(row for n in of_these for row in matured(leader_id(n), day))


def matured(leader: str, day: str) -> Iterator[Any]:
    from chalicelib.ledger.store import ACCOUNTS, AccountsRow
    from chalicelib.settlement.rules import EarnedLine
    from chalicelib.settlement.store import EARNED, MATURING, EarnedRow, MaturingRow

    amount = ORDERS * COMMISSION
    yield MaturingRow(leader, MATURING + day, currency="EUR", matured=amount)
    # Each night the pending balance is what has matured, as the runs before have taken theirs.
    yield AccountsRow(f"leader:{leader}", ACCOUNTS, currency="EUR", pending=-amount)
    for n in range(ORDERS):
        line = EarnedLine(f"ord_{n}", "sku_1", "commission", "sales", 1370, 1000, COMMISSION, day)
        yield EarnedRow(leader, f"{EARNED}{day}#prc_{n:04d}", lines=(line,))


def cap(leaders: int, day: str) -> None:
    """All that has matured that day was delivered under a daily cap, which half of it reaches."""
    from chalicelib.platform.transaction import write
    from chalicelib.settlement import store as settlement
    from chalicelib.settlement.cap_sums import sums
    from chalicelib.settlement.rules import EarnedLine

    amount = ORDERS * COMMISSION
    delivered_on = (date.fromisoformat(day) - timedelta(days=7)).isoformat()
    line = EarnedLine("", "", "commission", "sales", 10 * amount, 1000, amount, day)
    capped = replace(line, day_cap=DAY_CAP, delivered_on=delivered_on, rule="default")
    for n in range(leaders):
        write(settlement.change_maturing(leader_id(n), day, "EUR", caps=sums([capped])))


def put_all(rows: Iterable[Any]) -> None:
    """By batches, several at a time."""
    from chalicelib.platform.table import connection

    client = connection().client

    def send(batch: Sequence[Any]) -> None:
        requests: dict[str, list[Any]] = {}
        for row in batch:
            put = {"PutRequest": {"Item": row.serialize()}}
            requests.setdefault(row.Meta.table_name, []).append(put)
        left = client.batch_write_item(RequestItems=requests)["UnprocessedItems"]
        if left:
            raise RuntimeError("the local cloud did not take all of a batch")

    every = list(rows)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(send, (every[n : n + BATCH] for n in range(0, len(every), BATCH))))


def settle(day: str, leaders: int) -> Night:
    """The run of a day, from its start to its end."""
    from chalicelib.settlement import run_store, runs

    with handed_on() as work:
        wall, processor = time.perf_counter(), time.process_time()
        runs.start(day)
        work()
        night = Night(leaders, time.perf_counter() - wall, time.process_time() - processor)
    run = run_store.get_run(f"run_{day}")
    if run is None or (run.status, run.leaders_settled) != ("completed", leaders):
        raise RuntimeError(f"the night did not end: {run}")
    if run.totals[0].amount not in (leaders * ORDERS * COMMISSION, leaders * DAY_CAP):
        raise RuntimeError(f"the night came to something else: {run.totals}")
    return night


@contextmanager
def handed_on() -> Iterator[Callable[[], None]]:
    """Messages go from worker to worker, by ten as from SQS; each of the listing's goes first."""
    from chalicelib.platform import queues
    from chalicelib.settlement.workers import settlement_list, settlement_settle

    listing: deque[Any] = deque()
    settling: deque[Any] = deque()

    def send(queue: str, messages: Sequence[Any], **_: Any) -> None:
        if queue in (queues.SETTLEMENT_LIST, queues.SETTLEMENT_SETTLE):
            (listing if queue == queues.SETTLEMENT_LIST else settling).extend(messages)

    def work() -> None:
        while listing or settling:
            worker: Any = settlement_list if listing else settlement_settle
            waiting, at_most = (listing, 1) if listing else (settling, 10)
            taken = [waiting.popleft() for _ in range(min(at_most, len(waiting)))]
            answer: Any = worker(sqs_event(*taken), CONTEXT)
            if answer["batchItemFailures"]:
                raise RuntimeError(f"a worker failed: {answer}")

    with mock.patch.object(queues, "send", send):
        yield work


@contextmanager
def bytes_logged() -> Iterator[list[int]]:
    """The sizes of the lines that are logged meanwhile."""
    logger, sizes = logging.getLogger("tuan"), list[int]()

    class Counting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            sizes.append(len(self.format(record).encode()) + len("\n"))

    counting = Counting()
    counting.setFormatter(logger.handlers[0].formatter)
    logger.addHandler(counting)
    try:
        yield sizes
    finally:
        logger.removeHandler(counting)


def read_units(calls: Iterable[Call]) -> float:
    """Of strongly consistent reads, which the local cloud counts half."""
    reads = ("GetItem", "Query", "BatchGetItem")
    return sum(
        float(consumed["CapacityUnits"]) * 2
        for call in calls
        if call.operation in reads
        for consumed in call.consumed
    )


def units_on_run(run_id: str) -> float:
    """Write units on the run's own partition: each page is put in a transaction, and closed."""
    from chalicelib.platform import store
    from chalicelib.settlement.run_store import PAGE, PageRow

    pages = store.query(PageRow, run_id, where=PageRow.sk.startswith(PAGE))
    return sum(3 * units_of(page.serialize()) for page in pages)


def units_of(item: Mapping[str, Any]) -> int:
    return math.ceil(size_of(item) / KIB)


if __name__ == "__main__":
    tell(measure)
