"""Settling a leader costs the same for ten order lines as for a thousand."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from botocore.client import BaseClient

from chalicelib.kernel import clock
from chalicelib.ledger import rules as books
from chalicelib.ledger import store as ledger
from chalicelib.platform.transaction import create, write
from chalicelib.settlement import earning, run_store, runs, watching
from chalicelib.settlement.rules import EarnedLine, Run
from chalicelib.settlement.run_store import RunRow
from tests.functional.workers.conftest import StillClock
from tests.support.communities import balance, start_run, statement
from tests.support.lambdas import handle
from tests.support.world import Sale, World

DAY = "2026-03-17"
LINES_A_DELIVERY = 10
# The watch looks for the first open page once, and who reads the run's progress twice.
LOOKS = 3


def test_a_thousand_lines_are_settled_with_the_calls_of_ten(world: World, time: StillClock) -> None:
    few, many = leader(world), leader(world)
    earn(few, deliveries=1)
    earn(many, deliveries=100)
    time.move_on(days=8)
    list_all(world)
    of_few, of_many = settled(few), settled(many)
    assert of_many == of_few
    assert of_few["TransactWriteItems"] == 1
    for sale, lines in ((few, 10), (many, 1_000)):
        made = statement(world, sale, DAY)
        assert (len(made["lines"]), made["total"]) == (lines, 7 * lines)
        assert balance(world, sale)["available"] == 7 * lines


@pytest.mark.parametrize("days", [1, 2, 5])
def test_more_days_are_no_more_calls(world: World, time: StillClock, days: int) -> None:
    one, several = leader(world), leader(world)
    earn(one, deliveries=1)
    for day in range(days):
        earn(several, deliveries=2, matured_days_ago=day)
    time.move_on(days=8)
    list_all(world)
    assert settled(several) == settled(one)
    assert statement(world, several, DAY)["total"] == 7 * LINES_A_DELIVERY * 2 * days


def test_a_thousand_capped_lines_are_settled_with_the_calls_of_ten(
    world: World, time: StillClock
) -> None:
    """A run knows what a capped day comes to, and reads what earlier runs have taken of it."""
    free, few, many = leader(world), leader(world), leader(world)
    earn(free, deliveries=1)
    earn(few, deliveries=1, day_cap=50)
    earn(many, deliveries=100, day_cap=50)
    time.move_on(days=8)
    list_all(world)
    of_free, of_few, of_many = settled(free), settled(few), settled(many)
    assert of_many == of_few
    assert of_few - of_free == Counter({"BatchGetItem": 1, "TransactWriteItems Put": 1})
    for sale in (few, many):
        assert statement(world, sale, DAY)["total"] == balance(world, sale)["available"] == 50


def test_a_leader_behind_by_very_many_capped_days_is_settled_at_once(
    world: World, time: StillClock
) -> None:
    """A transaction has room for a hundred writes."""
    sale, days = leader(world), 120
    for day in range(days):
        earn(sale, deliveries=1, matured_days_ago=day, day_cap=50)
    time.move_on(days=8)
    list_all(world)
    assert settled(sale)["TransactWriteItems"] == 1
    made = statement(world, sale, DAY)
    assert [line["amount"] for line in made["lines"] if line["kind"] == "cap"] == [-20] * days
    assert made["total"] == balance(world, sale)["available"] == 50 * days


def test_eight_times_as_many_pages_cost_the_watch_and_a_reader_three_reads_more_each(
    world: World, time: StillClock
) -> None:
    """The first open page is found by halving, wherever it is."""
    few, many = looks_at(world, pages=8), looks_at(world, pages=64)
    assert (many["Query"], many["TransactWriteItems"]) == (few["Query"], few["TransactWriteItems"])
    assert many["GetItem"] - few["GetItem"] <= 3 * LOOKS


def looks_at(world: World, pages: int) -> Counter[str]:
    """The calls of the watch, and of a reader, about a run of so many pages, all but one closed."""
    run_id = f"run_2025-01-{pages:02}"
    run = Run(run_id, "2025-01-01", "running", 0, 0, (), clock.now(), None, False, 1)
    write(create(RunRow.of(run)), run_store.begin(run, ValueError("another run")))
    for number in range(pages):
        row = run_store.add_page(
            run_id, number, [f"ldr_{number}"], listed=number + 1, is_last=False
        )
        write(row)
        page = run_store.get_page(run_id, number)
        if page and number < pages - 1:
            run_store.close_page(page, number + 1, 0, [])
    with counted() as calls:
        watching.watch(clock.now())
        runs.progress_of(run)
    write(run_store.end(run))
    return calls


def leader(world: World) -> Sale:
    return Sale("", world.add_leader(), "", "", [])


def earn(
    sale: Sale, deliveries: int, matured_days_ago: int = 0, day_cap: int | None = None
) -> None:
    """Write what deliveries of ten lines with a commission of 7 each write for a leader."""
    matures = (clock.now() + timedelta(days=7 - matured_days_ago)).date()
    day, delivered_on = str(matures), str(matures - timedelta(days=7)) if day_cap else ""
    for n in range(deliveries):
        source = f"dsp_{sale.leader_id}_{day}_{n:04d}"
        lines = [
            replace(
                EarnedLine(f"ord_{n}", f"sku_{m}", "commission", "sales", 70, 1000, 7, day),
                day_cap=day_cap,
                delivered_on=delivered_on,
            )
            for m in range(LINES_A_DELIVERY)
        ]
        amount = 7 * LINES_A_DELIVERY
        pending = books.leader_account(sale.leader_id, "pending")
        amounts = {books.CUSTOMER_PREPAYMENTS: amount, pending: -amount}
        write(
            *ledger.post(books.entry(f"test:{source}", "EUR", source, clock.now(), amounts)),
            *earning.earn(sale.leader_id, "EUR", day, {source: lines}),
        )


def list_all(world: World) -> None:
    """Begin the run, with one leader more, who is never settled: closing a page is no leader's."""
    world.add_leader()
    start_run(world, DAY)
    assert handle("settlement_list", *world.messages("SETTLEMENT_LIST")) == []


def settled(sale: Sale) -> Counter[str]:
    """The calls that settling a leader makes, and the items that it writes."""
    message = {"subject": f"run_{DAY}", "data": {"page": 0, "leader_id": sale.leader_id}}
    with counted() as calls:
        assert handle("settlement_settle", message) == []
    return calls


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Counts calls by their operation, and the items of each kind in transactions."""
    calls = Counter[str]()
    make = BaseClient._make_api_call

    def made(client: BaseClient, operation: str, parameters: dict[str, Any]) -> Any:
        calls[operation] += 1
        for item in parameters.get("TransactItems", []):
            calls[f"{operation} {next(iter(item))}"] += 1
        return make(client, operation, parameters)

    with mock.patch.object(BaseClient, "_make_api_call", made):
        yield calls
