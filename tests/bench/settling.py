"""Settling a leader: its write units, whether ten order lines have matured or a thousand."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from tests.bench.caller import CONTEXT
from tests.bench.figures import Figure, explained
from tests.bench.placing import named
from tests.bench.process import Say, tell
from tests.bench.watched import watched, write_units
from tests.support.events import sqs_event

GROUP = "Settling a leader"
MOST_UNITS, MORE_A_DAY, MORE_CAPPED = 16, 2, 4
LINES_A_DISPATCH = 2
COMMISSION = 137


@dataclass(frozen=True)
class Case:
    """A leader with that many matured lines, spread evenly over some days."""

    leader_id: str
    lines: int
    days: int
    day_cap: int | None = None

    @property
    def what(self) -> str:
        days = "1 day" if self.days == 1 else f"{self.days} days"
        capped = "" if self.day_cap is None else "capped "
        return f"write units, {self.lines:,} {capped}lines of {days}"

    @property
    def target(self) -> int:
        capped = 0 if self.day_cap is None else MORE_CAPPED
        return MOST_UNITS + MORE_A_DAY * (self.days - 1) + capped

    @property
    def total(self) -> int:
        return self.lines * COMMISSION if self.day_cap is None else self.day_cap


CASES = (
    Case("ldr_bench_ten", 10, 1),
    Case("ldr_bench_thousand", 1_000, 1),
    Case("ldr_bench_days", 12, 3),
    Case("ldr_bench_capped", 1_000, 1, day_cap=50_000),
)
# Keeps the page from closing: what a page costs is not a leader's.
NEVER_SETTLED = "ldr_bench_never"


def measure(say: Say) -> list[Figure]:
    from chalicelib.kernel import clock

    last_day = clock.now().date() - timedelta(days=1)
    for case in CASES:
        earn(case, last_day, say)
    run_id = start_run(last_day.isoformat())
    figures: list[Figure] = []
    for case in CASES:
        say(f"settling a leader: {case.what}")
        units = settle(case, run_id)
        figures.append(Figure(GROUP, case.what, sum(units.values()), case.target))
        figures += explained(GROUP, units) if case.days == 1 and case.day_cap is None else []
    return figures


def earn(case: Case, last_day: Any, say: Say) -> None:
    """Write what deliveries write: the commission that matures, and its journal entry."""
    from chalicelib.kernel import clock
    from chalicelib.ledger import rules as books
    from chalicelib.ledger import store as ledger
    from chalicelib.platform.transaction import Transaction
    from chalicelib.settlement import earning
    from chalicelib.settlement.rules import EarnedLine

    for n in range(0, case.lines, LINES_A_DISPATCH):
        if n % 250 == 0:
            say(f"settling a leader: delivery of line {n} of {case.lines}")
        day = (last_day - timedelta(days=n // LINES_A_DISPATCH % case.days)).isoformat()
        dispatch_id = f"dsp_{case.leader_id}_{n:06d}"
        lines = [
            replace(
                EarnedLine(
                    f"ord_{n}", f"sku_{m}", "commission", "sales", 1370, 1000, COMMISSION, day
                ),
                day_cap=case.day_cap,
                delivered_on="" if case.day_cap is None else day,
            )
            for m in range(LINES_A_DISPATCH)
        ]
        amount = COMMISSION * LINES_A_DISPATCH
        delivered = books.entry(
            f"delivered:{dispatch_id}",
            "EUR",
            dispatch_id,
            clock.now(),
            {
                books.CUSTOMER_PREPAYMENTS: amount,
                books.leader_account(case.leader_id, "pending"): -amount,
            },
        )
        transaction = Transaction()
        transaction.add(
            *earning.earn(case.leader_id, "EUR", day, {dispatch_id: lines}),
            *ledger.post(delivered),
        )
        transaction.commit()


def start_run(business_date: str) -> str:
    """A run that is under way with its one page listed; no message of it is sent to anyone."""
    from chalicelib.kernel import clock
    from chalicelib.platform.transaction import create, write
    from chalicelib.settlement import rules, run_store
    from chalicelib.settlement.rules import Run
    from chalicelib.settlement.run_store import RunRow

    leader_ids = [*(case.leader_id for case in CASES), NEVER_SETTLED]
    run = Run(
        id=rules.run_id(business_date),
        business_date=business_date,
        status="running",
        leaders_total=len(leader_ids),
        leaders_settled=0,
        totals=(),
        started_at=clock.now(),
        completed_at=None,
        listed=True,
        version=1,
    )
    write(
        create(RunRow.of(run)),
        run_store.add_page(run.id, 0, leader_ids, listed=len(leader_ids), is_last=True),
    )
    return run.id


def settle(case: Case, run_id: str) -> dict[str, float]:
    """Write units by table of the worker that settles this leader."""
    from chalicelib.settlement import store as settlement
    from chalicelib.settlement.workers import settlement_settle

    message = {"subject": run_id, "data": {"page": 0, "leader_id": case.leader_id}}
    with watched() as calls:
        answer: Any = settlement_settle(sqs_event(message), CONTEXT)
    made = settlement.get_statement(case.leader_id, run_id)
    if answer["batchItemFailures"] or made is None or made.total != case.total:
        raise RuntimeError(f"{case.leader_id} was not settled: {answer}, {made}")
    return named(write_units(calls))


if __name__ == "__main__":
    tell(measure)
