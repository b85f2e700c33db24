"""A leader who cannot be settled: the run goes on without, a person is called, and the leader is
settled later, just as the run would have."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from chalicelib.kernel.errors import Busy
from chalicelib.settlement import listing, setting_aside, settling
from tests.functional.workers.conftest import StillClock
from tests.support import payouts
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
from tests.support.invariants import findings
from tests.support.lambdas import handle, invoke
from tests.support.snapshot import snapshot
from tests.support.world import Sale, World

DAY, NEXT, AFTER_NEXT = "2026-03-17", "2026-03-18", "2026-03-19"


@pytest.fixture(autouse=True)
def pages_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LEADERS_A_PAGE", 3)


def test_a_run_goes_on_without_a_leader_who_cannot_be_settled(
    world: World, time: StillClock
) -> None:
    sales = matured(world, time)
    run_without(world, time, sales[1])
    run = read_run(world, DAY)
    assert (run["status"], run["leaders_total"], run["percent"]) == ("completed", 4, 100)
    assert (run["leaders_settled"], run["leaders_set_aside"], run["leaders_left"]) == (3, 1, 0)
    assert run["totals"] == [{"currency": "EUR", "amount": 800}]
    assert [balance(world, sale)["available"] for sale in sales] == [100, 0, 300, 400]
    assert balance(world, sales[1])["pending"] == 200
    assert findings() == []


def test_a_leader_who_is_set_aside_has_a_row_and_a_case_with_the_cause(
    world: World, time: StillClock
) -> None:
    sales = matured(world, time)
    run_without(world, time, sales[1])
    (row,) = leaders(world, DAY, "?status=set_aside")
    assert (row["leader_id"], row["status"]) == (sales[1].leader_id, "set_aside")
    assert (row["failures"], row["amount"]) == (setting_aside.FAILURES_AT_MOST, 0)
    assert row["cause"].startswith("RuntimeError at test_settlement_failing.py:")
    assert "poison" not in row["cause"]  # values may be anything; kinds and places are not
    (case,) = open_cases(world)
    assert (case["kind"], case["subject"]) == ("leader_set_aside", sales[1].leader_id)
    assert row["cause"] in case["detail"]
    listed = [(each["leader_id"], each["status"]) for each in leaders(world, DAY)]
    assert listed == [
        (sale.leader_id, "set_aside" if sale is sales[1] else "settled") for sale in sales
    ]


def test_a_leader_who_only_waits_for_the_store_is_not_set_aside(
    world: World, time: StillClock
) -> None:
    sales = matured(world, time)
    start_run(world, DAY)
    with failing_for(sales[1], Busy("pressed")):
        work_as_far_as_possible(world)
        message = {"subject": f"run_{DAY}", "data": {"page": 0, "leader_id": sales[1].leader_id}}
        for _ in range(setting_aside.FAILURES_AT_MOST + 1):
            assert handle("settlement_settle", message) == [message]
    assert leaders(world, DAY, "?status=set_aside") == []
    assert handle("settlement_settle", message) == []
    assert read_run(world, DAY)["status"] == "completed"
    assert [balance(world, sale)["available"] for sale in sales] == [100, 200, 300, 400]


def test_a_leader_whom_no_worker_ever_answers_for_is_set_aside_in_the_end(
    world: World, time: StillClock
) -> None:
    sales = matured(world, time)
    start_run(world, DAY)
    minutes = 0
    while read_run(world, DAY)["status"] == "running":
        handle("settlement_list", *world.messages("SETTLEMENT_LIST"))
        lose(world, sales[1])
        time.move_on(minutes=5)
        minutes += 5
        invoke("settlement_watch")
    assert 20 <= minutes <= 60  # some tries, with patience between them
    (row,) = leaders(world, DAY, "?status=set_aside")
    assert (row["leader_id"], row["failures"], row["cause"]) == (sales[1].leader_id, 0, None)
    (case,) = open_cases(world)
    assert setting_aside.SILENT in case["detail"]


def test_a_retry_settles_the_leader_as_the_run_would_have(world: World, time: StillClock) -> None:
    sales = matured(world, time)
    undisturbed = as_if_undisturbed(world, sales)
    run_without(world, time, sales[1])
    asked = retry(world, DAY, sales[1])
    assert (asked.status, asked.json["status"]) == (202, "set_aside")
    world.work()
    run = read_run(world, DAY)
    assert (run["leaders_settled"], run["leaders_set_aside"]) == (4, 0)
    assert run["totals"] == [{"currency": "EUR", "amount": 1000}]
    assert [statement(world, sale, DAY) for sale in sales] == undisturbed
    assert [balance(world, sale)["available"] for sale in sales] == [100, 200, 300, 400]
    again = retry(world, DAY, sales[1])
    assert (again.status, again.json["status"], again.json["total"]) == (200, "settled", 200)
    assert leaders(world, DAY, "?status=set_aside") == []
    assert findings() == []


def test_the_next_night_settles_the_leader_for_each_run_it_is_behind(
    world: World, time: StillClock
) -> None:
    sales = matured(world, time)
    undisturbed = as_if_undisturbed(world, sales)
    run_without(world, time, sales[1])
    time.move_on(days=1)
    settle(world, NEXT)
    assert [statement(world, sale, DAY) for sale in sales] == undisturbed
    assert [made["run_id"] for made in statements(world, sales[1])] == [f"run_{DAY}"]
    assert read_run(world, DAY)["totals"] == [{"currency": "EUR", "amount": 1000}]
    run = read_run(world, NEXT)
    assert (run["leaders_settled"], run["leaders_set_aside"], run["totals"]) == (4, 0, [])
    assert findings() == []


@pytest.mark.parametrize(("fails", "paid"), [(False, 500), (True, 300)])
def test_what_is_posted_meanwhile_stands_where_it_would_have_stood(
    world: World, time: StillClock, fails: bool, paid: int
) -> None:
    (sale,) = communities(world, 1)
    (order,) = deliver(world, [sale], [3])
    time.move_on(days=1)
    deliver(world, [sale], [2])
    time.move_to("2026-03-18T00:15:00.000Z")
    settle(world, DAY)
    time.move_to("2026-03-19T00:15:00.000Z")
    if fails:
        run_without(world, time, sale, NEXT)
        world.messages("SETTLEMENT_SETTLE")
    else:
        settle(world, NEXT)
    time.move_to("2026-03-19T10:00:00.000Z")
    (payout,) = payouts.payouts_of(world, payouts.sent(world))
    assert payouts.tell(world, payout, "paid", "B1").status == 200
    unit = {"lines": [{"sku_id": sale.sku_ids[0], "quantity": 1}], "reason": "broken"}
    assert world.operator.post(f"/v1/orders/{order['id']}/refunds", unit).status == 201
    time.move_to("2026-03-20T00:15:00.000Z")
    settle(world, AFTER_NEXT)
    assert [shown(world, sale, day) for day in (DAY, NEXT, AFTER_NEXT)] == [
        (0, [("commission", 300, DAY)], 300),
        (300, [("commission", 200, NEXT)], 500),
        (500, [("payout", -paid, AFTER_NEXT), ("clawback", -100, DAY)], 400 - paid),
    ]
    assert findings() == []


def test_a_leader_who_fails_night_after_night_is_settled_for_all_of_them(
    world: World, time: StillClock
) -> None:
    sales = matured(world, time)
    run_without(world, time, sales[1])
    time.move_on(days=1)
    run_without(world, time, sales[1], NEXT)
    assert [read_run(world, day)["leaders_set_aside"] for day in (DAY, NEXT)] == [1, 1]
    assert retry(world, NEXT, sales[1]).status == 202
    world.work()
    assert [read_run(world, day)["leaders_set_aside"] for day in (DAY, NEXT)] == [0, 0]
    assert [made["run_id"] for made in statements(world, sales[1])] == [f"run_{DAY}"]
    assert balance(world, sales[1])["available"] == 200
    assert findings() == []


def test_a_retry_that_fails_leaves_the_leader_set_aside(world: World, time: StillClock) -> None:
    sales = matured(world, time)
    run_without(world, time, sales[1])
    assert retry(world, DAY, sales[1]).status == 202
    with failing_for(sales[1]):
        (message,) = world.messages("SETTLEMENT_SETTLE")
        assert handle("settlement_settle", message) == [message]
    (row,) = leaders(world, DAY, "?status=set_aside")
    assert row["failures"] == setting_aside.FAILURES_AT_MOST + 1
    assert read_run(world, DAY)["leaders_set_aside"] == 1
    assert handle("settlement_settle", message, message) == []
    assert balance(world, sales[1])["available"] == 200


def test_only_who_was_set_aside_is_retried_and_only_behind_the_run(
    world: World, time: StillClock
) -> None:
    sales = matured(world, time)
    start_run(world, DAY)
    with failing_for(sales[1]):
        set_aside_by_failures(world, sales[1])
    early = retry(world, DAY, sales[1])
    assert (early.status, early.code) == (409, "settlement_run_in_progress")
    world.work()
    assert retry(world, DAY, sales[0]).status == 404
    assert retry(world, "2026-01-01", sales[1]).status == 404


def test_where_very_many_fail_the_run_fails_and_goes_on_when_asked(
    world: World, time: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake of ours must not open a case for each leader of a country."""
    monkeypatch.setattr(setting_aside, "SET_ASIDE_AT_MOST", 1)
    sales = matured(world, time)
    start_run(world, DAY)
    with mock.patch.object(settling, "_settle", side_effect=RuntimeError("broken")):
        while read_run(world, DAY)["status"] == "running":
            work_as_far_as_possible(world)
            time.move_on(minutes=5)
            invoke("settlement_watch")
    assert read_run(world, DAY)["status"] == "failed"
    kinds = sorted(case["kind"] for case in open_cases(world))
    assert kinds == ["leader_set_aside", "settlement_failed"]
    time.move_on(minutes=1)
    again = world.operator.post("/v1/settlement-runs", {"business_date": DAY})
    assert (again.status, again.json["status"]) == (200, "running")
    world.work()
    run = read_run(world, DAY)
    assert (run["status"], run["leaders_settled"], run["leaders_set_aside"]) == ("completed", 3, 1)
    (row,) = leaders(world, DAY, "?status=set_aside")
    (poor,) = [sale for sale in sales if sale.leader_id == row["leader_id"]]
    assert retry(world, DAY, poor).status == 202
    world.work()
    assert [balance(world, sale)["available"] for sale in sales] == [100, 200, 300, 400]
    assert findings() == []


