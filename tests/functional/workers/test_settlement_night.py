"""A night's run over several pages of leaders: once, whatever comes twice, late, or not at all."""

from typing import Any

import pytest

from chalicelib.settlement import listing, settling
from tests.functional.conftest import new_world
from tests.functional.workers.conftest import StillClock
from tests.support.communities import (
    balance,
    communities,
    deliver,
    delivered,
    read_run,
    settle,
    start_run,
    statement,
    statements,
)
from tests.support.events import sqs_event
from tests.support.invariants import findings
from tests.support.lambdas import handle, invoke, invoke_killed, work_badly
from tests.support.snapshot import snapshot
from tests.support.world import Issuer, Sale, World

DAY = "2026-03-17"
UNITS = (1, 2, 3, 4, 5, 6, 7)


@pytest.fixture(autouse=True)
def pages_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LEADERS_A_PAGE", 3)


def test_every_leader_of_every_page_is_settled(world: World, time: StillClock) -> None:
    sales = matured(world, time)
    run = settle(world, DAY)
    assert (run["leaders_total"], run["leaders_settled"]) == (7, 7)
    assert run["totals"] == [{"currency": "EUR", "amount": 2800}]  # 100 for each of 28 units
    for sale, units in zip(sales, UNITS, strict=True):
        made = statement(world, sale, DAY)
        assert (made["opening_balance"], made["total"], made["closing_balance"]) == (
            0,
            100 * units,
            100 * units,
        )
        assert available(world, sale) == 100 * units
        assert balance(world, sale)["pending"] == 0
    assert findings() == []


@pytest.mark.parametrize("leaders", [0, 1, 3, 4])
def test_a_run_ends_however_its_pages_fill(world: World, time: StillClock, leaders: int) -> None:
    matured(world, time, units=(1,) * leaders)
    run = settle(world, DAY)
    assert (run["leaders_total"], run["leaders_settled"]) == (leaders, leaders)
    assert sum(total["amount"] for total in run["totals"]) == 100 * leaders


def test_the_night_starts_by_itself_once(world: World, time: StillClock) -> None:
    matured(world, time)
    for _ in range(3):
        invoke("settlement_start")
        world.work()
        time.move_on(hours=1)
    run = read_run(world, DAY)
    assert (run["status"], run["leaders_settled"]) == ("completed", 7)
    assert len(world.operator.get("/v1/settlement-runs").json["items"]) == 1


def test_the_day_before_is_the_platforms_own(issuer: Issuer, time: StillClock) -> None:
    with new_world(issuer, TIMEZONE="Europe/Berlin") as world:
        time.move_to("2026-03-10T23:30:00.000Z")  # in Berlin it is the 11th
        sales = communities(world, 1)
        deliver(world, sales, [1])
        for evening, day in (("17", "2026-03-17"), ("18", "2026-03-18")):
            time.move_to(f"2026-03-{evening}T23:15:00.000Z")
            invoke("settlement_start")
            world.work()
            assert read_run(world, day)["status"] == "completed"
        assert [made["business_date"] for made in statements(world, sales[0])] == ["2026-03-18"]
        (line,) = statement(world, sales[0], "2026-03-18")["lines"]
        assert line["matured_on"] == "2026-03-18"


def test_leaders_without_commission_are_settled_without_a_statement(
    world: World, time: StillClock
) -> None:
    sales = matured(world, time, units=(0, 2, 0, 0, 1))
    run = settle(world, DAY)
    assert (run["leaders_total"], run["leaders_settled"]) == (5, 5)
    assert run["totals"] == [{"currency": "EUR", "amount": 300}]
    assert [len(statements(world, sale)) for sale in sales] == [0, 1, 0, 0, 1]


def test_the_end_of_a_run_is_told_once(world: World, time: StillClock) -> None:
    body = {"url": "http://127.0.0.1:9/hook", "event_types": ["settlement.completed"]}
    assert world.operator.post("/v1/webhook-endpoints", body).status == 201
    matured(world, time)
    start_run(world, DAY)
    work_badly(world, seed=7)
    (delivery,) = world.operator.get("/v1/webhook-deliveries").json["items"]
    assert delivery["subject"] == f"run_{DAY}"


@pytest.mark.parametrize("seed", [1, 2])
def test_messages_that_come_twice_and_in_no_order_settle_the_same(
    world: World, time: StillClock, seed: int
) -> None:
    sales = matured(world, time)
    start_run(world, DAY)
    work_badly(world, seed)
    assert_settled(world, sales)


def test_a_message_behind_the_end_of_its_run_changes_nothing(
    world: World, time: StillClock
) -> None:
    sales = matured(world, time)
    start_run(world, DAY)
    listing = world.messages("SETTLEMENT_LIST")
    handle("settlement_list", *listing)
    world.work()
    before = snapshot(world.environment)
    assert handle("settlement_list", *listing) == []
    assert handle("settlement_settle", *to_settle(sales)) == []
    assert snapshot(world.environment) == before


