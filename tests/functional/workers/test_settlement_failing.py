"""A leader who cannot be settled: the run gives up, a person is called, and it goes on later."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest

from chalicelib.settlement import listing, settling
from tests.functional.workers.conftest import StillClock
from tests.support.communities import balance, delivered, read_run, settle, start_run, statement
from tests.support.invariants import findings
from tests.support.lambdas import handle, invoke
from tests.support.world import Sale, World

DAY = "2026-03-17"


@pytest.fixture(autouse=True)
def pages_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "LEADERS_A_PAGE", 3)


def test_a_run_gives_up_on_a_leader_who_cannot_be_settled(world: World, time: StillClock) -> None:
    sales = matured(world, time)
    minutes = fail(world, time, sales[1])
    run = read_run(world, DAY)
    assert (run["status"], run["totals"], run["completed_at"]) == ("failed", [], None)
    assert 20 <= minutes <= 60  # some tries, with patience between them
    (case,) = open_cases(world)
    assert (case["kind"], case["subject"]) == ("settlement_failed", f"run_{DAY}")
    assert sales[1].leader_id in case["detail"]
    assert sales[0].leader_id not in case["detail"]


def test_the_others_are_settled_all_the_same(world: World, time: StillClock) -> None:
    sales = matured(world, time)
    fail(world, time, sales[1])
    assert [balance(world, sale)["available"] for sale in sales] == [100, 0, 300, 400]
    assert balance(world, sales[1])["pending"] == 200


def test_a_failed_run_goes_on_when_the_leader_is_mended(world: World, time: StillClock) -> None:
    sales = matured(world, time)
    fail(world, time, sales[1])
    again = world.operator.post("/v1/settlement-runs", {"business_date": DAY})
    assert (again.status, again.json["status"]) == (200, "running")
    world.work()
    run = read_run(world, DAY)
    assert (run["status"], run["leaders_total"], run["leaders_settled"]) == ("completed", 4, 4)
    assert run["totals"] == [{"currency": "EUR", "amount": 1000}]
    assert [balance(world, sale)["available"] for sale in sales] == [100, 200, 300, 400]
    assert [statement(world, sale, DAY)["total"] for sale in sales] == [100, 200, 300, 400]
    assert findings() == []


def test_a_run_that_fails_again_calls_a_person_again(world: World, time: StillClock) -> None:
    sales = matured(world, time)
    fail(world, time, sales[1])
    (first,) = open_cases(world)
    assert world.operator.post(f"/v1/cases/{first['id']}/resolve", {"note": "mended"}).status == 200
    fail(world, time, sales[1])
    assert read_run(world, DAY)["status"] == "failed"
    (second,) = open_cases(world)
    assert second["id"] != first["id"]
    assert second["subject"] == f"run_{DAY}"


def test_a_failed_run_holds_back_no_other_night(world: World, time: StillClock) -> None:
    sales = matured(world, time)
    fail(world, time, sales[1])
    time.move_on(days=1)
    invoke("settlement_start")
    world.work()
    assert read_run(world, "2026-03-18")["status"] == "completed"
    # What the failed run could not take is taken by the next.
    assert statement(world, sales[1], "2026-03-18")["total"] == 200
    assert balance(world, sales[1])["available"] == 200
    assert findings() == []


def test_a_failed_run_that_goes_on_behind_a_later_one_ends_too(
    world: World, time: StillClock
) -> None:
    sales = matured(world, time)
    fail(world, time, sales[1])
    time.move_on(days=1)
    settle(world, "2026-03-18")
    run = settle(world, DAY)
    assert (run["leaders_settled"], run["totals"]) == (4, [{"currency": "EUR", "amount": 800}])
    assert [balance(world, sale)["available"] for sale in sales] == [100, 200, 300, 400]
    assert findings() == []


def test_the_nightly_schedule_does_not_take_up_a_failed_run(world: World, time: StillClock) -> None:
    """A person has been called; the run goes on when that person says so."""
    sales = matured(world, time)
    fail(world, time, sales[1])
    invoke("settlement_start")
    assert read_run(world, DAY)["status"] == "failed"


def test_messages_of_a_failed_run_change_nothing(world: World, time: StillClock) -> None:
    sales = matured(world, time)
    fail(world, time, sales[1])
    message = {"subject": f"run_{DAY}", "data": {"page": 0, "leader_id": sales[1].leader_id}}
    assert handle("settlement_settle", message) == []
    assert balance(world, sales[1])["available"] == 0


def test_a_run_whose_listing_is_lost_again_and_again_gives_up_and_can_go_on(
    world: World, time: StillClock
) -> None:
    sales = matured(world, time)
    start_run(world, DAY)
    for _ in range(12):
        world.messages("SETTLEMENT_LIST")  # lost
        time.move_on(minutes=5)
        invoke("settlement_watch")
    assert read_run(world, DAY)["status"] == "failed"
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


def fail(world: World, time: StillClock, poison: Sale) -> int:
    """Run the night with a leader who always fails until it gives up; the minutes it took."""
    start_run(world, DAY)
    minutes = 0
    with failing_for(poison):
        while read_run(world, DAY)["status"] == "running":
            work_as_far_as_possible(world)
            time.move_on(minutes=5)
            minutes += 5
            invoke("settlement_watch")
            assert minutes < 120, "the run never gives up"
    return minutes


@contextmanager
def failing_for(poison: Sale) -> Iterator[None]:
    settle_one = settling._settle

    def settle_or_fail(run: Any, page: int, earnings: Any, days: Any) -> None:
        if earnings.leader_id == poison.leader_id:
            raise RuntimeError("poison")
        settle_one(run, page, earnings, days)

    with mock.patch.object(settling, "_settle", settle_or_fail):
        yield


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