def test_a_failed_run_holds_back_no_other_night(world: World, time: StillClock) -> None:
    sales = matured(world, time)
    lose_the_listing(world, time)
    time.move_on(days=1)
    invoke("settlement_start")
    world.work()
    assert read_run(world, NEXT)["status"] == "completed"
    # What the failed run could not take is taken by the next.
    assert statement(world, sales[1], NEXT)["total"] == 200
    run = settle(world, DAY)
    assert (run["leaders_settled"], run["totals"]) == (4, [])
    assert findings() == []


def test_the_nightly_schedule_does_not_take_up_a_failed_run(world: World, time: StillClock) -> None:
    """A person has been called; the run goes on when that person says so."""
    matured(world, time)
    lose_the_listing(world, time)
    invoke("settlement_start")
    assert read_run(world, DAY)["status"] == "failed"


def test_messages_of_a_failed_run_change_nothing(world: World, time: StillClock) -> None:
    sales = matured(world, time)
    lose_the_listing(world, time)
    before = snapshot(world.environment)
    message = {"subject": f"run_{DAY}", "data": {"page": 0, "leader_id": sales[1].leader_id}}
    assert handle("settlement_settle", message) == []
    assert snapshot(world.environment) == before


def test_a_run_whose_listing_is_lost_again_and_again_gives_up_and_can_go_on(
    world: World, time: StillClock
) -> None:
    sales = matured(world, time)
    lose_the_listing(world, time)
    (case,) = open_cases(world)
    assert (case["kind"], case["subject"]) == ("settlement_failed", f"run_{DAY}")
    run = settle(world, DAY)
    assert (run["status"], run["leaders_settled"]) == ("completed", 4)
    assert [balance(world, sale)["available"] for sale in sales] == [100, 200, 300, 400]
    assert findings() == []