def test_only_the_leader_who_fails_goes_back(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales = matured(world, time, units=(1, 2, 3))
    start_run(world, DAY)
    handle("settlement_list", *world.messages("SETTLEMENT_LIST"))
    messages = world.messages("SETTLEMENT_SETTLE")
    poison(monkeypatch, sales[1])
    given_back = handle("settlement_settle", *messages)
    assert [each["data"]["leader_id"] for each in given_back] == [sales[1].leader_id]
    assert [available(world, sale) for sale in sales] == [100, 0, 300]
    assert read_run(world, DAY)["status"] == "running"


@pytest.mark.parametrize("lost", range(3))
def test_a_lost_message_of_the_listing_is_sent_again(
    world: World, time: StillClock, lost: int
) -> None:
    """The first, which begins the listing, or one of those that ask for the pages behind it."""
    sales = matured(world, time)
    start_run(world, DAY)
    for _ in range(lost):
        assert handle("settlement_list", *world.messages("SETTLEMENT_LIST")) == []
    assert len(world.messages("SETTLEMENT_LIST")) == 1
    world.work()
    assert read_run(world, DAY)["status"] == "running"
    watched_until_completed(world, time)
    assert_settled(world, sales)


def test_a_lost_leader_is_sent_again_and_nobody_else(world: World, time: StillClock) -> None:
    sales = matured(world, time)
    start_run(world, DAY)
    lose(world, sales[4])
    time.move_on(minutes=4, seconds=59)
    invoke("settlement_watch")
    assert world.messages("SETTLEMENT_SETTLE") == []
    time.move_on(seconds=1)
    invoke("settlement_watch")
    (again,) = world.messages("SETTLEMENT_SETTLE")
    assert again["data"] == {"page": 1, "leader_id": sales[4].leader_id}
    assert handle("settlement_settle", again) == []
    assert_settled(world, sales)


def test_leaders_lost_on_several_pages_are_all_made_up_for(world: World, time: StillClock) -> None:
    sales = matured(world, time)
    start_run(world, DAY)
    lose(world, sales[0], sales[3], sales[5], sales[6])
    watched_until_completed(world, time)
    assert_settled(world, sales)


def test_every_message_may_be_lost_at_first(world: World, time: StillClock) -> None:
    sales = matured(world, time)
    start_run(world, DAY)
    world.messages("SETTLEMENT_LIST")
    for _ in range(3):
        time.move_on(minutes=5)
        invoke("settlement_watch")
        handle("settlement_list", *world.messages("SETTLEMENT_LIST"))
        world.messages("SETTLEMENT_SETTLE")
        world.messages("SETTLEMENT_LIST")
    watched_until_completed(world, time)
    assert_settled(world, sales)


@pytest.mark.parametrize("leaders", [0, 3, 7])
def test_a_listing_that_died_on_its_last_page_comes_to_its_end(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch, leaders: int
) -> None:
    """The last page is written, but nothing says yet that the listing is done."""
    sales = matured(world, time, units=UNITS[:leaders])
    start_run(world, DAY)
    with monkeypatch.context() as patch:
        patch.setattr(listing, "_mark_listed", lambda _: crash())
        while messages := world.messages("SETTLEMENT_LIST"):
            handle("settlement_list", *messages)
    world.work()
    watched_until_completed(world, time)
    run = read_run(world, DAY)
    assert (run["leaders_total"], run["leaders_settled"]) == (leaders, leaders)
    assert sum(total["amount"] for total in run["totals"]) == 100 * sum(UNITS[:leaders])
    if sales:
        assert_settled(world, sales)


def test_a_page_behind_the_last_is_never_listed(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last page's message comes again while the watch has asked the listing to go on."""
    sales = matured(world, time, units=UNITS[:3])
    start_run(world, DAY)
    (first,) = world.messages("SETTLEMENT_LIST")
    with monkeypatch.context() as patch:
        patch.setattr(listing, "_mark_listed", lambda _: crash())
        assert handle("settlement_list", first) == [first]
        world.messages("SETTLEMENT_SETTLE")
        time.move_on(minutes=5)
        invoke("settlement_watch")
        handle("settlement_list", *world.messages("SETTLEMENT_LIST"))
    assert handle("settlement_settle", *world.messages("SETTLEMENT_SETTLE")) == []
    assert handle("settlement_list", first) == []
    world.work()
    assert_settled(world, sales)


@pytest.mark.parametrize("function", ["settlement_list", "settlement_settle"])
def test_a_run_may_be_killed_behind_any_call(world: World, time: StillClock, function: str) -> None:
    sales = matured(world, time, units=(1, 2, 3, 4))
    start_run(world, DAY)
    kills = 0
    while messages := [
        (worker, message)
        for worker, queue in (
            ("settlement_list", "SETTLEMENT_LIST"),
            ("settlement_settle", "SETTLEMENT_SETTLE"),
        )
        for message in world.messages(queue)
    ]:
        for worker, message in messages:
            after = 1
            while worker == function and invoke_killed(worker, sqs_event(message), after):
                kills, after = kills + 1, after + 1
            assert handle(worker, message) == []
    assert kills > 10
    time.move_on(minutes=1)
    invoke("outbox_sweep")
    assert_settled(world, sales)


def test_a_leader_registered_while_the_run_lists_harms_nothing(
    world: World, time: StillClock
) -> None:
    sales = matured(world, time)
    start_run(world, DAY)
    handle("settlement_list", *world.messages("SETTLEMENT_LIST"))
    world.add_leader()
    world.work()
    run = read_run(world, DAY)
    assert (run["status"], run["leaders_settled"]) == ("completed", 8)
    assert [available(world, sale) for sale in sales] == [100 * units for units in UNITS]


def test_the_same_date_again_is_the_same_run(world: World, time: StillClock) -> None:
    sales = matured(world, time)
    first = world.operator.post("/v1/settlement-runs", {"business_date": DAY})
    again = world.operator.post("/v1/settlement-runs", {"business_date": DAY})
    assert (first.status, again.status) == (202, 200)
    assert first.json["id"] == again.json["id"] == f"run_{DAY}"
    world.work()
    done = read_run(world, DAY)
    before = settled_part(world)
    once_more = world.operator.post("/v1/settlement-runs", {"business_date": DAY})
    assert (once_more.status, once_more.json) == (200, done)
    world.work()
    assert settled_part(world) == before
    assert_settled(world, sales)


def test_a_run_waits_for_that_of_another_date(world: World, time: StillClock) -> None:
    matured(world, time)
    start_run(world, DAY)
    refused = world.operator.post("/v1/settlement-runs", {"business_date": "2026-03-16"})
    assert (refused.status, refused.code) == (409, "settlement_run_in_progress")
    time.move_on(days=1)
    invoke("settlement_start")  # the next night comes while the run is still under way
    world.work()
    invoke("settlement_start")
    world.work()
    assert read_run(world, "2026-03-18")["status"] == "completed"


def test_watching_a_run_that_needs_nothing_changes_nothing(world: World, time: StillClock) -> None:
    matured(world, time)
    settle(world, DAY)
    before = snapshot(world.environment)
    time.move_on(hours=1)
    invoke("settlement_watch")
    assert snapshot(world.environment) == before


def matured(world: World, time: StillClock, units: tuple[int, ...] = UNITS) -> list[Sale]:
    """Leaders with 100 of commission a unit that matured on the 17th; it is the 18th now."""
    sales = delivered(world, units)
    time.move_to("2026-03-18T00:15:00.000Z")
    return sales


def available(world: World, sale: Sale) -> int:
    return int(balance(world, sale)["available"])


def assert_settled(world: World, sales: list[Sale]) -> None:
    """The run has come to just what it comes to when nothing goes wrong."""
    units = UNITS[: len(sales)]
    run = read_run(world, DAY)
    assert (run["status"], run["leaders_total"], run["leaders_settled"]) == (
        "completed",
        len(sales),
        len(sales),
    )
    assert run["totals"] == [{"currency": "EUR", "amount": 100 * sum(units)}]
    assert [available(world, sale) for sale in sales] == [100 * n for n in units]
    assert [statement(world, sale, DAY)["total"] for sale in sales] == [100 * n for n in units]
    assert findings() == []


def watched_until_completed(world: World, time: StillClock) -> None:
    for _ in range(12):
        if read_run(world, DAY)["status"] == "completed":
            return
        time.move_on(minutes=5)
        invoke("settlement_watch")
        world.work()
    raise AssertionError(read_run(world, DAY))


def lose(world: World, *sales: Sale) -> None:
    """Let the run go on as far as it can without some leaders' messages."""
    lost = {sale.leader_id for sale in sales}
    while True:
        listing = world.messages("SETTLEMENT_LIST")
        if listing:
            assert handle("settlement_list", *listing) == []
        messages = world.messages("SETTLEMENT_SETTLE")
        if not (listing or messages):
            return
        kept = [each for each in messages if each["data"]["leader_id"] not in lost]
        assert handle("settlement_settle", *kept) == []


def to_settle(sales: list[Sale]) -> list[Any]:
    return [
        {"subject": f"run_{DAY}", "data": {"page": n // 3, "leader_id": sale.leader_id}}
        for n, sale in enumerate(sales)
    ]


def poison(monkeypatch: pytest.MonkeyPatch, sale: Sale) -> None:
    settle_one = settling._settle

    def settle_or_fail(run: Any, page: int, earnings: Any, *rest: Any) -> None:
        if earnings.leader_id == sale.leader_id:
            crash()
        settle_one(run, page, earnings, *rest)

    monkeypatch.setattr(settling, "_settle", settle_or_fail)


def crash() -> None:
    raise RuntimeError("crash")


def settled_part(world: World) -> dict[str, Any]:
    """What a run writes; starting it again leaves the answer to its key besides."""
    whole = snapshot(world.environment)
    return {name: whole[name] for name in ("SETTLEMENT_TABLE", "LEDGER_TABLE", "OUTBOX_TABLE")}
