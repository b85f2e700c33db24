"""What reading the books costs goes by what was posted, not by how many days are asked for."""

from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any
from unittest import mock

import pytest

from chalicelib.kernel import clock, ids
from chalicelib.ledger import income, journal, posted_store
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.ledger.store import BOOK_SHARDS
from chalicelib.platform.transaction import write
from tests.functional.workers.conftest import StillClock
from tests.support.aws_calls import Send, around_each_call
from tests.support.granted import running_as
from tests.support.lambdas import invoke
from tests.support.world import Json, World

YEAR = "from=2026-01-01&to=2026-12-31"
INCOME, JOURNAL = f"/v1/ledger/income?{YEAR}", f"/v1/ledger/journal?{YEAR}"
# What an answer asks of the store beside the shards of days: credentials, pointers, what is kept.
BESIDE = 12


def earn(amount: int) -> None:
    made = books.entry(
        f"annual_fee:{ids.new('sup')}:2026-01-01",
        "EUR",
        "sup_1",
        clock.now(),
        {books.PLATFORM_REVENUE: -amount, "cash:bank": amount},
    )
    with running_as(None):
        write(*ledger.post(made))


def a_year(time: StillClock) -> None:
    """Four entries far apart, and a fold every month."""
    for amount in (1, 20, 300, 4000):
        earn(amount)
        for _ in range(2):
            time.move_on(days=30)
            invoke("ledger_fold")


def asked(read: Callable[[], Any]) -> tuple[Any, Counter[str]]:
    made = Counter[str]()

    def noted(operation: str, send: Send) -> Any:
        made[operation] += 1
        return send()

    with around_each_call(noted):
        return read(), made


def balances_of(world: World, day: str) -> Any:
    return world.operator.get(f"/v1/ledger/trial-balance?as_of={day}").json


def balances(answer: Json) -> list[int]:
    return [each["balance"] for each in answer["kinds"]]


def test_a_year_of_few_entries_costs_the_days_of_those(world: World, time: StillClock) -> None:
    a_year(time)
    first, calls = asked(lambda: world.operator.get(INCOME).json)
    assert balances(first) == [-4321]
    days_read = 4 + 1  # today's is still to come
    assert calls["Query"] <= days_read * BOOK_SHARDS + BESIDE
    assert calls["PutItem"] == 4
    again, calls = asked(lambda: world.operator.get(INCOME).json)
    assert again["kinds"] == first["kinds"]
    assert calls["Query"] <= BOOK_SHARDS + BESIDE
    assert calls["PutItem"] == 0


def test_a_year_before_the_first_fold_costs_one_look_at_the_table(
    world: World, time: StillClock
) -> None:
    earn(5)
    time.move_on(days=40)
    earn(70)
    answer, calls = asked(lambda: world.operator.get(INCOME).json)
    assert balances(answer) == [-75]
    assert calls["Query"] <= 2 * BOOK_SHARDS + BESIDE
    answer, calls = asked(lambda: world.operator.get(JOURNAL).json)
    assert len(answer["items"]) == 2
    assert calls["Query"] <= 2 * BOOK_SHARDS + BESIDE


def test_the_journal_of_a_year_costs_the_days_of_its_entries(
    world: World, time: StillClock
) -> None:
    a_year(time)
    answer, calls = asked(lambda: world.operator.get(f"{JOURNAL}&limit=100").json)
    assert [each["postings"][1]["amount"] for each in answer["items"]] == [1, 20, 300, 4000]
    assert calls["Query"] <= (4 + 1) * BOOK_SHARDS + BESIDE


def test_balances_of_a_day_before_the_first_fold_cost_the_days_of_its_entries(
    world: World, time: StillClock
) -> None:
    earn(5)
    time.move_on(days=20)
    a_year(time)
    for day, due in (("2026-03-09", []), ("2026-03-10", [5]), ("2026-03-28", [5])):
        answer, calls = asked(partial(balances_of, world, day))
        assert [each["debits"] for each in answer["currencies"]] == due
        assert calls["Query"] <= BOOK_SHARDS + BESIDE
        assert calls["Scan"] == 0


def test_an_empty_day_is_not_read_where_the_platform_is_ahead_of_utc(
    world: World, time: StillClock
) -> None:
    with mock.patch.dict("os.environ", TIMEZONE="Asia/Shanghai"):
        time.move_to("2026-03-10T16:30:00.000Z")  # the 11th there
        earn(5)
        for _ in range(10):
            time.move_on(days=1)
            invoke("ledger_fold")
        for day, due in (("10", []), ("11", [-5]), ("12", [])):
            query = f"from=2026-03-{day}&to=2026-03-{day}"
            assert balances(world.operator.get(f"/v1/ledger/income?{query}").json) == due
        answer = world.operator.get("/v1/ledger/income?from=2026-03-01&to=2026-03-31").json
        assert balances(answer) == [-5]


def test_days_are_known_once_the_fold_says_so_and_read_behind_it(
    world: World, time: StillClock
) -> None:
    """A worker that dies before its step is kept has promised nothing."""
    earn(5)
    time.move_on(hours=1)
    invoke("ledger_fold")
    time.move_on(days=5)
    earn(70)
    time.move_on(days=5)
    assert ledger.days_with_entries(date(2026, 3, 1), date(2026, 3, 20)) == [
        date(2026, 3, day) for day in range(10, 21)
    ]
    with (
        mock.patch.object(posted_store, "keep_posted", side_effect=RuntimeError("crash")),
        pytest.raises(RuntimeError, match="crash"),
    ):
        invoke("ledger_fold")
    assert balances(world.operator.get(INCOME).json) == [-75]
    invoke("ledger_fold")
    assert ledger.days_with_entries(date(2026, 3, 1), date(2026, 3, 20))[:2] == [
        date(2026, 3, 10),
        date(2026, 3, 15),
    ]
    assert balances(world.operator.get(INCOME).json) == [-75]


def test_a_report_that_takes_too_long_is_busy_and_goes_on_the_next_time(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_year(time)
    seconds = iter(range(1000))
    monkeypatch.setattr(income, "monotonic", lambda: next(seconds))
    monkeypatch.setattr(income, "SECONDS_A_REPORT", 2)
    for _ in range(2):
        answer = world.operator.get(INCOME)
        assert (answer.status, answer.json["code"]) == (503, "busy")
        assert answer.headers["retry-after"]
    assert "before 2026-11-05 is added up" in answer.json["detail"]
    assert balances(world.operator.get(INCOME).json) == [-4321]


def test_a_journal_of_many_days_goes_on_behind_some(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "DAYS_A_PAGE", 3)
    for amount in range(1, 9):
        earn(amount)
        time.move_on(days=1)
    invoke("ledger_fold")
    found, cursor, pages = list[int](), "", 0
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        answer = world.operator.get(f"{JOURNAL}&limit=100&account=cash:bank{more}").json
        found += [each["postings"][1]["amount"] for each in answer["items"]]
        cursor, pages = answer["next_cursor"], pages + 1
    assert (found, pages) == (list(range(1, 9)), 3)