def matured(world: World, time: StillClock) -> list[Sale]:
    """Four leaders, and so two pages, with 100, 200, 300 and 400 to come."""
    sales = delivered(world, (1, 2, 3, 4))
    time.move_to("2026-03-18T00:15:00.000Z")
    return sales


def shown(world: World, sale: Sale, day: str) -> tuple[int, list[Any], int]:
    """What a statement opens at, its lines, and what it closes at."""
    made = statement(world, sale, day)
    lines = [(line["kind"], line["amount"], line["matured_on"]) for line in made["lines"]]
    return made["opening_balance"], lines, made["closing_balance"]


def as_if_undisturbed(world: World, sales: list[Sale]) -> list[Any]:
    """What the statements of an undisturbed night are: a dry run says it."""
    started = world.operator.post("/v1/settlement-runs", {"business_date": DAY, "dry_run": True})
    world.work()
    return [
        {
            "run_id": f"run_{DAY}",
            "business_date": DAY,
            "currency": "EUR",
            "opening_balance": each["opening_balance"],
            "total": each["total"],
            "closing_balance": each["closing_balance"],
            "previous_run_id": None,
            "lines": mock.ANY,
        }
        for each in leaders(world, started.json["business_date"], run_id=started.json["id"])
    ]


def run_without(world: World, time: StillClock, poison: Sale, day: str = DAY) -> None:
    """Run the night with a leader who always fails, to its end."""
    start_run(world, day)
    with failing_for(poison):
        for _ in range(20):
            if read_run(world, day)["status"] != "running":
                return
            work_as_far_as_possible(world)
            time.move_on(minutes=5)
            invoke("settlement_watch")
    raise AssertionError("the run never ends")


def set_aside_by_failures(world: World, sale: Sale) -> None:
    """Without any patience: the message is given to its worker again and again."""
    handle("settlement_list", *world.messages("SETTLEMENT_LIST"))
    messages = world.messages("SETTLEMENT_SETTLE")
    (message,) = [each for each in messages if each["data"]["leader_id"] == sale.leader_id]
    for _ in range(setting_aside.FAILURES_AT_MOST):
        assert handle("settlement_settle", message) == [message]
    handle("settlement_settle", *[each for each in messages if each is not message])


def lose(world: World, sale: Sale) -> None:
    """Settle all whose messages wait, but never this one."""
    messages = world.messages("SETTLEMENT_SETTLE")
    handle("settlement_settle", *[m for m in messages if m["data"]["leader_id"] != sale.leader_id])


def lose_the_listing(world: World, time: StillClock) -> None:
    """Until the run gives up."""
    start_run(world, DAY)
    for _ in range(12):
        world.messages("SETTLEMENT_LIST")  # lost
        time.move_on(minutes=5)
        invoke("settlement_watch")
    assert read_run(world, DAY)["status"] == "failed"


@contextmanager
def failing_for(poison: Sale, error: Exception | None = None) -> Iterator[None]:
    settle_one = settling._settle

    def settle_or_fail(run: Any, page: int, earnings: Any, *rest: Any) -> None:
        if earnings.leader_id == poison.leader_id:
            raise error or RuntimeError("poison")
        settle_one(run, page, earnings, *rest)

    with mock.patch.object(settling, "_settle", settle_or_fail):
        yield


def retry(world: World, day: str, sale: Sale) -> Any:
    path = f"/v1/settlement-runs/run_{day}/leaders/{sale.leader_id}/retry"
    return world.operator.post(path)


def leaders(world: World, day: str, query: str = "", run_id: str = "") -> list[Any]:
    path = f"/v1/settlement-runs/{run_id or f'run_{day}'}/leaders{query}"
    items: list[Any] = world.operator.get(path).json["items"]
    return items


def work_as_far_as_possible(world: World) -> None:
    """What a worker gives back is lost here, as in a dead-letter queue."""
    while True:
        listing = world.messages("SETTLEMENT_LIST")
        handle("settlement_list", *listing)
        settling = world.messages("SETTLEMENT_SETTLE")
        handle("settlement_settle", *settling)
        if not (listing or settling):
            return


def open_cases(world: World) -> list[Any]:
    items = world.operator.get("/v1/cases").json["items"]
    return [case for case in items if case["status"] == "open"]
